/** The normal distribution. */

/**
 * Quantile of the standard normal distribution; p in (0, 1). Absolute error below 4.5e-4 (Abramowitz and Stegun, 26.2.23):
 * scores need no more, and their tables are made anew every half minute.
 */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  return (
    (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
  );
}
