/**
 * Batches and forwards checked and completed by hand: zeros come back, the previous version is understood, and
 * anything else is refused with a TypeError that says what. By hand, because a shard does it for every batch.
 *
 * Version 1 is version 2 without `slices` and `run` in a tally and without `inFlight`; it gives the same sums.
 */
import { BUCKETS } from "../analysis/histogram.ts";
import { isSketch, type Sketch } from "../analysis/sketch.ts";
import {
  emptyTally,
  MAX_VISITORS,
  type RowKey,
  rowId,
  rowKey,
  SLICES,
  type Tally,
} from "../analysis/tally.ts";
import { countOf, type Fields, fieldsOf, listOf, refuse, sparseOf, textOf } from "./check.ts";
import { COUNT_FIELDS } from "./encode.ts";
import {
  type Batch,
  type Cell,
  type Forward,
  type InFlight,
  type SeenEdit,
  WIRE_VERSION,
} from "./messages.ts";

/** Cells in one batch, at most: 100 rows over 200 ticks. */
export const MAX_CELLS = 20_000;
/** Cells or rows in one forward, at most: those of many isolates, merged. */
const MAX_FORWARD = 500_000;
/** Length of an isolate's or shard's name and of a hash, characters. */
const MAX_NAME = 128;
/** Length of a row key, characters: three names of 64 with two words and four bars need 212. */
const MAX_ROW = 256;
/** Visitors are 12-bit hashes. */
const MAX_VISITOR = 4095;
/** The version without slices, runs and requests in flight. */
const VERSION_1 = WIRE_VERSION - 1;

/** A batch of this or the previous version, completed; throws a TypeError on anything else. */
export function decodeBatch(value: unknown): Batch {
  const given = fieldsOf(value, "batch");
  const v = versionOf(given, "batch");
  const statusOnly = given.statusOnly === true;
  const batch: Batch = {
    v: WIRE_VERSION,
    isolate: textOf(given.isolate, "batch.isolate", MAX_NAME),
    seq: countOf(given.seq, "batch.seq"),
    cells: cellsOf(given.cells, "batch.cells", MAX_CELLS, v),
    inFlight: v === VERSION_1 ? [] : inFlightOf(given.inFlight, "batch.inFlight", MAX_CELLS),
    revision: countOf(given.revision, "batch.revision"),
    lost: countOf(given.lost ?? 0, "batch.lost"),
  };
  if (given.edit !== undefined) batch.edit = editOf(given.edit);
  if (statusOnly) batch.statusOnly = true;
  else if (batch.seq === 0) refuse("batch.seq", "1 or more in a batch that counts");
  return batch;
}

/** A forward of this or the previous version, completed; throws a TypeError on anything else. */
export function decodeForward(value: unknown): Forward {
  const given = fieldsOf(value, "forward");
  const v = versionOf(given, "forward");
  const forward: Forward = {
    v: WIRE_VERSION,
    shard: textOf(given.shard, "forward.shard", MAX_NAME),
    base: countOf(given.base, "forward.base"),
    version: countOf(given.version, "forward.version"),
    totals: listOf(given.totals, "forward.totals", MAX_FORWARD).map((item, i) => {
      const at = `forward.totals[${i}]`;
      const total = fieldsOf(item, at);
      return { row: rowOf(total.row, at), tally: decodeTally(total.tally, at, v) };
    }),
    cells: cellsOf(given.cells, "forward.cells", MAX_FORWARD, v),
    inFlight: v === VERSION_1 ? [] : inFlightOf(given.inFlight, "forward.inFlight", MAX_FORWARD),
    lost: countOf(given.lost ?? 0, "forward.lost"),
    isolates: countOf(given.isolates ?? 0, "forward.isolates"),
  };
  if (given.revision !== undefined) forward.revision = countOf(given.revision, "forward.revision");
  if (typeof given.sampling === "number" && given.sampling > 0 && given.sampling < 1) {
    forward.sampling = given.sampling;
  }
  return forward;
}

