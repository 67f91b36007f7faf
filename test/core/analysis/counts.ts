/** Builders of counts for the tests of the analysis: what is not said is zero. */
import type { ComparisonView } from "../../../src/core/analysis/comparing.ts";
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

/** Adds counts to a window, `ticks` before the tick of `now`. */
export function add(window: Window, parts: Partial<RowId>, t: Partial<Tally>, ticks = 1, now = NOW): boolean {
  const key = row(parts);
  const tick = Math.floor(now / TICK_MS) - ticks;
  return takeCell(window, rowId(key), { row: key, tick, tally: tally(t) }, now);
}

export function flag(rules: NonNullable<FlagInput["rules"]>): Flag {
  return flagSchema.parse({ state: "canary", percentage: 10, release: "1.0", rules });
}

/** A comparison in which nothing has happened yet, but for what is said. */
export function view(parts: Partial<ComparisonView> = {}): ComparisonView {
  return {
    evidence: 1,
    errors: 1,
    latency: 1,
    threshold: 1000,
    unhealthy: false,
    leading: "errors",
    peer: "blue",
    blue: { requests: 0, errors: 0 },
    green: { requests: 0, errors: 0 },
    knownMs: 0,
    strength: 1,
    ...parts,
  };
}

/** `n` latencies of `ms` milliseconds. */
export function latencies(...groups: [n: number, ms: number][]): SparseHistogram {
  const h: SparseHistogram = {};
  for (const [n, ms] of groups) for (let i = 0; i < n; i++) observe(h, ms);
  return h;
}
