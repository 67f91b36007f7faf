/** A rate's usual value: a moving mean over two hours that follows the daily swing. */
import type { StateIo } from "./state-io.ts";

/** Length of the moving mean, seconds. */
const MEAN_S = 7200;

export class Usual {
  #events = 0;
  #items = 0;
  #weight = 0;
  /** Moving mean of the moving mean: the difference of the two is the trend. */
  #later = 0;
  #laterWeight = 0;

  /** Takes a stretch of so many seconds. */
  observe(seconds: number, items: number, events: number): void {
    const keep = Math.exp(-seconds / MEAN_S);
    this.#events = this.#events * keep + events * (1 - keep);
    this.#items = this.#items * keep + items * (1 - keep);
    this.#weight = this.#weight * keep + (1 - keep);
    this.#later = this.#later * keep + this.#mean * (1 - keep);
    this.#laterWeight = this.#laterWeight * keep + (1 - keep);
  }

  /** Events per item now; 0 before anything was seen. */
  get rate(): number {
    const mean = this.#mean;
    if (this.#laterWeight === 0) return mean;
    // The younger the means are, the less their difference says of a trend.
    const trend = this.#weight ** 2 * (mean - this.#later / this.#laterWeight);
    return Math.max(0.4 * mean, mean + trend);
  }

  /** How much of the mean is seen, 0..1. */
  get weight(): number {
    return this.#weight;
  }

  /** Reads or writes the state. */
  visit(io: StateIo): void {
    this.#events = io.number(this.#events);
    this.#items = io.number(this.#items);
    this.#weight = io.number(this.#weight);
    this.#later = io.number(this.#later);
    this.#laterWeight = io.number(this.#laterWeight);
  }

  get #mean(): number {
    return this.#items > 0 ? this.#events / this.#items : 0;
  }
}
