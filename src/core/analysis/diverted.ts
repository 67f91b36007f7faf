/**
 * What breakers keep away from green. They would hide a green that fails now and then, so it speaks for itself; but they
 * also open in an outage of both sides and for one client in a retry loop, which is no fault of green's.
 */
import { TICK_MS } from "../wire/messages.ts";
import { mostFailuresOf } from "./blame.ts";
import { decimal, isAbove, ratio } from "./exact.ts";
import { meantFor } from "./quantity.ts";
import { type Finding, MIN_FAILING_VISITORS } from "./rules.ts";
import { type AbsoluteRule, DIVERTED_LIMIT, SHARED_BELOW, sharedOutage } from "./shared-outage.ts";
import { between, LONGEST_WINDOW_MS, type Samples, type Window } from "./window.ts";
import { count, percent } from "./words.ts";

/** What breakers kept away is looked at over so many ticks (10 s) … */
const DIVERTED_TICKS = 10_000 / TICK_MS;
/** … with at least so many diverted requests. */
const DIVERTED_MIN = 20;
/** A client that fails so often in a minute is in a loop. */
const LOOP_MIN = 10;
/** The rule as users would write it. */
export const DIVERTED: AbsoluteRule = {
  metric: "error_rate",
  above: DIVERTED_LIMIT,
  guarded: false,
  minRequests: 0,
  minVisitors: MIN_FAILING_VISITORS,
  window: LONGEST_WINDOW_MS / 1000,
  for: 0,
  scope: "flag",
  onSharedOutage: "hold",
  action: "rollback",
};

/** Did breakers keep much away in any 10 s of the last minute (`lately`)? */
export function divertedFinding(window: Window, lately: Samples, now: number): Finding | undefined {
  if (lately.green.all.diverted < DIVERTED_MIN) return undefined;
  const newest = Math.max(...window.ticks.keys());
  const oldest = Math.floor((now - LONGEST_WINDOW_MS) / TICK_MS) + 1;
  for (let last = newest; last >= oldest; last--) {
    const green = between(window, Math.max(oldest, last - DIVERTED_TICKS + 1), last).green;
    const { diverted, visitors } = green.all;
    if (diverted < DIVERTED_MIN || visitors.length < MIN_FAILING_VISITORS) continue;
    const requests = meantFor(green.all);
    if (!isAbove(ratio(diverted, requests), decimal(DIVERTED_LIMIT))) continue;
    return {
      rule: `diverted > ${DIVERTED_LIMIT}`,
      verdict: "unhealthy",
      sentence: `Breakers kept ${percent(diverted / requests)} of green's ${count(requests, "request")} away from it within 10 s; the limit is ${percent(DIVERTED_LIMIT)}`,
      figures: {
        requests,
        diverted,
        rate: diverted / requests,
        limit: DIVERTED_LIMIT,
        visitors: visitors.length,
      },
    };
  }
  return undefined;
}

/**
 * Are breakers open by no fault of green's? Then blue fails as well and evidence that green is worse (`errors`) is low;
 * or while they were closed most failures were one client's in a loop, and the others' are within the limit.
 */
export function isExcused(window: Window, lately: Samples, errors: number, now: number): boolean {
  if (lately.green.all.diverted === 0 || errors >= SHARED_BELOW) return false;
  if (sharedOutage(DIVERTED, lately, window, now)) return true;
  const first = Math.floor((now - LONGEST_WINDOW_MS) / TICK_MS) + 1;
  const { most, failed, requests } = mostFailuresOf(window, first);
  if (most < LOOP_MIN || 2 * most <= failed) return false;
  return failed - most <= DIVERTED_LIMIT * (requests - most);
}
