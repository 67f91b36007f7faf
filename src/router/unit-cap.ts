/**
 * Caps what one visitor can weigh: per row and minute a visitor counts once, and fails at most once. Two bitmaps over
 * 16 bits of the visitor's hash; visitors that share them count as one, on blue as on green.
 */

const MINUTE_MS = 60_000;
const WORDS = 65_536 / 32;

export class UnitCap {
  #minute = -1;
  readonly #seen = new Uint32Array(WORDS);
  readonly #failed = new Uint32Array(WORDS);

  /** Is this the visitor's first request of the minute? `visitor` is a 32-bit hash, `now` in milliseconds. */
  see(visitor: number, now: number): boolean {
    return this.#first(this.#seen, visitor, now);
  }

  /** Is this the visitor's first failure of the minute? */
  fail(visitor: number, now: number): boolean {
    return this.#first(this.#failed, visitor, now);
  }

  #first(bits: Uint32Array, visitor: number, now: number): boolean {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#seen.fill(0);
      this.#failed.fill(0);
    }
    const index = visitor >>> 16;
    const word = index >>> 5;
    const mask = 1 << (index & 31);
    if ((bits[word]! & mask) !== 0) return false;
    bits[word]! |= mask;
    return true;
  }
}
