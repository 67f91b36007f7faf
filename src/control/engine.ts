/**
 * What keeps the controller going: the start from what was published before, reading and writing KV, telling the shards,
 * the alarm. Nothing that leads to a decision waits for any of it.
 */
import { hashText } from "../core/hashing/text.ts";
import { onOffer } from "../core/rollout/edits.ts";
import type { Snapshot } from "../core/rollout/snapshot.ts";
import { type EditOffer, type ForwardAnswer, WIRE_VERSION } from "../core/wire/messages.ts";
import { type AdoptedFrom, Adopting, FROM_KV } from "./adopting.ts";
import { CONTROLLER } from "./by.ts";
import { Changes } from "./changes.ts";
import { CompareTimer } from "./compare-timer.ts";
import { Decisions } from "./decisions.ts";
import { Directories } from "./directories.ts";
import { OutboxLink } from "./outbox-link.ts";
import { Publisher } from "./publisher.ts";
import { findPublished } from "./recovery.ts";
import { snapshotOf } from "./rollout.ts";
import { SpecSync } from "./spec-sync.ts";
import { settled } from "./within.ts";

/** The backstop: while green may get traffic KV is read and published again so often, milliseconds. */
const BACKSTOP_MS = 60_000;
/** While a rollout waits for something it is looked at so often at least, also without traffic, milliseconds. */
const CLOCK_MS = 10_000;
/** A look into an empty store's past that failed is tried again after this, milliseconds. */
const RECOVER_AGAIN_MS = 2_000;
/** API calls wait so long for the start, for a read of KV or for the shards, milliseconds. */
export const PATIENCE_MS = 3_000;
/** A status or rollout read so long after KV was read last makes the controller read it again, milliseconds. */
const STALE_READ_MS = 10_000;

/** Faults of a spec that go into the log; the status has them all. */
const LOGGED_FAULTS = 20;

