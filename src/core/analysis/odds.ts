/** The error signal: how the failures of a block fall on green and blue, given how many there were. */

/** Odds ratios that are bet on: green's odds of failing against blue's. From twice on; steps between gain nothing. */
export const ODDS: readonly number[] = [2, 4, 10, 30];
/** Part of the stake for each. Small differences need theirs most: large ones are seen before it matters. */
export const ODDS_WEIGHTS: readonly number[] = [0.4, 0.3, 0.15, 0.15];

/** Green may fail so many times as often as blue: practically equal is equal, for weeks on end. */
const MARGIN = 1.05;
const LOGS = ODDS.map(Math.log);

/**
 * Gains of the bets in one block, into `into`: k_g ln ψ − k ln(1 + w(ψ − 1)), k failures in all, w green's share of the
 * requests, each of green's weighed with the margin. Given k, green's part is hypergeometric while both sides fail
 * alike, so any common rate cancels, also one that jumps; E[exp] ≤ 1 by Hoeffding's comparison with the binomial (1963).
 */
export function oddsGains(
  blue: { requests: number; errors: number },
  green: { requests: number; errors: number },
  into: Float64Array,
): void {
  const weighed = MARGIN * green.requests;
  const w = weighed / (weighed + blue.requests);
  const k = blue.errors + green.errors;
  for (let i = 0; i < ODDS.length; i++)
    into[i] = green.errors * LOGS[i]! - k * Math.log1p(w * (ODDS[i]! - 1));
}

/**
 * The same against a rate that is known (failures per request) instead of a second sample: k ln ψ − n r (ψ − 1), the
 * Poisson likelihood ratio.
 */
export function oddsGainsAgainst(
  rate: number,
  green: { requests: number; errors: number },
  into: Float64Array,
): void {
  for (let i = 0; i < ODDS.length; i++)
    into[i] = green.errors * LOGS[i]! - green.requests * rate * (ODDS[i]! - 1);
}
