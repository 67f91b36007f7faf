/** A factor around 1 that wanders: the exponential of an Ornstein-Uhlenbeck process, with mean 1. */
import type { Random } from "./random.ts";

/** The factor moves once in so many seconds: correlation times are minutes. */
const STEP_S = 10;

export class Wander {
  readonly #random: Random;
  readonly #sigma: number;
  readonly #kept: number;
  #x: number;
  #factor = 1;
  #sinceS = 0;

  /** Relative standard deviation of the factor, and its correlation time in seconds; starts in equilibrium. */
  constructor(sd: number, tauS: number, random: Random) {
    this.#random = random;
    this.#sigma = Math.sqrt(Math.log1p(sd * sd));
    this.#kept = Math.exp(-STEP_S / tauS);
    this.#x = random.normal();
    this.#exponentiate();
  }

  /** The factor of a span of so many seconds. */
  advance(seconds: number): number {
    this.#sinceS += seconds;
    if (this.#sinceS >= STEP_S) {
      this.#sinceS -= STEP_S;
      const kept = this.#kept;
      this.#x = this.#x * kept + Math.sqrt(1 - kept * kept) * this.#random.normal();
      this.#exponentiate();
    }
    return this.#factor;
  }

  #exponentiate(): void {
    this.#factor = Math.exp(this.#sigma * this.#x - (this.#sigma * this.#sigma) / 2);
  }
}
