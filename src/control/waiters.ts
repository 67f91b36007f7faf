/** Calls that wait for something to change, each for so long and no longer, and only so many at a time. */

/** More than these are not kept waiting: each holds a call of the object open. */
const MOST = 100;
/** Nobody waits longer, milliseconds: a caller that is gone must not be waited for. */
const LONGEST_MS = 25_000;

export class Waiters {
  readonly #waiting = new Set<() => void>();

  /** How many wait now. */
  get count(): number {
    return this.#waiting.size;
  }

  /** Resolves at the next change, after `ms` milliseconds at the latest; at once where too many wait already. */
  wait(ms: number): Promise<void> {
    if (this.#waiting.size >= MOST || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(ms, LONGEST_MS));
      this.#waiting.add(end);
    });
  }

  /** Something has changed. */
  wake(): void {
    for (const end of [...this.#waiting]) end();
  }
}
