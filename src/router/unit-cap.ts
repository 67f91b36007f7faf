/**
 * Caps what one visitor can weigh: per row and minute a visitor counts once, and fails at most once. What it needs
 * grows with the visitors of a minute, so that a row with few of them, of which there may be thousands, costs little.
 */

const MINUTE_MS = 60_000;
/** More visitors of one minute than an isolate can serve; beyond, nobody new is counted. */
const MOST = 200_000;

export class UnitCap {
  #minute = -1;
  readonly #seen = new Set<number>();
  readonly #failed = new Set<number>();

  /** Is this the visitor's first request of the minute? `visitor` is a 32-bit hash, `now` in milliseconds. */
  see(visitor: number, now: number): boolean {
    return this.#first(this.#seen, visitor, now);
  }

  /** Is this the visitor's first failure of the minute? */
  fail(visitor: number, now: number): boolean {
    return this.#first(this.#failed, visitor, now);
  }

  #first(visitors: Set<number>, visitor: number, now: number): boolean {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#seen.clear();
      this.#failed.clear();
    }
    if (visitors.has(visitor) || visitors.size >= MOST) return false;
    visitors.add(visitor);
    return true;
  }
}
