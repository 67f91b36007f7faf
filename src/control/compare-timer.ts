/** Compares what will be complete soon at its time, also when no forward comes by then. */
import type { Decisions } from "./decisions.ts";

/** Between two looks at what has become complete, milliseconds: so as not to be busy with it, nor to be late. */
const SHORTEST_MS = 250;
const LONGEST_MS = 2_000;

export class CompareTimer {
  readonly #decisions: Decisions;
  readonly #decided: (now: number) => void;
  #set = false;

  /** `decided`: something was, by a comparison. */
  constructor(decisions: Decisions, decided: (now: number) => void) {
    this.#decisions = decisions;
    this.#decided = decided;
  }

  /** There may be more to compare. */
  soon(now: number): void {
    const at = this.#set ? undefined : this.#decisions.comparisons.nextCloseAt;
    if (at === undefined) return;
    this.#set = true;
    const wait = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, at - now));
    setTimeout(() => {
      const then = Date.now();
      this.#set = false;
      if (this.#decisions.compare(then)) this.#decided(then);
      this.soon(then);
    }, wait);
  }
}
