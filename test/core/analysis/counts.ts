/** Builders of counts for the tests of the analysis: what is not said is zero. */
import { observe, type SparseHistogram } from "../../../src/core/analysis/histogram.ts";
import { emptyTally, type RowId, rowId, rowKey, type Tally } from "../../../src/core/analysis/tally.ts";
import { newWindow, takeCell, type Window } from "../../../src/core/analysis/window.ts";
import { type Flag, type FlagInput, flagSchema } from "../../../src/core/flag/schema.ts";
import { TICK_MS } from "../../../src/core/wire/messages.ts";

/** A moment at the start of a tick, milliseconds since the epoch. */
export const NOW = 1_800_000_000_000;

export const TICK = NOW / TICK_MS;

export function tally(parts: Partial<Tally>): Tally {
  return { ...emptyTally(), ...parts };
}

export function row(parts: Partial<RowId> = {}): string {
  return rowKey({ flag: "f", release: "1.0", cohort: "ga", variant: "green", placement: "hash", ...parts });
}

/** A window that holds the counts given for rows of the present tick. */
export function windowOf(...counts: [Partial<RowId>, Partial<Tally>][]): Window {
  const window = newWindow();
  for (const [parts, t] of counts) add(window, parts, t);
  return window;
}

/** Adds counts to a window, `ticks` before the present tick. */
export function add(window: Window, parts: Partial<RowId>, t: Partial<Tally>, ticks = 1): boolean {
  const key = row(parts);
  return takeCell(window, rowId(key), { row: key, tick: TICK - ticks, tally: tally(t) }, NOW);
}

export function flag(rules: NonNullable<FlagInput["rules"]>): Flag {
  return flagSchema.parse({ state: "canary", percentage: 10, release: "1.0", rules });
}

/** `n` latencies of `ms` milliseconds. */
export function latencies(...groups: [n: number, ms: number][]): SparseHistogram {
  const h: SparseHistogram = {};
  for (const [n, ms] of groups) for (let i = 0; i < n; i++) observe(h, ms);
  return h;
}
