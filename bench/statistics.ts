/** Order statistics of a handful of rounds, and how sure a share is. */

/** The q-quantile (0..1) of the values, nearest rank; NaN without values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The values in an order that is different each time. */
export function shuffled<T>(values: readonly T[]): T[] {
  const keyed = values.map((value) => ({ value, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
}

/** Normal quantile of a 95 % interval. */
const Z_95 = 1.96;

/** Wilson's 95 % interval of a share that showed up `hits` times in `n` trials; 0..1 without trials. */
export function wilson(hits: number, n: number): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 };
  const z2 = Z_95 * Z_95;
  const middle = (hits + z2 / 2) / (n + z2);
  const half = (Z_95 / (n + z2)) * Math.sqrt((hits * (n - hits)) / n + z2 / 4);
  // Rounding must not make a hair of what is exactly nothing or everything.
  return { low: hits === 0 ? 0 : middle - half, high: hits === n ? 1 : middle + half };
}
