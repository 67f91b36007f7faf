/** Latency laws that the scenarios start from. */
import type { Law } from "./latency.ts";

/** A page that is computed each time: median 120 ms, p95 320 ms. */
export const LOGNORMAL: Law = [{ weight: 1, medianMs: 120, sigma: 0.6 }];

/** A cache in front: four in five are answered in 15 ms, the others in 250. */
export const TWO_HUMPS: Law = [
  { weight: 0.8, medianMs: 15, sigma: 0.4 },
  { weight: 0.2, medianMs: 250, sigma: 0.5 },
];

/** One in ten waits for something with a Pareto tail: p99.9 lies at 13 s, the mean hangs on a handful of requests. */
export const HEAVY_TAIL: Law = [
  { weight: 0.9, medianMs: 80, sigma: 0.5 },
  { weight: 0.1, fromMs: 200, alpha: 1.1 },
];
