/**
 * The scores of the latency bets: for every bucket of the histogram what a latency in it is worth, made from blue's
 * latencies of the last minutes and fixed before they are used.
 */
import { BUCKETS } from "./histogram.ts";
import { normalQuantile } from "./normal.ts";

/** Green may be slower by this part of a bucket (a bucket is 9 %): practically equal is equal. */
const MARGIN = 0.6;

/** Tilts of the normal score: everything is slower, by about as many standard deviations. */
export const TILTS: readonly number[] = [0.4, 0.8, 1.6];

/** The slowest requests of blue, from this quantile on, are so many times as likely in green (odds). */
export const STEPS: readonly { quantile: number; odds: number }[] = [
  { quantile: 0.9, odds: 3 },
  { quantile: 0.95, odds: 4 },
  { quantile: 0.99, odds: 5 },
  { quantile: 0.99, odds: 15 },
  { quantile: 0.999, odds: 30 },
];

/** Quantiles whose exceedances show how blue's slow requests scatter: the bulk of them, and the rare ones. */
export const TAILS: readonly number[] = [0.95, 0.99];

/** Where latencies hardly differ (buckets²), a small shift takes most of them over a bound: the margin is a whole bucket. */
const NARROW = 4;

/** Scores are cut off here, standard deviations: one request never says more. */
const MOST_Z = 3;

/** Below so many latencies of blue nothing is said. */
export const MIN_KNOWN = 200;

export class Scores {
  /** Normal score of each bucket for green: blue's with the margin. */
  readonly z = new Float64Array(BUCKETS);
  /** e^(tilt · z) by tilt and bucket. */
  readonly blueTilts = TILTS.map(() => new Float64Array(BUCKETS));
  readonly greenTilts = TILTS.map(() => new Float64Array(BUCKETS));
  /** First bucket beyond each step's quantile, and beyond each tail's. */
  readonly steps = STEPS.map(() => BUCKETS);
  readonly tails = TAILS.map(() => BUCKETS);
  /** By how much green may be slower, buckets. */
  margin = MARGIN;
  /** Variance of a latency of blue, in buckets². */
  variance = 0;
  /** Is enough known of blue? */
  known = false;

  /** Makes all scores from blue's latencies. */
  make(latencies: Float64Array): void {
    let n = 0;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < BUCKETS; i++) {
      n += latencies[i]!;
      sum += latencies[i]! * i;
      squares += latencies[i]! * i * i;
    }
    if (n < MIN_KNOWN) return;
    this.known = true;
    // All in one bucket have the bucket's own width left.
    this.variance = Math.max(1, squares / n - (sum / n) ** 2);
    this.margin = this.variance < NARROW ? 1 : MARGIN;
    this.#tilt(latencies, n);
    for (let s = 0; s < STEPS.length; s++) this.steps[s] = beyond(latencies, n, STEPS[s]!.quantile);
    for (let t = 0; t < TAILS.length; t++) this.tails[t] = beyond(latencies, n, TAILS[t]!);
  }

  #tilt(latencies: Float64Array, n: number): void {
    let below = 0;
    let before = -MOST_Z;
    for (let i = 0; i < BUCKETS; i++) {
      const middle = (below + latencies[i]! / 2 + 0.5) / (n + 1);
      below += latencies[i]!;
      const z = Math.max(-MOST_Z, Math.min(MOST_Z, normalQuantile(middle)));
      this.z[i] = z * (1 - this.margin) + before * this.margin;
      before = z;
      for (let t = 0; t < TILTS.length; t++) {
        this.blueTilts[t]![i] = Math.exp(TILTS[t]! * z);
        this.greenTilts[t]![i] = Math.exp(TILTS[t]! * this.z[i]!);
      }
    }
  }
}

/** First bucket beyond the quantile: what lies in it and above is at most the rest of the latencies. */
function beyond(latencies: Float64Array, n: number, quantile: number): number {
  const most = n * (1 - quantile);
  let from = BUCKETS;
  let sum = 0;
  while (from > 0 && sum + latencies[from - 1]! <= most) sum += latencies[--from]!;
  return Math.min(from, BUCKETS - 1);
}
