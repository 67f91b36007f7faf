/** A value against its own history: so many standard deviations above the mean of earlier windows, exactly. */
import { decimal, isAbove, minus, plus, type Ratio, ratio, times, toNumber } from "./exact.ts";
import { limitOf, overWords, show } from "./limits.ts";
import { type Measure, unsaid } from "./measured.ts";
import { quantity, type ReadCondition, unitOf } from "./quantity.ts";
import type { Reading } from "./reading.ts";

/** Earlier windows below which there is no history. */
export const MIN_EARLIER = 8;

const ZERO = ratio(0, 1);

/** Measures a rate or a count against its earlier windows. */
export function history(condition: ReadCondition, sigma: number, reading: Reading): Measure {
  const green = condition.metric === "error_rate" ? reading.of("green", "all") : reading.inside();
  const found = green && quantity(condition, green);
  if (!found) return unsaid("few", `Nothing came ${overWords(condition.window)}`);
  const earlier = reading.earlier().flatMap(({ count, failures }) => {
    if (condition.metric !== "error_rate") return [ratio(count, 1)];
    return count > 0 ? [ratio(failures, count)] : [];
  });
  if (earlier.length < MIN_EARLIER) {
    const has = `${earlier.length} earlier windows are known and ${MIN_EARLIER} are needed`;
    return unsaid("few", `${found.said} ${overWords(condition.window)}, but ${has}`);
  }
  const { mean, variance } = spread(earlier);
  const unit = unitOf(condition.metric);
  const [m, sd] = [toNumber(mean), Math.sqrt(toNumber(variance))];
  const limit = m + sigma * sd;
  const atLeast = limitOf(condition).operator === "atLeast";
  return {
    state: isBeyond(found.value, mean, variance, sigma, atLeast) ? "met" : "unmet",
    measured: `${found.said} ${overWords(condition.window)}; in ${earlier.length} windows before it was ${show(m, unit)} with a standard deviation of ${show(sd, unit)}`,
    limit: show(limit, unit),
    figures: { value: toNumber(found.value), mean: m, deviation: sd, windows: earlier.length, limit },
  };
}

/** Mean and sample variance. By the sum of squares: nothing is rounded, and denominators stay short. */
function spread(values: readonly Ratio[]): { mean: Ratio; variance: Ratio } {
  const n = ratio(values.length, 1);
  const mean = times(values.reduce(plus, ZERO), ratio(1, values.length));
  const squares = values.map(square).reduce(plus, ZERO);
  const scatter = minus(squares, times(n, square(mean)));
  return { mean, variance: times(scatter, ratio(1, values.length - 1)) };
}

/**
 * Is the value beyond the mean by more than sigma deviations? Both sides squared, so that no root is rounded. Where
 * earlier windows were all alike, anything above them is.
 */
function isBeyond(value: Ratio, mean: Ratio, variance: Ratio, sigma: number, atLeast: boolean): boolean {
  if (!isAbove(value, mean)) return false;
  const distance = square(minus(value, mean));
  const allowed = times(variance, square(decimal(sigma)));
  return isAbove(distance, allowed) || (atLeast && !isAbove(allowed, distance));
}

function square(value: Ratio): Ratio {
  return times(value, value);
}
