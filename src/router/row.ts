/** One row of counters in the memory of an isolate: its tallies by the tick in which requests started. */

import { Crowd, mergeSketches } from "../core/analysis/sketch.ts";
import { emptyTally, type RowId, rowKey, type Tally } from "../core/analysis/tally.ts";
import { TICK_MS } from "../core/wire/messages.ts";
import { UnitCap } from "./unit-cap.ts";

/** One row of counters in this isolate. */
export class Row {
  readonly key: string;
  readonly id: RowId;
  /** Failures in a row, in order of completion; shared by the placements of a cohort. */
  readonly streak: { length: number };
  /** Caps what one visitor weighs in comparisons; only visitors placed by the hash are compared. */
  readonly cap: UnitCap | undefined;
  /** In the recorder's list of rows that hold something? */
  listed = false;
  /** By tick. */
  readonly cells = new Map<number, Tally>();
  /** Who was there, by tick. */
  readonly #crowds = new Map<number, Crowd>();
  #tick = -1;
  #tally: Tally | undefined;
  #crowd: Crowd | undefined;

  constructor(id: RowId, streak: { length: number }) {
    this.id = id;
    this.key = rowKey(id);
    this.streak = streak;
    this.cap = id.placement === "hash" ? new UnitCap() : undefined;
  }

  /** The tally of the tick in which a request started. */
  at(startedAt: number): Tally {
    const tick = Math.floor(startedAt / TICK_MS);
    if (tick === this.#tick && this.#tally) return this.#tally;
    let tally = this.cells.get(tick);
    if (!tally) {
      tally = emptyTally();
      this.cells.set(tick, tally);
    }
    this.#tick = tick;
    this.#tally = tally;
    this.#crowd = this.#crowds.get(tick);
    if (!this.#crowd) {
      this.#crowd = new Crowd();
      this.#crowds.set(tick, this.#crowd);
    }
    return tally;
  }

  /** Notes a visitor, a 32-bit hash, in the tick that `at` was asked for last. */
  see(visitor: number): void {
    this.#crowd?.see(visitor);
  }

  /** Gives the cells away. */
  take(): Map<number, Tally> {
    const taken = new Map(this.cells);
    for (const [tick, crowd] of this.#crowds) {
      const tally = taken.get(tick);
      if (tally) tally.sketch = mergeSketches(tally.sketch, crowd.pack());
    }
    this.#crowds.clear();
    this.cells.clear();
    this.#tally = undefined;
    this.#crowd = undefined;
    return taken;
  }
}
