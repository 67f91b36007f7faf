/**
 * The Durable Object that decides: the single writer of status. Counts are judged when they arrive, and nothing that
 * leads to a decision waits for the outside: reading and writing KV and telling the shards run beside it.
 */
import { DurableObject } from "cloudflare:workers";
import { parseDocument } from "../core/flag/parse.ts";
import { hashText } from "../core/hashing/text.ts";
import { onOffer } from "../core/rollout/edits.ts";
import type { PastRollout } from "../core/rollout/history.ts";
import type { Snapshot } from "../core/rollout/snapshot.ts";
import { decodeForward } from "../core/wire/decode.ts";
import { type EditOffer, type ForwardAnswer, WIRE_VERSION } from "../core/wire/messages.ts";
import type { Observation, ObserverApi } from "../core/wire/outbox.ts";
import { shardCount, shardStub } from "../edge/objects.ts";
import { CONTROLLER } from "./by.ts";
import { type AdoptedFrom, Changes } from "./changes.ts";
import type {
  AuditEntry,
  CommandRequest,
  CommandResult,
  ControllerApi,
  PutSpec,
  PutSpecResult,
  Resume,
  ResumeResult,
  RolloutView,
  StatusView,
} from "./controller-api.ts";
import { Decisions } from "./decisions.ts";
import { Directories } from "./directories.ts";
import { OutboxLink } from "./outbox-link.ts";
import { Publisher } from "./publisher.ts";
import { findPublished } from "./recovery.ts";
import { snapshotOf } from "./rollout.ts";
import { rolloutView } from "./rollout-view.ts";
import { SpecSync } from "./spec-sync.ts";
import { statusOf } from "./status.ts";
import type { Ingest, IngestResult } from "./telemetry-api.ts";
import { settled } from "./within.ts";

/** The backstop: while green may get traffic KV is read and published again so often, milliseconds. */
const BACKSTOP_MS = 60_000;
/** While a rollout waits for something it is looked at so often at least, also without traffic, milliseconds. */
const CLOCK_MS = 10_000;
/** Between two looks at what has become complete, milliseconds: so as not to be busy with it, nor to be late. */
const SHORTEST_COMPARE_MS = 250;
const LONGEST_COMPARE_MS = 2_000;
/** A look into an empty store's past that failed is tried again after this, milliseconds. */
const RECOVER_AGAIN_MS = 2_000;
/** API calls wait so long for the start, for a read of KV or for the shards, milliseconds. */
const PATIENCE_MS = 3_000;
/** A status or rollout read so long after KV was read last makes the controller read it again, milliseconds. */
const STALE_READ_MS = 10_000;

/** Faults of a spec that go into the log; the status has them all. */
const LOGGED_FAULTS = 20;

const FROM_KV: AdoptedFrom = { source: "kv", who: "kv", how: "kv", reason: "" };

