/**
 * The isolate's state and how it is kept fresh: KV in the background, the shard by asking. Only plain data is shared
 * between requests here; promises and stubs belong to the request that made them.
 */
import "./env.ts";
import { murmur3 } from "../core/hashing/murmur3.ts";
import { type FlushAnswer, WIRE_VERSION } from "../core/wire/messages.ts";
import { configOf } from "./config.ts";
import { Knowing } from "./knowing.ts";
import { readKv } from "./kv.ts";
import { log, wordsOf } from "./log.ts";
import { shardStub } from "./objects.ts";

/** A cold request waits so long for KV, milliseconds; then it goes by what else there is. */
const COLD_KV_MS = 2000;
/** A cold request that would go to green waits so long for a shard, from the first ask on, milliseconds. */
const COLD_SHARD_MS = 200;
/**
 * An isolate that has heard nothing for so long may have missed a halt, milliseconds: longer than what lies between
 * two flushes of one with little traffic (5 s after the first request), and less than two of these.
 */
const OUT_OF_TOUCH_MS = 8_000;
/** The same while no flag is in shadow or canary and flushes are 20 s apart, milliseconds. */
const OUT_OF_TOUCH_QUIET_MS = 25_000;
/** While requests come that nothing routes, an isolate that hears nothing asks so often, milliseconds. */
const WONDER_MS = 2_000;
/** A shard that did not answer is not waited for again before this, milliseconds: with the shards down, traffic flows. */
const WAIT_AGAIN_MS = 30_000;
/** How often a waiting request looks whether another one has been answered, milliseconds. */
const POLL_MS = 5;
/** A shard that has not answered within this does not answer, milliseconds. */
export const SHARD_TIMEOUT_MS = 4000;
/** A background read that has not ended within this died with its request, milliseconds. */
const REFRESH_LEASE_MS = 15_000;
/** Until KV has been read once it is tried this often, milliseconds. */
const KV_RETRY_MS = 1000;

export class State {
  readonly knowing = new Knowing();
  /** Before this time a request has nothing to do with knowing (milliseconds since the epoch). */
  wakeAt = 0;
  /** Has a request waited for the first knowledge already? */
  #warm = false;
  #isolate: string | undefined;
  #refreshingUntil = 0;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** Id of this isolate; minted by its first request, for there is no randomness before. */
  get isolate(): string {
    this.#isolate ??= crypto.randomUUID();
    return this.#isolate;
  }

  /** The shard of this isolate. A fresh stub, which belongs to the request that asks for it. */
  shard(env: Env) {
    return shardStub(env, murmur3(this.isolate) % configOf(env).shards);
  }

  /** Does anything have to be waited for, because this isolate knows nothing yet? */
  get isCold(): boolean {
    return !this.#warm;
  }

