/** The compact forms that go over the wire and into storage: what is zero or empty is left out. */
import type { RowKey, Tally } from "../analysis/tally.ts";
import type { Batch, Cell, Forward } from "./messages.ts";

/** Fields of a tally that are plain counts. */
export const COUNT_FIELDS = [
  "requests",
  "errors",
  "refused",
  "connect",
  "timeouts",
  "censored",
  "diverted",
  "rescued",
  "units",
  "unitErrors",
  "run",
] as const satisfies readonly (keyof Tally)[];

/** A tally without its zero fields. */
export type WireTally = Partial<Tally>;

/** A cell with a compact tally. */
export interface WireCell {
  row: RowKey;
  /** floor(start / TICK_MS). */
  tick: number;
  tally: WireTally;
}

/** A batch as it is sent. */
export type WireBatch = Omit<Batch, "cells"> & { cells: WireCell[] };

/** A forward as it is sent. */
export type WireForward = Omit<Forward, "cells" | "totals"> & {
  totals: { row: RowKey; tally: WireTally }[];
  cells: WireCell[];
};

/** The tally without its zero fields. Shares its maps with the tally given: send or serialise it, do not keep it. */
export function packTally(t: Tally): WireTally {
  const out: WireTally = {};
  for (const field of COUNT_FIELDS) if (t[field] > 0) out[field] = t[field];
  if (t.visitors.length > 0) out.visitors = t.visitors;
  if (t.sketch !== "") out.sketch = t.sketch;
  if (hasKeys(t.slices)) out.slices = t.slices;
  if (hasKeys(t.latency)) out.latency = t.latency;
  if (hasKeys(t.unitLatency)) out.unitLatency = t.unitLatency;
  return out;
}

/** The cells with compact tallies. */
export function packCells(cells: readonly Cell[]): WireCell[] {
  return cells.map(({ row, tick, tally }) => ({ row, tick, tally: packTally(tally) }));
}

/** A batch as an isolate sends it. */
export function encodeBatch(batch: Batch): WireBatch {
  return { ...batch, cells: packCells(batch.cells) };
}

/** A forward as a shard sends it. */
export function encodeForward(forward: Forward): WireForward {
  return {
    ...forward,
    totals: forward.totals.map(({ row, tally }) => ({ row, tally: packTally(tally) })),
    cells: packCells(forward.cells),
  };
}

function hasKeys(o: object): boolean {
  for (const _ in o) return true;
  return false;
}
