/**
 * The Durable Object that decides: the single writer of status. Counts are judged when they arrive, and nothing that
 * leads to a decision waits for the outside: reading and writing KV and telling the shards run beside it.
 */
import { DurableObject } from "cloudflare:workers";
import { parseDocument } from "../core/flag/parse.ts";
import { hashText } from "../core/hashing/text.ts";
import { onOffer } from "../core/rollout/edits.ts";
import type { Snapshot } from "../core/rollout/snapshot.ts";
import { decodeForward } from "../core/wire/decode.ts";
import { type EditOffer, type ForwardAnswer, WIRE_VERSION } from "../core/wire/messages.ts";
import { shardCount, shardStub } from "../edge/objects.ts";
import type {
  AuditEntry,
  ControllerApi,
  PutSpec,
  PutSpecResult,
  Resume,
  ResumeResult,
  StatusView,
} from "./controller-api.ts";
import { type AdoptedFrom, Decisions } from "./decisions.ts";
import { Publisher } from "./publisher.ts";
import { findPublished } from "./recovery.ts";
import { snapshotOf } from "./rollout.ts";
import { SpecSync } from "./spec-sync.ts";
import { statusOf } from "./status.ts";
import { settled } from "./within.ts";

/** The backstop: while green may get traffic KV is read and published again so often, milliseconds. */
const ALARM_MS = 60_000;
/** Between two looks at what has become complete, milliseconds: so as not to be busy with it, nor to be late. */
const SHORTEST_COMPARE_MS = 250;
const LONGEST_COMPARE_MS = 2_000;
/** A look into an empty store's past that failed is tried again after this, milliseconds. */
const RECOVER_AGAIN_MS = 2_000;
/** API calls wait so long for the start, for a read of KV or for the shards, milliseconds. */
const PATIENCE_MS = 3_000;
/** A status read so long after KV was read last makes the controller read it again, milliseconds. */
const STALE_READ_MS = 10_000;

/** Faults of a spec that go into the log; the status has them all. */
const LOGGED_FAULTS = 20;

const FROM_KV: AdoptedFrom = { source: "kv", who: "kv", reason: "" };

export class RolloutController extends DurableObject<Env> implements ControllerApi {
  readonly #decisions: Decisions;
  readonly #publisher: Publisher;
  readonly #sync: SpecSync;
  #snapshot: Snapshot | undefined;
  /** For the status only. */
  #kvReadAt = 0;
  #starting: Promise<void> | undefined;
  #alarmed = false;
  #comparing = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const decisions = new Decisions(ctx);
    const { store } = decisions;
    this.#decisions = decisions;
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
      keepText: (text) => store.saveText(text),
      revision: () => decisions.rollout.revision,
      sawKill: (kill, at) => {
        this.#kvReadAt = at;
        if (decisions.sawKill(kill)) this.#announce(at);
      },
    });
  }

  async forward(raw: unknown): Promise<ForwardAnswer> {
    const forward = decodeForward(raw);
    const now = Date.now();
    void this.#start();
    const { have, halted } = this.#decisions.take(forward, now);
    if (halted) this.#announce(now);
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
    if (Date.now() - this.#kvReadAt > STALE_READ_MS) void this.#sync.read();
    const shards = Array.from({ length: shardCount(this.env) }, async (_, i) =>
      shardStub(this.env, i).settle(),
    );
    await settled(Promise.allSettled(shards), PATIENCE_MS);
    const { rollout, sums, evidence, comparisons, store } = this.#decisions;
    const spec = store.text();
    return statusOf({
      rollout,
      sums,
      evidence,
      comparisons,
      spec,
      kvReadAt: this.#kvReadAt,
      now: Date.now(),
    });
  }

  /** Writes the spec: whole or not at all, and only over what the writer knew of. */
  async putSpec({ text, ifMatch, who, reason }: PutSpec): Promise<PutSpecResult> {
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
      this.#adopt(text, hash, { source: "api", who, reason });
      void this.#sync.read();
    }
    return { ok: true, revision: this.#revision };
  }

  /** Lifts a halt: the only way there is. */
  async resume(command: Resume): Promise<ResumeResult> {
    await this.#startedForWriting();
    const now = Date.now();
    if (!this.#decisions.resume(command, now)) return { ok: false, reason: "not-halted" };
    this.#announce(now);
    return { ok: true, revision: this.#revision };
  }

  /** Newest entries first, at most `limit`, older than the entry `before`. */
  async audit(page: { limit: number; before?: number }): Promise<AuditEntry[]> {
    return this.#decisions.audit.read(page);
  }

  override async alarm(): Promise<void> {
    this.#alarmed = false;
    // An alarm that fails six times never comes again; none of these fails.
    await settled(this.#start(), ALARM_MS / 2);
    await this.#sync.read();
    if (this.#snapshot && this.#isLive) this.#publisher.republish(this.#snapshot);
    this.#arm();
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
    this.#arm();
  }

  async #startedForWriting(): Promise<void> {
    await settled(this.#start(), PATIENCE_MS);
    if (!this.#decisions.known) throw new Error("the controller still looks for what was published before");
  }

  #adopt(text: string, hash: string, from: AdoptedFrom): void {
    const now = Date.now();
    this.#decisions.adopt(text, hash, from, now);
    const { faults } = this.#decisions.rollout;
    if (faults.length > 0) {
      const shown = faults.slice(0, LOGGED_FAULTS).map(({ path, message }) => `${path}: ${message}`);
      console.warn(JSON.stringify({ event: "spec-faults", count: faults.length, faults: shown }));
    }
    this.#announce(now);
  }

  /** Tells everyone. What goes out waits until what was written before is durable; the platform sees to that. */
  #announce(now: number): void {
    this.#snapshot = snapshotOf(this.#decisions.rollout, now);
    if (this.#snapshot) this.#publisher.publish(this.#snapshot);
    this.#arm();
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
    const { edits } = this.#decisions.rollout;
    const unput = edits.current !== edits.put.hash;
    if (this.#alarmed || !(this.#isLive || this.#publisher.busy || this.#sync.pending || unput)) return;
    this.#alarmed = true;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(Date.now() + ALARM_MS));
  }
}
