/**
 * Sends what was counted to this isolate's shard: one batch in flight, in order, tried again unchanged, given up after
 * five minutes. When it is time is said here; who waits until then is the keeper's business.
 */

import { murmur3 } from "../core/hashing/murmur3.ts";
import { MAX_CELLS } from "../core/wire/decode.ts";
import { encodeBatch, type WireBatch } from "../core/wire/encode.ts";
import { type Cell, WIRE_VERSION } from "../core/wire/messages.ts";
import { log, wordsOf } from "../edge/log.ts";
import type { State } from "../edge/state.ts";
import { SHARD_TIMEOUT_MS, withTimeout } from "../edge/state.ts";
import type { Recorder } from "./recorder.ts";

/** Between flushes where green failed or traffic is busy, milliseconds. */
const FAST_MS = 1000;
/** Between flushes otherwise. */
const NORMAL_MS = 5000;
/** Between flushes while no flag is in shadow or canary, and the longest that anything waits. */
const SLOW_MS = 20_000;
/** So many requests since the last flush are busy traffic. */
const BUSY_REQUESTS = 10;
/** A batch that no shard has taken for so long is given up, milliseconds. */
const GIVE_UP_MS = 300_000;

const HASHES = 2 ** 32;

interface Unsent {
  batch: WireBatch;
  since: number;
  tries: number;
  nextAt: number;
}

export class Flusher {
  readonly #recorder: Recorder;
  readonly #state: State;
  #seq = 0;
  #lost = 0;
  #flushedAt = 0;
  #unsent: Unsent | undefined;
  /** A call under way that has not ended by then died with its request. */
  #busyUntil = 0;
  #sampling = 1;

  constructor(recorder: Recorder, state: State) {
    this.#recorder = recorder;
    this.#state = state;
  }

  /** When the next flush is due (milliseconds since the epoch); Infinity while there is nothing to say. */
  dueAt(): number {
    if (this.#unsent) return this.#unsent.nextAt;
    const { counted, greenFailed, empty } = this.#recorder;
    if (empty) return Number.POSITIVE_INFINITY;
    if (greenFailed || counted >= BUSY_REQUESTS) return this.#flushedAt + FAST_MS;
    return this.#flushedAt + (this.#state.knowing.watching ? NORMAL_MS : SLOW_MS);
  }

  /** Starts the clock of an isolate that has been idle, so that a first request does not make a flush of its own. */
  noteStart(now: number): void {
    if (this.#recorder.empty && !this.#unsent) this.#flushedAt = Math.max(this.#flushedAt, now - FAST_MS);
  }

  /** Sends what is there. Never rejects. */
  async flush(env: Env): Promise<void> {
    const now = Date.now();
    if (now < this.#busyUntil) return;
    this.#busyUntil = now + SHARD_TIMEOUT_MS + FAST_MS;
    this.#flushedAt = now;
    try {
      await this.#send(env, now);
    } finally {
      this.#busyUntil = 0;
    }
  }

  async #send(env: Env, now: number): Promise<void> {
    // Also before trying again: an isolate that slept with it must not send what the shard may have forgotten taking.
    if (this.#unsent && now - this.#unsent.since >= GIVE_UP_MS) this.#giveUp();
    const unsent = this.#unsent ?? this.#next(now);
    try {
      const answer = await withTimeout(this.#state.shard(env).flush(unsent.batch), SHARD_TIMEOUT_MS);
      if (this.#unsent === unsent) this.#unsent = undefined;
      this.#sampling = answer.sampling ?? 1;
      await this.#state.take(env, answer);
    } catch (error) {
      const at = Date.now();
      log("warn", "flush-failed", { error: wordsOf(error) });
      this.#state.knowing.noteSilence(at);
      this.#recorder.compact(at);
      // The answer may have been lost after the batch was taken, or the edit alone was not handed up.
      if (this.#unsent !== unsent) return;
      unsent.tries++;
      unsent.nextAt = at + Math.min(SLOW_MS, FAST_MS * 2 ** Math.min(unsent.tries - 1, 5));
      if (at - unsent.since >= GIVE_UP_MS) this.#giveUp();
    }
  }

  #giveUp(): void {
    this.#unsent = undefined;
    this.#lost++;
  }

  /** The next batch; it is kept until a shard has taken it. Outside the shard's sample it only asks for the status. */
  #next(now: number): Unsent {
    const state = this.#state;
    const cells: Cell[] = this.#recorder.drain(now);
    const counts = murmur3(state.isolate) / HASHES < this.#sampling;
    const batch = encodeBatch({
      v: WIRE_VERSION,
      isolate: state.isolate,
      seq: counts ? ++this.#seq : this.#seq,
      cells: counts ? cells.slice(-MAX_CELLS) : [],
      inFlight: counts ? this.#recorder.inFlight(now) : [],
      revision: state.knowing.revision,
      ...state.seenEdit(),
      lost: this.#lost,
      ...(counts ? {} : { statusOnly: true }),
    });
    this.#unsent = { batch, since: now, tries: 0, nextAt: now + FAST_MS };
    return this.#unsent;
  }
}