/** A tally in compact form, completed; a copy that shares nothing with what was given. */
export function decodeTally(value: unknown, path: string, v: number = WIRE_VERSION): Tally {
  const given = fieldsOf(value, path);
  const tally = emptyTally();
  for (const field of COUNT_FIELDS) {
    if (given[field] !== undefined) tally[field] = countOf(given[field], `${path}.${field}`);
  }
  if (given.visitors !== undefined) tally.visitors = visitorsOf(given.visitors, `${path}.visitors`);
  if (given.sketch !== undefined) tally.sketch = sketchOf(given.sketch, `${path}.sketch`);
  if (given.slices !== undefined) tally.slices = sparseOf(given.slices, `${path}.slices`, SLICES);
  if (given.latency !== undefined) tally.latency = sparseOf(given.latency, `${path}.latency`, BUCKETS);
  if (given.unitLatency !== undefined)
    tally.unitLatency = sparseOf(given.unitLatency, `${path}.unitLatency`, BUCKETS);
  if (v === VERSION_1) {
    tally.run = 0;
    tally.slices = {};
  }
  return tally;
}

/** Cells in compact form, completed. */
export function cellsOf(value: unknown, path: string, most: number, v: number = WIRE_VERSION): Cell[] {
  return listOf(value, path, most).map((item, i) => {
    const at = `${path}[${i}]`;
    const cell = fieldsOf(item, at);
    return {
      row: rowOf(cell.row, at),
      tick: countOf(cell.tick, `${at}.tick`),
      tally: decodeTally(cell.tally, at, v),
    };
  });
}

function versionOf(given: Fields, path: string): number {
  const { v } = given;
  if (v !== WIRE_VERSION && v !== VERSION_1)
    refuse(`${path}.v`, `wire version ${VERSION_1} or ${WIRE_VERSION}`);
  return v;
}

function rowOf(value: unknown, path: string): RowKey {
  const row = textOf(value, `${path}.row`, MAX_ROW);
  const id = rowId(row);
  const { flag, release, cohort, variant, placement } = id;
  if (flag === "" || release === "" || cohort === "") refuse(`${path}.row`, "flag, release and cohort");
  if (variant !== "blue" && variant !== "green") refuse(`${path}.row`, "the variant blue or green");
  if (placement !== "hash" && placement !== "address" && placement !== "match") {
    refuse(`${path}.row`, "the placement hash, address or match");
  }
  if (rowKey(id) !== row) refuse(`${path}.row`, "five parts");
  return row;
}

function inFlightOf(value: unknown, path: string, most: number): InFlight[] {
  return listOf(value ?? [], path, most).map((item, i) => {
    const at = `${path}[${i}]`;
    const { row, count, oldestMs } = fieldsOf(item, at);
    return {
      row: rowOf(row, at),
      count: countOf(count, `${at}.count`),
      oldestMs: ageOf(oldestMs, `${at}.oldestMs`),
    };
  });
}

/** A clock that was set back makes an age negative; that is no reason to lose the batch. */
function ageOf(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) refuse(path, "a number of milliseconds");
  return Math.max(0, Math.round(value));
}

function visitorsOf(value: unknown, path: string): number[] {
  const given = listOf(value, path, MAX_VISITORS).map((v, i) => countOf(v, `${path}[${i}]`, MAX_VISITOR));
  return [...new Set(given)].sort((a, b) => a - b);
}

function sketchOf(value: unknown, path: string): Sketch {
  if (!isSketch(value)) refuse(path, "a sketch");
  return value;
}

function editOf(value: unknown): SeenEdit {
  const { hash, at } = fieldsOf(value, "batch.edit");
  return { hash: textOf(hash, "batch.edit.hash", MAX_NAME), at: countOf(at, "batch.edit.at") };
}
