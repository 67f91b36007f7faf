/**
 * What is counted for one flag, release, cohort, variant and way of placement, and how two such counts merge.
 * It refuses to know about time: windows and ticks are kept by their owners.
 */
import type { SparseHistogram } from "./histogram.ts";
import { mergeHistograms } from "./histogram.ts";
import { mergeSketches, type Sketch } from "./sketch.ts";

export type Variant = "blue" | "green";

/**
 * How the visitor came to the variant.
 * - `hash`: placed by the hash of an id of their own; the only ones that enter the comparison of green with blue.
 * - `address`: no cookie yet, placed by the hash of address and user agent; stays out of comparisons.
 * - `match`: placed by a cohort's member list (staff, testers); checked by absolute rules, never compared.
 */
export type Placement = "hash" | "address" | "match";

/** Outcome of one request, as docs/architecture.md and the design count it. */
export type Outcome =
  | "success" // response below 500 that the flag does not list as an error
  | "error" // 5xx or a listed status
  | "connect" // refused, reset, DNS, TLS; 520 to 530
  | "timeout" // no headers in time
  | "censored"; // the visitor went away before the headers

/** Names one row of counters. No part may hold `|`: the schema of the flag document sees to it. */
export interface RowId {
  flag: string;
  release: string;
  cohort: string;
  variant: Variant;
  placement: Placement;
}

/** Cohort of the copies that green gets in shadow: no visitor is ever in it, and nothing is judged by it. */
export const SHADOW_COHORT = "shadow";

/** `flag|release|cohort|variant|placement`, the key of a row everywhere. */
export type RowKey = string;

/** Number of slices (every sixteenth bucket) by which blue's errors are kept: they show whether failures come in clusters. */
export const SLICES = 16;

/** Distinct failing visitors are kept as 12-bit hashes; so many at most, enough to tell "3 or more". */
export const MAX_VISITORS = 32;

/** Counts. All but `run`, `visitors` and `sketch` are nonnegative integers that merge by addition. */
export interface Tally {
  /** Requests that this variant was really asked for and whose outcome is known; censored ones included. */
  requests: number;
  /** Responses of 5xx or a listed status. */
  errors: number;
  /** Responses of 400 to 499 that are no errors; not part of `errors`. */
  refused: number;
  /** Connect errors. */
  connect: number;
  /** No headers in time, or the visitor left after `slowAfter`. */
  timeouts: number;
  /** The visitor left before the headers (not counted as failure). */
  censored: number;
  /** Meant for this variant (green), sent to blue by an open breaker; not part of `requests`. */
  diverted: number;
  /** Failures of this variant (green) that blue answered; part of the failures above. */
  rescued: number;
  /** Comparison units: visitor-minutes seen by an isolate (placement `hash` only). */
  units: number;
  /** Comparison units in which the visitor had at least one failure (placement `hash` only). */
  unitErrors: number;
  /** Longest run of failures in order of completion that one isolate saw, ended or still going. Merges by max. */
  run: number;
  /** 12-bit hashes of distinct visitors that failed (or, for diverted, were diverted); sorted, at most MAX_VISITORS. */
  visitors: number[];
  /** Distinct visitors of all requests and diversions: `distinctIn` says how many. In cells only, not in totals. */
  sketch: Sketch;
  /** Failures (unit errors) by slice: bucket modulo 16. Sparse: absent slices are 0. */
  slices: Record<number, number>;
  /** Milliseconds until headers; timeouts and censored requests enter with the time waited. */
  latency: SparseHistogram;
  /** The same of the first request of each unit: what comparisons look at, or one busy client would speak for all. */
  unitLatency: SparseHistogram;
}

/** A tally with nothing in it. */
export function emptyTally(): Tally {
  return {
    requests: 0,
    errors: 0,
    refused: 0,
    connect: 0,
    timeouts: 0,
    censored: 0,
    diverted: 0,
    rescued: 0,
    units: 0,
    unitErrors: 0,
    run: 0,
    visitors: [],
    sketch: "",
    slices: {},
    latency: {},
    unitLatency: {},
  };
}

/** Adds `from` into `into` and returns it. Commutative and associative. */
export function addTally(into: Tally, from: Tally): Tally {
  into.requests += from.requests;
  into.errors += from.errors;
  into.refused += from.refused;
  into.connect += from.connect;
  into.timeouts += from.timeouts;
  into.censored += from.censored;
  into.diverted += from.diverted;
  into.rescued += from.rescued;
  into.units += from.units;
  into.unitErrors += from.unitErrors;
  into.run = Math.max(into.run, from.run);
  if (from.visitors.length > 0) into.visitors = mergeVisitors(into.visitors, from.visitors);
  if (from.sketch !== "") into.sketch = mergeSketches(into.sketch, from.sketch);
  for (const slice in from.slices) into.slices[slice] = (into.slices[slice] ?? 0) + from.slices[slice]!;
  mergeHistograms(into.latency, from.latency);
  mergeHistograms(into.unitLatency, from.unitLatency);
  return into;
}

/** Smallest MAX_VISITORS of the union, sorted: which ones are kept does not depend on the order of merging. */
export function mergeVisitors(a: readonly number[], b: readonly number[]): number[] {
  return [...new Set([...a, ...b])].sort((x, y) => x - y).slice(0, MAX_VISITORS);
}

/** Real failures of the variant: errors, connect errors and timeouts. */
export function failures(t: Tally): number {
  return t.errors + t.connect + t.timeouts;
}

/** Row key of an id. */
export function rowKey(id: RowId): RowKey {
  return `${id.flag}|${id.release}|${id.cohort}|${id.variant}|${id.placement}`;
}

/** Inverse of `rowKey`. */
export function rowId(key: RowKey): RowId {
  const [flag = "", release = "", cohort = "", variant, placement] = key.split("|");
  return { flag, release, cohort, variant: variant as Variant, placement: placement as Placement };
}