export class Engine {
  readonly decisions: Decisions;
  readonly adopting: Adopting;
  readonly changes: Changes;
  readonly comparing: CompareTimer;
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #directories: Directories;
  readonly #publisher: Publisher;
  readonly #outbox: OutboxLink;
  readonly #sync: SpecSync;
  #snapshot: Snapshot | undefined;
  #kvReadAt = 0;
  #starting: Promise<void> | undefined;
  /** When the alarm will ring, milliseconds since the epoch; undefined while none is set. */
  #alarmAt: number | undefined;
  #backstopAt = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    this.#ctx = ctx;
    this.#env = env;
    const outbox = new OutboxLink(env);
    const decisions = new Decisions(ctx, () => outbox, env.ENVIRONMENT || undefined);
    const { store } = decisions;
    this.#outbox = outbox;
    this.decisions = decisions;
    this.#directories = new Directories(env.FLAGS, ctx.storage);
    this.adopting = new Adopting(decisions, this.#directories);
    this.changes = new Changes(decisions);
    this.comparing = new CompareTimer(decisions, (now) => this.announce(now));
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
        this.adopting.keepText(text);
        outbox.order(decisions.rollout);
      },
      revision: () => decisions.rollout.revision,
      sawKill: (kill, at) => {
        this.#kvReadAt = at;
        if (this.changes.sawKill(kill, at)) this.announce(at);
      },
    });
  }

  /** The newest snapshot; undefined before the first spec. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** When KV was read last, milliseconds since the epoch; 0 for never. */
  get kvReadAt(): number {
    return this.#kvReadAt;
  }

  /** Once per life of the object: looks for a past if there is none here, publishes, reads KV. Never fails. */
  start(): Promise<void> {
    this.#starting ??= this.#begin();
    return this.#starting;
  }

  /** Waits for the start as long as a call may wait; throws where what was decided before is not known then. */
  async started(): Promise<void> {
    await settled(this.start(), PATIENCE_MS);
    if (!this.decisions.known) throw new Error("the controller still looks for what was published before");
  }

  /** Waits until what was decided before is known, not for the rest of the start. */
  async known(): Promise<void> {
    const starting = this.start();
    if (!this.decisions.known) await settled(starting, PATIENCE_MS);
  }

  /** Reads KV and adopts a person's edit that is there. Never fails. */
  read(): Promise<void> {
    return settled(this.#sync.read(), PATIENCE_MS);
  }

  /** Who looks sees soon what people have written into KV. */
  readStale(): void {
    if (Date.now() - this.#kvReadAt <= STALE_READ_MS) return;
    void this.#sync.read().then(() => this.#readDirectories());
  }

  /** Takes the text of a hand edit that an isolate has read, where it can only be a new one. */
  async takeOffer({ hash, text }: EditOffer): Promise<void> {
    await settled(this.start(), PATIENCE_MS);
    if (!this.decisions.known) return;
    const action = onOffer(this.decisions.rollout.edits, { hash }, Date.now());
    if (action === "adopt") {
      this.#adopt(text, hash, FROM_KV);
      // Once it has been seen here too, the next edit is known to be newer and need not wait for KV's delay.
      void this.#sync.read();
    } else if (action === "read") await settled(this.#sync.read(), PATIENCE_MS);
  }

  /** Another text has become the spec by an order: it is put into KV, and what it names is read. */
  adopted(): void {
    this.#logFaults();
    void this.#readDirectories();
    void this.#sync.read();
  }

  /** Tells everyone. What goes out waits until what was written before is durable; the platform sees to that. */
  announce(now: number): void {
    this.#snapshot = snapshotOf(this.decisions.rollout, now);
    if (this.#snapshot) this.#publisher.publish(this.#snapshot);
    this.#outbox.order(this.decisions.rollout);
    this.#arm();
  }

  /** Answer to a shard that has seen `revision`: with the snapshot where that is older. */
  answer(have: number, revision: number): ForwardAnswer {
    const answer: ForwardAnswer = { v: WIRE_VERSION, have };
    if (this.#snapshot && this.#snapshot.revision > revision) answer.snapshot = this.#snapshot;
    return answer;
  }

  async alarm(): Promise<void> {
    this.#alarmAt = undefined;
    // An alarm that fails six times never comes again; none of these fails.
    await settled(this.start(), BACKSTOP_MS / 2);
    const now = Date.now();
    if (this.decisions.known && this.decisions.look(now)) this.announce(now);
    this.decisions.outgoing.send();
    if (now - this.#backstopAt >= BACKSTOP_MS) {
      this.#backstopAt = now;
      await this.#sync.read();
      await this.#readDirectories();
      if (this.#snapshot && this.#isLive) this.#publisher.republish(this.#snapshot);
      this.#outbox.order(this.decisions.rollout, true);
      this.#note(Date.now());
    }
    this.#arm();
  }

  async #begin(): Promise<void> {
    while (!this.decisions.known) {
      try {
        this.decisions.takePast(await findPublished(this.#env), Date.now());
      } catch (error) {
        console.warn(JSON.stringify({ event: "recovery-failed", message: String(error) }));
        await new Promise((resolve) => setTimeout(resolve, RECOVER_AGAIN_MS));
      }
    }
    this.announce(Date.now());
    await this.#sync.read();
    await this.#readDirectories();
    this.#arm();
  }

  #adopt(text: string, hash: string, from: AdoptedFrom): void {
    const now = Date.now();
    this.adopting.adopt(text, hash, from, now);
    this.#logFaults();
    this.announce(now);
    void this.#readDirectories();
  }

  #logFaults(): void {
    const { faults } = this.decisions.rollout;
    if (faults.length === 0) return;
    const shown = faults.slice(0, LOGGED_FAULTS).map(({ path, message }) => `${path}: ${message}`);
    console.warn(JSON.stringify({ event: "spec-faults", count: faults.length, faults: shown }));
  }

  /** Reads the directories that flags choose tenants from. Never fails. */
  async #readDirectories(): Promise<void> {
    try {
      const changed = await this.#directories.read(this.decisions.rollout.flags.values());
      if (changed && this.adopting.select()) this.announce(Date.now());
    } catch (error) {
      console.warn(JSON.stringify({ event: "directories-failed", message: String(error) }));
    }
  }

  /** Writes the lines that wait into the notes of the document, as an edit of the controller's own. */
  #note(now: number): void {
    const noted = this.changes.notes(now);
    if (!noted) return;
    const reason = "percentage changes appended to notes";
    const from: AdoptedFrom = { source: "api", ...CONTROLLER, reason };
    if (noted.text !== this.decisions.store.text()) this.#adopt(noted.text, hashText(noted.text), from);
    noted.done();
    void this.#sync.read();
  }

  /** Does green of any flag get traffic? */
  get #isLive(): boolean {
    const states = [...this.decisions.rollout.flags.values()].map((flag) => flag.state);
    return states.includes("canary") || states.includes("on");
  }

  /** Sets the alarm while there is anything left to do: green to watch, something to send, a hand edit to put. */
  #arm(): void {
    const { rollout, outgoing, notes, watch, rollbacks } = this.decisions;
    const now = Date.now();
    const unput = rollout.edits.current !== rollout.edits.put.hash;
    const ticking = watch.awaited().length > 0 || rollbacks.isAny(now);
    const waiting = this.#publisher.busy || this.#sync.pending || unput || outgoing.waiting || notes.waiting;
    if (!(this.#isLive || ticking || waiting)) return;
    const at = now + (ticking ? CLOCK_MS : BACKSTOP_MS);
    if (this.#alarmAt !== undefined && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    this.#ctx.waitUntil(this.#ctx.storage.setAlarm(at));
  }
}
