/**
 * The Durable Object that takes batches from isolates: counts each once, answers with the newest snapshot, and
 * forwards to the controller beside that. It decides nothing, and it never makes an isolate wait for the controller.
 */
import { DurableObject } from "cloudflare:workers";
import { Ledger } from "../core/analysis/ledger.ts";
import { failures, rowId } from "../core/analysis/tally.ts";
import type { Snapshot } from "../core/rollout/snapshot.ts";
import { decodeBatch } from "../core/wire/decode.ts";
import { encodeForward } from "../core/wire/encode.ts";
import {
  type Batch,
  type EditOffer,
  type FlushAnswer,
  type ShardApi,
  WIRE_VERSION,
} from "../core/wire/messages.ts";
import { controllerStub } from "./controller-api.ts";
import { EditAsker } from "./edit-asker.ts";
import { Forwarder } from "./forwarder.ts";
import { Sampler } from "./sampler.ts";
import { ShardStore } from "./shard-store.ts";
import { settled, within } from "./within.ts";

/** Counts without failures of green are gathered for so long, milliseconds. */
const GATHER_MS = 1_000;
/** Batches that bring only requests in flight may wait longer, milliseconds. */
const GAUGE_MS = 5_000;
/** A call to the controller that takes longer has failed, milliseconds. */
const CALL_MS = 10_000;
/** The first flushes after a start wait so long for the controller's snapshot, milliseconds. */
const GREETING_MS = 150;
/** Without a word from the controller for so long, the next flush asks it, in case a push was lost; milliseconds. */
const ASK_AFTER_MS = 15_000;
/** When the controller cannot be reached and traffic stops, the alarm tries again, milliseconds. */
const BACKSTOP_MS = 30_000;
/** `settle` waits so long at most, milliseconds. */
const SETTLE_MS = 1_000;
/** Isolates that are gone are looked for so often, milliseconds. */
const FOLD_EVERY_MS = 60_000;

