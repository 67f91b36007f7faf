/** Episodes that come and go at any moment: outages, bursts, blips. Not aligned with ticks. */
import type { Random } from "./random.ts";

export type Range = readonly [number, number];

export interface Episodic {
  /** Time from the end of one to the start of the next, seconds: exponential, uniform, or once and never again. */
  gap: { mean: number } | { between: Range } | { onceAt: Range };
  /** How long one lasts, seconds, uniform. */
  seconds: Range;
  /** How bad one is, uniform: the user of the episodes says what that means. */
  level: Range;
}

/** The course of one kind of episode in one run. */
export class Episodes {
  /** Share of the last tick that was inside an episode, 0..1. */
  share = 0;
  /** Level of the episode that was on last. */
  level = 0;
  readonly #spec: Episodic;
  readonly #random: Random;
  #start = 0;
  #end: number;
  #level = 0;
  #begun = false;

  /** Begins at `from` (seconds) in a gap. */
  constructor(spec: Episodic, random: Random, from: number) {
    this.#spec = spec;
    this.#random = random;
    this.#end = from;
    this.#next();
  }

  /** Moves on to the tick from..to (seconds); ticks come in order. */
  advance(from: number, to: number): void {
    let inside = 0;
    while (this.#start < to) {
      const overlap = Math.min(to, this.#end) - Math.max(from, this.#start);
      if (overlap > 0) {
        inside += overlap;
        this.level = this.#level;
      }
      if (this.#end > to) break;
      this.#next();
    }
    this.share = inside / (to - from);
  }

  #next(): void {
    const { gap, seconds, level } = this.#spec;
    const random = this.#random;
    if ("mean" in gap) this.#start = this.#end + random.exponential(gap.mean);
    else if ("between" in gap) this.#start = this.#end + random.between(gap.between[0], gap.between[1]);
    else this.#start = !this.#begun ? random.between(gap.onceAt[0], gap.onceAt[1]) : Number.POSITIVE_INFINITY;
    this.#end = this.#start + random.between(seconds[0], seconds[1]);
    this.#level = random.between(level[0], level[1]);
    this.#begun = true;
  }
}
