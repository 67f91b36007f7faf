/** Custom events turned into counts: those of one flag, variant, cohort, name and tick together. */
import { observe } from "./histogram.ts";
import type { Where } from "./page.ts";
import { Crowd } from "./sketch.ts";
import { emptyTally, type Tally } from "./tally.ts";

/** Values are kept in the buckets of milliseconds, times so much: from 0.001 to 64. */
const VALUE_SCALE = 1000;

/** What is counted of one event. */
export interface Happening {
  failed: boolean;
  /** Milliseconds. An event has this or a value. */
  ms: number | undefined;
  value: number | undefined;
  /** 32-bit hash of who it happened to. */
  visitor: number | undefined;
}

/** Events that count together. */
export interface Happenings {
  where: Where;
  /** Start of their tick, milliseconds since the epoch. */
  at: number;
  tally: Tally;
}

/** Puts events together, so that a thousand of them are a few counts. */
export class Gathering {
  readonly #groups = new Map<string, Happenings & { crowd: Crowd }>();

  add(where: Where, at: number, { failed, ms, value, visitor }: Happening): void {
    const { variant, release, event, cohort } = where;
    const key = `${at}|${variant}|${release}|${event}|${cohort}`;
    let group = this.#groups.get(key);
    if (!group) {
      group = { where, at, tally: emptyTally(), crowd: new Crowd() };
      this.#groups.set(key, group);
    }
    const { tally, crowd } = group;
    tally.requests++;
    if (failed) tally.errors++;
    if (ms !== undefined) observe(tally.latency, ms);
    if (value !== undefined) observe(tally.latency, value * VALUE_SCALE);
    if (visitor !== undefined) crowd.see(visitor);
  }

  /** What came together. */
  take(): Happenings[] {
    return [...this.#groups.values()].map(({ crowd, ...group }) => {
      group.tally.sketch = crowd.pack();
      return group;
    });
  }
}
