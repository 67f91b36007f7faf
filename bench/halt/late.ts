/** Counts that come late or never: a cohort's tick is held back and added to a later one. */
import type { CohortCounts } from "./cohort.ts";
import { SLICES } from "./plug.ts";
import type { Random } from "./random.ts";
import type { Late } from "./scenario.ts";

/** More ticks than anything is late. */
const RING = 64;

export class LateCounts {
  readonly #late: Late;
  readonly #share: number;
  readonly #random: Random;
  readonly #requests = new Uint32Array(RING);
  readonly #errors = new Uint32Array(RING);
  readonly #slices = new Uint16Array(RING * SLICES);

  constructor(late: Late, share: number, random: Random) {
    this.#late = late;
    this.#share = share;
    this.#random = random;
  }

  /** Takes the counts of this tick away when they are late, and adds those that have come by now. */
  pass(tick: number, counts: CohortCounts): void {
    const random = this.#random;
    if (random.uniform() < this.#share) {
      if (random.uniform() >= this.#late.lost) {
        const [low, high] = this.#late.ticks;
        this.#put((tick + Math.floor(random.between(low, high + 1))) % RING, counts);
      }
      counts.requests = 0;
      counts.errors = 0;
      counts.slices.fill(0);
    }
    this.#take(tick % RING, counts);
  }

  #put(at: number, counts: CohortCounts): void {
    this.#requests[at]! += counts.requests;
    this.#errors[at]! += counts.errors;
    for (let s = 0; s < SLICES; s++) this.#slices[at * SLICES + s]! += counts.slices[s]!;
  }

  #take(at: number, counts: CohortCounts): void {
    counts.requests += this.#requests[at]!;
    counts.errors += this.#errors[at]!;
    for (let s = 0; s < SLICES; s++) counts.slices[s]! += this.#slices[at * SLICES + s]!;
    this.#requests[at] = 0;
    this.#errors[at] = 0;
    this.#slices.fill(0, at * SLICES, (at + 1) * SLICES);
  }
}
