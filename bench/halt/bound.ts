/** The fewest requests of green that a sequential test of this level can need on average, whoever writes it. */
import { shares } from "./latency.ts";
import type { Scenario } from "./scenario.ts";

/** Level of the test: the chance of a false halt in a whole rollout. */
export const ALPHA = 0.001;

/**
 * ln(1/alpha) over the information in one request of green and in the requests of blue that come with it:
 *
 *   bound = ln(1/alpha) / (KL(green || pooled) + (1-w)/w · KL(blue || pooled)),  pooled = w·green + (1-w)·blue
 *
 * A test of power one needs E[T] >= ln(1/alpha) / KL to the nearest hypothesis of the null (Wald 1945 for the
 * expected sample size; Robbins 1970, Lorden 1971 for one-sided tests of power one). The null is "both have the
 * same law", whichever; nearest to the truth is the mixture of the two (the minimiser of n_g·KL + n_b·KL).
 *
 * @param green, blue probability of each outcome
 * @param w green's share of the requests, 0..1
 */
export function bound(green: ArrayLike<number>, blue: ArrayLike<number>, w: number): number {
  let information = 0;
  for (let i = 0; i < green.length; i++) {
    const pooled = w * green[i]! + (1 - w) * blue[i]!;
    information += divergence(green[i]!, pooled) + ((1 - w) / w) * divergence(blue[i]!, pooled);
  }
  return -Math.log(ALPHA) / information;
}

function divergence(p: number, q: number): number {
  return p > 0 ? p * Math.log(p / q) : 0;
}

/** The bound of a scenario in which green changes; undefined where requests are not independent, or green is fine. */
export function boundOf({ change, errorRate, latency, noise, stages }: Scenario): number | undefined {
  if (change === undefined || noise !== undefined) return undefined;
  const w = stages[0]!.share;
  if (change.latency && latency)
    return bound(shares(latency.law, change.latency), shares(latency.law, {}), w);
  const bad = change.errorRate ?? errorRate;
  return bound([bad, 1 - bad], [errorRate, 1 - errorRate], w);
}
