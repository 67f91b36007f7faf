/**
 * Do visitors leave green before it answers more often than they leave blue? Who leaves is no failure, but a green that
 * makes people leave is not healthy either: it holds the rollout and is never halted for it.
 */
import type { Finding } from "./rules.ts";
import type { Samples } from "./window.ts";
import { count, percent } from "./words.ts";

/** Requests of each side below which nothing is said. */
const MIN_REQUESTS = 50;
/** Green's share must be above blue's by so much … */
const MIN_DIFFERENCE = 0.05;
/** … and by so many standard deviations: it is looked at every second or two, and visitors leave in clusters. */
const SIGMAS = 5;

/** The finding, where there is something to find, among visitors placed by the hash. */
export function goingAway({ green, blue }: Samples): Finding | undefined {
  const [g, b] = [green.hash, blue.hash];
  if (g.requests < MIN_REQUESTS || b.requests < MIN_REQUESTS) return undefined;
  const [greenRate, blueRate] = [g.censored / g.requests, b.censored / b.requests];
  const pooled = (g.censored + b.censored) / (g.requests + b.requests);
  const chance = Math.sqrt(pooled * (1 - pooled) * (1 / g.requests + 1 / b.requests));
  if (greenRate - blueRate < Math.max(MIN_DIFFERENCE, SIGMAS * chance)) return undefined;
  return {
    rule: "going away",
    verdict: "insufficient",
    sentence: `Visitors leave green before it answers in ${percent(greenRate)} of ${count(g.requests, "request")}, blue in ${percent(blueRate)}: the rollout holds`,
    figures: { greenRate, blueRate, requests: g.requests, greenLeft: g.censored, blueLeft: b.censored },
  };
}
