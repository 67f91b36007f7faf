/**
 * Latency histogram: base-2 exponential, scale 3 (bucket bounds 2^(i/8) seconds), the OpenTelemetry exponential
 * histogram and Prometheus native-histogram schema 3. Merge is addition; a quantile is off by less than 4.5 %.
 */

/** Buckets of the dense form. Bucket i holds seconds in (2^((i-80)/8), 2^((i-79)/8)]: about 1 ms to 64 s. */
export const BUCKETS = 128;

/** Dense index = OpenTelemetry index + OFFSET. */
const OFFSET = 80;

/** Upper bound of the relative error of a quantile: the geometric middle of a bucket is at most 2^(1/16) away. */
export const QUANTILE_ERROR = 2 ** (1 / 16) - 1;

/** Dense bucket index (0..127) to count (positive integer). */
export type SparseHistogram = Record<number, number>;

/** Bucket of a latency in milliseconds; what lies outside 1 ms..64 s goes into the first or the last bucket. */
export function bucketOf(ms: number): number {
  if (!(ms > 0)) return 0;
  const index = Math.ceil(Math.log2(ms / 1000) * 8) - 1 + OFFSET;
  return index < 0 ? 0 : index >= BUCKETS ? BUCKETS - 1 : index;
}

/** Upper bound of bucket i, in milliseconds. */
export function upperBoundMs(i: number): number {
  return 1000 * 2 ** ((i - OFFSET + 1) / 8);
}

/** Counts one latency (milliseconds). */
export function observe(h: SparseHistogram, ms: number): void {
  const i = bucketOf(ms);
  h[i] = (h[i] ?? 0) + 1;
}

/** Adds `from` into `into` and returns it. */
export function mergeHistograms(into: SparseHistogram, from: SparseHistogram): SparseHistogram {
  for (const i in from) into[i] = (into[i] ?? 0) + from[i]!;
  return into;
}

/** Number of values in the histogram. */
export function countOf(h: SparseHistogram): number {
  let n = 0;
  for (const i in h) n += h[i]!;
  return n;
}

/**
 * The q-quantile (0..1) in milliseconds: geometric middle of the bucket that holds the value of rank ceil(q·n);
 * undefined when the histogram is empty. Relative error below QUANTILE_ERROR inside 1 ms..64 s.
 */
export function quantileMs(h: SparseHistogram, q: number): number | undefined {
  const n = countOf(h);
  if (n === 0) return undefined;
  const rank = Math.max(1, Math.ceil(q * n));
  let seen = 0;
  // Integer keys of an object come in ascending order.
  for (const i in h) {
    seen += h[i]!;
    if (seen >= rank) return upperBoundMs(Number(i)) / 2 ** (1 / 16);
  }
  return undefined;
}

/**
 * Mean in milliseconds, each value taken for the geometric middle of its bucket; undefined when the histogram is empty.
 * As each value is off by less than QUANTILE_ERROR inside 1 ms..64 s, so is the mean; over many buckets by far less.
 */
export function meanMs(h: SparseHistogram): number | undefined {
  let n = 0;
  let sum = 0;
  for (const i in h) {
    n += h[i]!;
    sum += h[i]! * (upperBoundMs(Number(i)) / 2 ** (1 / 16));
  }
  return n === 0 ? undefined : sum / n;
}