  /** The first knowledge, for the first requests of an isolate: from KV, else from a shard, else from the build. */
  async warmUp(env: Env, ctx: ExecutionContext): Promise<void> {
    const { knowing } = this;
    knowing.takeConfig(configOf(env));
    this.#askFirst(env, ctx, Date.now());
    try {
      const texts = await withTimeout(readKv(env.FLAGS), COLD_KV_MS);
      knowing.takeKv(texts, Date.now());
    } catch (error) {
      log("error", "kv-unreadable", { error: wordsOf(error) });
      // There is nothing to go by but the shard: worth waiting for.
      await this.hear(COLD_KV_MS);
      knowing.useBundle(Date.now());
    }
    if (this.#warm) return;
    this.#warm = true;
    this.#plan(env);
    // The first ask went out before the document was known.
    if (knowing.edit) ctx.waitUntil(this.ask(env));
  }

  /** To be called when `wakeAt` has come. True when a background read now goes on under this request's `waitUntil`. */
  refresh(env: Env, ctx: ExecutionContext, now: number): boolean {
    if (now < this.#refreshingUntil) return false;
    this.#refreshingUntil = now + REFRESH_LEASE_MS;
    this.wakeAt = this.#refreshingUntil;
    ctx.waitUntil(this.#refresh(env));
    return true;
  }

  /**
   * Should a request for green wait? No shard has said yet whether it may, or none has said anything for so long that
   * a halt may have passed unheard: an isolate that was idle is as good as a cold one.
   */
  mustHear(env: Env, ctx: ExecutionContext, now: number): boolean {
    if (!this.#isOutOfTouch(now)) return false;
    this.#askFirst(env, ctx, now);
    return now < this.#askedAt + COLD_SHARD_MS;
  }

  /**
   * A request came that no flag routes: perhaps one does by now. Who routes nothing counts nothing either, and so would
   * hear of a new flag only by KV. Asks the shard beside the request, now and then.
   */
  wonder(env: Env, ctx: ExecutionContext, now: number): void {
    const { heardAt = Number.NEGATIVE_INFINITY } = this.knowing;
    if (now - Math.max(heardAt, this.#askedAt) > WONDER_MS) this.#askFirst(env, ctx, now);
  }

  /** Waits for a shard's answer, at most until so many milliseconds after it was asked. */
  async hear(ms = COLD_SHARD_MS): Promise<void> {
    const until = this.#askedAt + ms;
    while (this.#isOutOfTouch(Date.now()) && Date.now() < until) await scheduler.wait(POLL_MS);
  }

  #isOutOfTouch(now: number): boolean {
    const { heardAt, watching } = this.knowing;
    return heardAt === undefined || now - heardAt > (watching ? OUT_OF_TOUCH_MS : OUT_OF_TOUCH_QUIET_MS);
  }

  /** Asks the shard, unless another request has just done so. */
  #askFirst(env: Env, ctx: ExecutionContext, now: number): void {
    const { heardAt } = this.knowing;
    const unanswered = heardAt === undefined || heardAt < this.#askedAt;
    if (unanswered && now - this.#askedAt < WAIT_AGAIN_MS) return;
    this.#askedAt = now;
    ctx.waitUntil(this.ask(env));
  }

  /** Asks the shard for the status only, and hands up a hand edit that it wants. Never rejects. */
  async ask(env: Env): Promise<void> {
    const { knowing } = this;
    try {
      const answer = await withTimeout(
        this.shard(env).flush({
          v: WIRE_VERSION,
          isolate: this.isolate,
          seq: 0,
          cells: [],
          inFlight: [],
          revision: knowing.revision,
          ...this.seenEdit(),
          lost: 0,
          statusOnly: true,
        }),
        SHARD_TIMEOUT_MS,
      );
      await this.take(env, answer);
    } catch (error) {
      knowing.noteSilence(Date.now());
      log("warn", "shard-silent", { error: wordsOf(error) });
    }
  }

  /** Takes a shard's answer, and hands up the hand edit if it is wanted. Rejects when that fails. */
  async take(env: Env, answer: FlushAnswer): Promise<void> {
    this.knowing.takeAnswer(answer.snapshot, Date.now());
    const { edit } = this.knowing;
    if (!edit || answer.wantEdit !== edit.hash) return;
    const { hash, text } = edit;
    const reply = await withTimeout(
      this.shard(env).offerEdit({ hash, text }, this.knowing.revision),
      SHARD_TIMEOUT_MS,
    );
    this.knowing.takeAnswer(reply.snapshot, Date.now());
  }

  /** The hand edit to report in a batch, as a part of the batch. */
  seenEdit(): { edit?: { hash: string; at: number } } {
    const { edit } = this.knowing;
    return edit ? { edit: { hash: edit.hash, at: edit.at } } : {};
  }

  async #refresh(env: Env): Promise<void> {
    const { knowing } = this;
    try {
      const texts = await withTimeout(readKv(env.FLAGS), REFRESH_LEASE_MS);
      knowing.takeKv(texts, Date.now());
    } catch (error) {
      log("error", "kv-unreadable", { error: wordsOf(error) });
      knowing.rebuild(Date.now(), false);
    }
    this.#refreshingUntil = 0;
    this.#plan(env);
    if (knowing.edit || knowing.heardAt === undefined) await this.ask(env);
  }

  /** Sets the time of the next background read. */
  #plan(env: Env): void {
    this.wakeAt = Date.now() + (this.knowing.kvAt === undefined ? KV_RETRY_MS : configOf(env).refreshMs);
  }
}

/** The isolate's one state. */
export const state = new State();

/** The promise, or a rejection after `ms` milliseconds. What it waits for goes on. */
export async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
  }
}