export class CohortCounters extends DurableObject<Env> implements ShardApi {
  readonly #store: ShardStore;
  readonly #ledger = new Ledger();
  readonly #forwarder: Forwarder;
  readonly #sampler = new Sampler();
  readonly #asker = new EditAsker();
  /** Name of this shard and of its store. */
  readonly #name: string;
  #snapshot: Snapshot | undefined;
  /** When to ask the controller for its snapshot: it was not heard from since. */
  #askAt = 0;
  #greetUntil: number | undefined;
  #asking: Promise<void> | undefined;
  #foldAt = 0;
  #alarmed = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new ShardStore(ctx.storage);
    const { folded, pages, snapshot, incarnation, name } = this.#store.load();
    if (ctx.id.name !== undefined && ctx.id.name !== name) this.#store.saveName(ctx.id.name);
    this.#ledger.load(folded, pages);
    this.#snapshot = snapshot;
    this.#name = `${ctx.id.name ?? name ?? ctx.id.toString()}#${incarnation}`;
    this.#forwarder = new Forwarder({
      send: (base) => this.#send(base),
      stuck: (stuck) => this.#backstop(stuck),
    });
    // What a former life has not forwarded must not wait for the next batch.
    if (this.#ledger.version > 0) this.#forwarder.request(GATHER_MS);
  }

  async flush(raw: unknown): Promise<FlushAnswer> {
    const batch = decodeBatch(raw);
    const now = Date.now();
    this.#sampler.saw(now, !batch.statusOnly);
    if (!batch.statusOnly) this.#count(batch, now);
    if (now >= this.#askAt) {
      this.#greetUntil ??= now + GREETING_MS;
      this.#ask(now);
    }
    // Only right after a start: later on, a push that was lost is no reason to keep anybody waiting.
    const wait = (this.#greetUntil ?? now) - now;
    if (wait > 0 && this.#asking) await settled(this.#asking, wait);
    return this.#answer(batch.revision, this.#ledger.seqOf(batch.isolate), batch, now);
  }

  async offerEdit(offer: EditOffer, revision: number): Promise<FlushAnswer> {
    try {
      this.#hear(await within(controllerStub(this.env).offerEdit(offer), CALL_MS, "offerEdit"));
    } catch (error) {
      // Another isolate may be asked at once: this offer has not arrived.
      this.#asker.forget(offer.hash);
      console.warn(JSON.stringify({ event: "offer-failed", shard: this.#name, message: String(error) }));
    }
    return this.#answer(revision, 0);
  }

  async publish(snapshot: Snapshot): Promise<void> {
    this.#take(snapshot);
  }

  async held(): Promise<Snapshot | undefined> {
    return this.#snapshot;
  }

  async settle(): Promise<void> {
    await settled(this.#forwarder.flush(), SETTLE_MS);
  }

  override async alarm(): Promise<void> {
    this.#alarmed = false;
    await this.#forwarder.flush();
  }

  #count(batch: Batch, now: number): void {
    const counted = batch.seq > this.#ledger.seqOf(batch.isolate);
    this.#durably(() => {
      const page = this.#ledger.count(batch, now);
      if (page) this.#store.save(page);
      this.#foldGone(now);
    });
    if (!counted) return;
    if (
      batch.cells.some(
        ({ row, tally }) => rowId(row).variant === "green" && failures(tally) + tally.diverted > 0,
      )
    ) {
      this.#forwarder.request(0);
    } else if (batch.cells.length > 0 || batch.lost > 0) this.#forwarder.request(GATHER_MS);
    else if (batch.inFlight.length > 0) this.#forwarder.request(GAUGE_MS);
  }

  #foldGone(now: number): void {
    if (now < this.#foldAt) return;
    this.#foldAt = now + FOLD_EVERY_MS;
    const gone = this.#ledger.gone(now);
    if (gone.length === 0) return;
    this.#store.fold(gone, this.#ledger.version);
    for (const page of gone) this.#ledger.close(page);
  }

  /** Memory changes first: if it then cannot be written down, memory is given up and read anew. */
  #durably(change: () => void): void {
    try {
      change();
    } catch (error) {
      this.ctx.abort(`a batch could not be written: ${String(error)}`);
      throw error;
    }
  }

  async #send(base: number): Promise<{ version: number; have: number }> {
    const forward = this.#ledger.forwardFrom(base, this.#name, Date.now());
    forward.revision = this.#snapshot?.revision ?? 0;
    if (this.#sampler.share < 1) forward.sampling = this.#sampler.share;
    const answer = await within(controllerStub(this.env).forward(encodeForward(forward)), CALL_MS, "forward");
    this.#hear(answer);
    this.#ledger.stored(answer.have);
    return { version: forward.version, have: answer.have };
  }

  #backstop(stuck: boolean): void {
    if (stuck === this.#alarmed) return;
    this.#alarmed = stuck;
    if (stuck) console.warn(JSON.stringify({ event: "forward-failed", shard: this.#name }));
    this.ctx.waitUntil(
      stuck ? this.ctx.storage.setAlarm(Date.now() + BACKSTOP_MS) : this.ctx.storage.deleteAlarm(),
    );
  }

  #ask(now: number): void {
    this.#askAt = now + ASK_AFTER_MS;
    this.#asking ??= within(controllerStub(this.env).current(), CALL_MS, "current")
      .then((snapshot) => this.#hear({ snapshot }))
      .catch((error: unknown) => {
        console.warn(JSON.stringify({ event: "ask-failed", shard: this.#name, message: String(error) }));
      })
      .finally(() => {
        this.#asking = undefined;
      });
  }

  #hear({ snapshot }: { snapshot?: Snapshot | undefined }): void {
    this.#askAt = Date.now() + ASK_AFTER_MS;
    if (snapshot) this.#take(snapshot);
  }

  #take(snapshot: Snapshot): void {
    if (this.#snapshot && snapshot.revision <= this.#snapshot.revision) return;
    this.#snapshot = snapshot;
    this.#store.saveSnapshot(snapshot);
  }

  #answer(revision: number, ack: number, batch?: Batch, now = Date.now()): FlushAnswer {
    const held = this.#snapshot;
    const answer: FlushAnswer = { v: WIRE_VERSION, ack, revision: held?.revision ?? 0 };
    if (held && held.revision > revision) answer.snapshot = held;
    if (this.#sampler.share < 1) answer.sampling = this.#sampler.share;
    const hash = batch?.edit?.hash;
    if (hash !== undefined && hash !== held?.specHash && this.#asker.mayAsk(hash, now))
      answer.wantEdit = hash;
    return answer;
  }
}
