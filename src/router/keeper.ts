/**
 * Keeps time for the isolate: one request holds a lease under `waitUntil`, sees to flushes when they are due and looks
 * after attempts that take long; a later request takes the lease over. So an ordinary request needs no timer, no abort
 * signal and no `waitUntil` of its own: together these cost more than all that is decided about it.
 */
import type { Flusher } from "./flusher.ts";
import type { Recorder } from "./recorder.ts";

/** Between two looks while there is traffic, milliseconds. */
const BEAT_MS = 250;
/** An attempt that is older is told to look after itself, milliseconds. */
export const SLOW_ATTEMPT_MS = 250;
/** One that has been told and has not woken after so long has died with its visitor, milliseconds. */
const DEAD_AFTER_MS = 1000;
/** `waitUntil` ends 30 s after the response; the last flush needs some of them. Milliseconds. */
const LEASE_MS = 25_000;
/** A keeper so much behind its next look is gone, milliseconds. */
const OVERDUE_MS = 2000;

export class Keeper {
  readonly #recorder: Recorder;
  readonly #flusher: Flusher;
  /** Who holds the lease; a later one has a higher number. */
  #holder = 0;
  /** When the holder looks next; 0 while nobody holds the lease. */
  #nextAt = 0;
  /** Has a request begun since the last look? */
  #busy = false;
  #touchedAt = 0;

  constructor(recorder: Recorder, flusher: Flusher) {
    this.#recorder = recorder;
    this.#flusher = flusher;
  }

  /**
   * To be called with each request. True when this request now holds the lease, so that its context lives on without
   * its visitor.
   */
  touch(env: Env, ctx: ExecutionContext, now: number): boolean {
    this.#busy = true;
    const close = now - this.#touchedAt < BEAT_MS;
    this.#touchedAt = now;
    if (!this.hasLapsed(now)) {
      if (this.#nextAt - now <= BEAT_MS) return false;
      // The holder sleeps. Where requests come close together, keeping time for them is cheaper than their own timers.
      if (!close) return this.hurry(env, ctx, now);
    }
    this.#flusher.noteStart(now);
    this.#take(env, ctx, now);
    return true;
  }

  /** Will the holder look soon enough for an attempt that begins now to rely on it? */
  watches(now: number): boolean {
    return !this.hasLapsed(now) && this.#nextAt - now <= BEAT_MS;
  }

  /** To be called when a flush may have become due earlier: a holder that sleeps past it is relieved. */
  hurry(env: Env, ctx: ExecutionContext, now: number): boolean {
    const isSoon = this.#nextAt - now <= BEAT_MS || this.#nextAt - this.#flusher.dueAt() <= BEAT_MS;
    if (isSoon && !this.hasLapsed(now)) return false;
    this.#take(env, ctx, now);
    return true;
  }

  /** Does nobody hold the lease? What is counted then would wait for the next request, or die with the isolate. */
  hasLapsed(now: number): boolean {
    return this.#nextAt === 0 || now >= this.#nextAt + OVERDUE_MS;
  }

  #take(env: Env, ctx: ExecutionContext, now: number): void {
    this.#nextAt = now + BEAT_MS;
    ctx.waitUntil(this.#hold(env, ++this.#holder, now + LEASE_MS));
  }

  async #hold(env: Env, me: number, until: number): Promise<void> {
    const flushes: Promise<void>[] = [];
    for (;;) {
      await scheduler.wait(Math.max(1, this.#nextAt - Date.now()));
      if (this.#holder !== me) break;
      const now = Date.now();
      const last = now >= until - BEAT_MS;
      this.#look(now, last);
      const due = this.#flusher.dueAt();
      // Not awaited here: attempts are looked after while a shard is slow.
      if (now >= due || (last && due !== Number.POSITIVE_INFINITY)) flushes.push(this.#flusher.flush(env));
      if (last || (this.#recorder.empty && this.#flusher.dueAt() === Number.POSITIVE_INFINITY)) {
        this.#nextAt = 0;
        break;
      }
      const awake = this.#busy || this.#recorder.open.size > 0;
      this.#busy = false;
      const next = now + BEAT_MS;
      this.#nextAt = awake ? next : Math.min(until, Math.max(next, this.#flusher.dueAt()));
    }
    await Promise.all(flushes);
  }

  /** Tells attempts that take long to look after themselves, and closes those whose visitors took them along. */
  #look(now: number, last: boolean): void {
    for (const attempt of this.#recorder.open) {
      if (attempt.awake) {
        // Its own timer would have ended it: its context is gone, and nobody will.
        if (now - attempt.endsAt >= DEAD_AFTER_MS * 5)
          this.#recorder.close(attempt, "timeout", now, undefined);
        continue;
      }
      if (attempt.toldAt === 0) {
        if (!last && now - attempt.startedAt < SLOW_ATTEMPT_MS) continue;
        attempt.toldAt = now;
        attempt.interrupt("look-after-yourself");
      } else if (now - attempt.toldAt >= DEAD_AFTER_MS) {
        // How long they waited is only known to be at least until they were told.
        this.#recorder.close(attempt, "censored", attempt.toldAt, undefined);
      }
    }
  }
}
