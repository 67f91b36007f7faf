/** Latency laws as mixtures, and the drawing of whole ticks of them into histogram buckets. */
import { BUCKETS, bucketOf } from "../../src/core/analysis/histogram.ts";
import type { Random } from "./random.ts";

/** One part of a mixture: lognormal, or Pareto from a smallest value on. */
export type Part = { weight: number } & (
  | { medianMs: number; sigma: number }
  | { fromMs: number; alpha: number }
);

/** Weights add up to 1. */
export type Law = readonly Part[];

/** What makes a law worse. All are applied in this order. */
export interface Worse {
  /** Everything takes this many times as long. */
  times?: number;
  /** The slowest share (0..1) takes this many times as long. */
  slowest?: { share: number; times: number };
  /** This share (0..1) of the requests, whichever, takes longer by this, milliseconds. */
  some?: { share: number; plusMs: number };
  /** Everything takes longer by this, milliseconds. */
  plusMs?: number;
}

/** Points of the quantile function by which a part is put into buckets: shares are right to 3e-5. */
const POINTS = 1 << 15;
/** Factors in time are rounded to 2^(1/64), 1 %: a bucket is 9 % wide. */
export const FACTOR_STEPS = 64;
/** The top 7 bits of a word choose a column, the other 25 between its two buckets. */
const COLUMN_BITS = 25;
const FRACTION = 2 ** COLUMN_BITS;

/** A law in buckets, by Walker's and Vose's alias method: one word a draw. */
export interface Alias {
  keep: Uint32Array;
  other: Uint8Array;
}

const cache = new Map<string, Alias>();

/** The law made worse and times 2^(step/64), as an alias table; kept, for the same ones come again. */
export function aliasOf(law: Law, worse: Worse, step: number): Alias {
  const key = `${step} ${JSON.stringify([law, worse])}`;
  let alias = cache.get(key);
  if (alias === undefined) {
    alias = makeAlias(shares(law, worse, 2 ** (step / FACTOR_STEPS)));
    cache.set(key, alias);
  }
  return alias;
}

/** Share of the requests in each bucket. */
export function shares(law: Law, worse: Worse, factor = 1): Float64Array {
  const points: { ms: number; weight: number }[] = [];
  for (const part of law)
    for (let i = 0; i < POINTS; i++)
      points.push({ ms: quantileOf(part, (i + 0.5) / POINTS) * factor, weight: part.weight / POINTS });
  if (worse.slowest) points.sort((a, b) => a.ms - b.ms);
  const into = new Float64Array(BUCKETS);
  let below = 0;
  for (const { ms, weight } of points) {
    let slow = ms * (worse.times ?? 1);
    if (worse.slowest && below >= 1 - worse.slowest.share) slow *= worse.slowest.times;
    below += weight;
    const some = worse.some?.share ?? 0;
    const plus = worse.plusMs ?? 0;
    into[bucketOf(slow + plus)]! += weight * (1 - some);
    if (worse.some) into[bucketOf(slow + plus + worse.some.plusMs)]! += weight * some;
  }
  return into;
}

function quantileOf(part: Part, u: number): number {
  return "alpha" in part
    ? part.fromMs * (1 - u) ** (-1 / part.alpha)
    : part.medianMs * Math.exp(part.sigma * probit(u));
}

/** Normal quantile by Acklam's rational approximation, relative error 1e-9. */
function probit(u: number): number {
  if (u > 0.5) return -probit(1 - u);
  if (u < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(u));
    return (
      (((((-7.784894002430293e-3 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) *
        q +
        4.374664141464968) *
        q +
        2.938163982698783) /
      ((((7.784695709041462e-3 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) *
        q +
        1)
    );
  }
  const q = u - 0.5;
  const r = q * q;
  return (
    ((((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r -
      30.66479806614716) *
      r +
      2.506628277459239) *
      q) /
    (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r -
      13.28068155288572) *
      r +
      1)
  );
}

function makeAlias(share: Float64Array): Alias {
  const keep = new Uint32Array(BUCKETS).fill(FRACTION);
  const other = new Uint8Array(BUCKETS);
  let total = 0;
  for (const s of share) total += s;
  const scaled = Array.from(share, (s) => (s / total) * BUCKETS);
  const small: number[] = [];
  const large: number[] = [];
  for (let i = 0; i < BUCKETS; i++) (scaled[i]! < 1 ? small : large).push(i);
  while (small.length > 0 && large.length > 0) {
    const little = small.pop()!;
    const big = large.at(-1)!;
    keep[little] = Math.round(scaled[little]! * FRACTION);
    other[little] = big;
    scaled[big]! -= 1 - scaled[little]!;
    if (scaled[big]! < 1) small.push(large.pop()!);
  }
  return { keep, other };
}

/** Puts n latencies into the counts, which are emptied first. */
export function fill(counts: Uint32Array, n: number, { keep, other }: Alias, random: Random): void {
  counts.fill(0);
  for (let i = 0; i < n; i++) {
    const word = random.word();
    const column = word >>> COLUMN_BITS;
    const bucket = (word & (FRACTION - 1)) < keep[column]! ? column : other[column]!;
    counts[bucket]! += 1;
  }
}