export class RolloutController extends DurableObject<Env> implements ControllerApi, ObserverApi {
  readonly #decisions: Decisions;
  readonly #changes: Changes;
  readonly #directories: Directories;
  readonly #publisher: Publisher;
  readonly #outbox: OutboxLink;
  readonly #sync: SpecSync;
  #snapshot: Snapshot | undefined;
  /** For the status only. */
  #kvReadAt = 0;
  #starting: Promise<void> | undefined;
  /** When the alarm will ring, milliseconds since the epoch; undefined while none is set. */
  #alarmAt: number | undefined;
  #comparing = false;
  #backstopAt = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const outbox = new OutboxLink(env);
    const decisions = new Decisions(ctx, () => outbox);
    this.#outbox = outbox;
    const { store } = decisions;
    this.#decisions = decisions;
    this.#directories = new Directories(env.FLAGS, ctx.storage);
    this.#changes = new Changes(decisions, this.#directories);
    this.#snapshot = snapshotOf(decisions.rollout, Date.now());
    this.#publisher = new Publisher(env, async () => {
      store.savePublishedAt(Date.now());
      await ctx.storage.sync();
    });
    this.#sync = new SpecSync(env.FLAGS, {
      edits: () => (decisions.known ? decisions.rollout.edits : undefined),
      saveEdits: (edits) => decisions.saveEdits(edits),
      adoptFromKv: (text, hash) => this.#adopt(text, hash, FROM_KV),
      text: () => store.text(),
      keepText: (text) => {
        this.#changes.keepText(text);
        outbox.order(decisions.rollout);
      },
      revision: () => decisions.rollout.revision,
      sawKill: (kill, at) => {
        this.#kvReadAt = at;
        if (this.#changes.sawKill(kill, at)) this.#announce(at);
      },
    });
  }

  async forward(raw: unknown): Promise<ForwardAnswer> {
    const forward = decodeForward(raw);
    const now = Date.now();
    void this.#start();
    const { have, changed } = this.#decisions.take(forward, now);
    if (changed) this.#announce(now);
    this.#compareSoon(now);
    return this.#answer(have, forward.revision ?? 0);
  }

  async offerEdit({ hash, text }: EditOffer): Promise<ForwardAnswer> {
    if (hashText(text) !== hash) throw new TypeError("offer: expected the hash of its text");
    await settled(this.#start(), PATIENCE_MS);
    if (this.#decisions.known) {
      const action = onOffer(this.#decisions.rollout.edits, { hash }, Date.now());
      if (action === "adopt") {
        this.#adopt(text, hash, FROM_KV);
        // Once it has been seen here too, the next edit is known to be newer and need not wait for KV's delay.
        void this.#sync.read();
      } else if (action === "read") await settled(this.#sync.read(), PATIENCE_MS);
    }
    return this.#answer(0, 0);
  }

  async current(): Promise<Snapshot | undefined> {
    const started = this.#start();
    if (!this.#snapshot) await settled(started, PATIENCE_MS);
    return this.#snapshot;
  }

  /** The status, with what the shards had not forwarded yet. */
  async status(): Promise<StatusView> {
    const started = this.#start();
    if (!this.#decisions.known) await settled(started, PATIENCE_MS);
    this.#readStale();
    const shards = Array.from({ length: shardCount(this.env) }, async (_, i) =>
      shardStub(this.env, i).settle(),
    );
    await settled(Promise.allSettled(shards), PATIENCE_MS);
    return statusOf(this.#decisions, { kvReadAt: this.#kvReadAt, now: Date.now() });
  }

  /** Where a flag's rollout is; undefined for a flag that the spec does not name. */
  async rollout(flag: string): Promise<RolloutView | undefined> {
    await settled(this.#start(), PATIENCE_MS);
    this.#readStale();
    return rolloutView(this.#decisions, flag, Date.now());
  }

  /** The last rollouts of a flag, the newest first. */
  async history({ flag, limit }: { flag: string; limit: number }): Promise<PastRollout[]> {
    return this.#decisions.history.read(flag, limit);
  }

  /** Writes the spec: whole or not at all, and only over what the writer knew of. */
  async putSpec({ text, ifMatch, who, how, reason }: PutSpec): Promise<PutSpecResult> {
    await this.#startedForWriting();
    const { faults } = parseDocument(text);
    if (faults.length > 0) return { ok: false, reason: "invalid", revision: this.#revision, faults };
    // A person's edit that is in KV already goes first; so a writer that did not know of it is refused.
    await settled(this.#sync.read(), PATIENCE_MS);
    if (ifMatch !== undefined && ifMatch !== this.#revision) {
      return { ok: false, reason: "conflict", revision: this.#revision, faults: [] };
    }
    const hash = hashText(text);
    if (hash !== this.#decisions.rollout.specHash) {
      this.#adopt(text, hash, { source: "api", who, how, reason });
      void this.#sync.read();
    }
    return { ok: true, revision: this.#revision };
  }

  /** Lifts a halt: the only way there is. */
  async resume(command: Resume): Promise<ResumeResult> {
    await this.#startedForWriting();
    const now = Date.now();
    if (!this.#changes.resume(command, now)) return { ok: false, reason: "not-halted" };
    this.#announce(now);
    return { ok: true, revision: this.#revision };
  }

  /** Obeys a command to a flag's rollout, or says why not. */
  async command(request: CommandRequest): Promise<CommandResult> {
    await this.#startedForWriting();
    const now = Date.now();
    const result = this.#changes.command(request, now);
    if (result.ok) this.#announce(now);
    return result;
  }

  /** Takes what an origin or an Alertmanager pushes. */
  async ingest(push: Ingest): Promise<IngestResult> {
    await this.#startedForWriting();
    const now = Date.now();
    const { result, changed } = this.#changes.ingest(push, now);
    if (changed) this.#announce(now);
    return result;
  }

  /** Takes what the outbox has found, each once and in order. */
  async observe(observations: Observation[]): Promise<{ have: number }> {
    await this.#startedForWriting();
    const now = Date.now();
    const { have, changed } = this.#changes.observe(observations, now);
    if (changed) this.#announce(now);
    return { have };
  }

  /** Newest entries first, at most `limit`, older than the entry `before`; of one flag where it is named. */
  async audit(page: { limit: number; before?: number; flag?: string }): Promise<AuditEntry[]> {
    return this.#decisions.audit.read(page);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = undefined;
    // An alarm that fails six times never comes again; none of these fails.
    await settled(this.#start(), BACKSTOP_MS / 2);
    const now = Date.now();
    if (this.#decisions.known && this.#decisions.look(now)) this.#announce(now);
    this.#decisions.outgoing.send();
    if (now - this.#backstopAt >= BACKSTOP_MS) {
      this.#backstopAt = now;
      await this.#sync.read();
      await this.#readDirectories();
      if (this.#snapshot && this.#isLive) this.#publisher.republish(this.#snapshot);
      this.#outbox.order(this.#decisions.rollout, true);
      this.#note(Date.now());
    }
    this.#arm();
  }

  /** Who looks sees soon what people have written into KV. */
  #readStale(): void {
    if (Date.now() - this.#kvReadAt <= STALE_READ_MS) return;
    void this.#sync.read().then(() => this.#readDirectories());
  }

  get #revision(): number {
    return this.#decisions.rollout.revision;
  }

  /** Once per life of the object: looks for a past if there is none here, publishes, reads KV. Never fails. */
  #start(): Promise<void> {
    this.#starting ??= this.#begin();
    return this.#starting;
  }

  async #begin(): Promise<void> {
    while (!this.#decisions.known) {
      try {
        this.#decisions.takePast(await findPublished(this.env), Date.now());
      } catch (error) {
        console.warn(JSON.stringify({ event: "recovery-failed", message: String(error) }));
        await new Promise((resolve) => setTimeout(resolve, RECOVER_AGAIN_MS));
      }
    }
    this.#announce(Date.now());
    await this.#sync.read();
    await this.#readDirectories();
    this.#arm();
  }

  async #startedForWriting(): Promise<void> {
    await settled(this.#start(), PATIENCE_MS);
    if (!this.#decisions.known) throw new Error("the controller still looks for what was published before");
  }

  #adopt(text: string, hash: string, from: AdoptedFrom): void {
    const now = Date.now();
    this.#changes.adopt(text, hash, from, now);
    const { faults } = this.#decisions.rollout;
    if (faults.length > 0) {
      const shown = faults.slice(0, LOGGED_FAULTS).map(({ path, message }) => `${path}: ${message}`);
      console.warn(JSON.stringify({ event: "spec-faults", count: faults.length, faults: shown }));
    }
    this.#announce(now);
    void this.#readDirectories();
  }

  /** Reads the directories that flags choose tenants from. Never fails. */
  async #readDirectories(): Promise<void> {
    try {
      const changed = await this.#directories.read(this.#decisions.rollout.flags.values());
      if (changed && this.#changes.select()) this.#announce(Date.now());
    } catch (error) {
      console.warn(JSON.stringify({ event: "directories-failed", message: String(error) }));
    }
  }

  /** Tells everyone. What goes out waits until what was written before is durable; the platform sees to that. */
  #announce(now: number): void {
    this.#snapshot = snapshotOf(this.#decisions.rollout, now);
    if (this.#snapshot) this.#publisher.publish(this.#snapshot);
    this.#outbox.order(this.#decisions.rollout);
    this.#arm();
  }

  /** Writes the lines that wait into the notes of the document, as an edit of the controller's own. */
  #note(now: number): void {
    const noted = this.#changes.notes(now);
    if (!noted) return;
    const from: AdoptedFrom = {
      source: "api",
      ...CONTROLLER,
      reason: "percentage changes appended to notes",
    };
    if (noted.text !== this.#decisions.store.text()) this.#adopt(noted.text, hashText(noted.text), from);
    noted.done();
    void this.#sync.read();
  }

  /** Compares what will be complete soon at its time, also when no forward comes by then. */
  #compareSoon(now: number): void {
    const at = this.#comparing ? undefined : this.#decisions.comparisons.nextCloseAt;
    if (at === undefined) return;
    this.#comparing = true;
    const wait = Math.min(LONGEST_COMPARE_MS, Math.max(SHORTEST_COMPARE_MS, at - now));
    setTimeout(() => {
      const then = Date.now();
      this.#comparing = false;
      if (this.#decisions.compare(then)) this.#announce(then);
      this.#compareSoon(then);
    }, wait);
  }

  #answer(have: number, revision: number): ForwardAnswer {
    const answer: ForwardAnswer = { v: WIRE_VERSION, have };
    if (this.#snapshot && this.#snapshot.revision > revision) answer.snapshot = this.#snapshot;
    return answer;
  }

  /** Does green of any flag get traffic? */
  get #isLive(): boolean {
    const states = [...this.#decisions.rollout.flags.values()].map((flag) => flag.state);
    return states.includes("canary") || states.includes("on");
  }

  /** Sets the alarm while there is anything left to do: green to watch, something to send, a hand edit to put. */
  #arm(): void {
    const { rollout, outgoing, notes, watch, rollbacks } = this.#decisions;
    const now = Date.now();
    const unput = rollout.edits.current !== rollout.edits.put.hash;
    const ticking = watch.awaited().length > 0 || rollbacks.isAny(now);
    const waiting = this.#publisher.busy || this.#sync.pending || unput || outgoing.waiting || notes.waiting;
    if (!(this.#isLive || ticking || waiting)) return;
    const at = now + (ticking ? CLOCK_MS : BACKSTOP_MS);
    if (this.#alarmAt !== undefined && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(at));
  }
}
