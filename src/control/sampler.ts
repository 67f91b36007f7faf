/** Asks for counts of a part of the isolates only, when batches come faster than one object can take. */

/** Rates are measured over so long, milliseconds. */
const SPAN_MS = 5_000;
/** Above so many counted batches a second the share halves: an object takes 200 to 500 calls with a write. */
const HIGH = 300;
/** Below so many it doubles again; less than half of HIGH, so that it does not swing. */
const LOW = 120;
/** Never below this share. */
const LEAST = 1 / 64;

export class Sampler {
  #share = 1;
  #from = 0;
  #seen = 0;

  /** One more batch, at `now` (milliseconds); one that asks for the status only is not counted, but time goes on. */
  saw(now: number, counted: boolean): void {
    const elapsed = now - this.#from;
    if (elapsed >= SPAN_MS) {
      const rate = (this.#seen * 1000) / elapsed;
      if (rate > HIGH) this.#share = Math.max(LEAST, this.#share / 2);
      else if (rate < LOW) this.#share = Math.min(1, this.#share * 2);
      this.#from = now;
      this.#seen = 0;
    }
    if (counted) this.#seen++;
  }

  /** Share of isolates (0..1] that shall send counts. */
  get share(): number {
    return this.#share;
  }
}
