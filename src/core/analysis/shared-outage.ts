/**
 * Is what broke green's limit an outage of both sides? Then blue is beyond the same limit, and green is no worse than
 * blue. Not so when green began to fail first and blue broke down under green's visitors.
 */

import { eventOf } from "../flag/condition.ts";
import { TICK_MS } from "../wire/messages.ts";
import { limitOf } from "./limits.ts";
import { meantFor } from "./quantity.ts";
import { type Reading, shortReading, swapped } from "./reading.ts";
import {
  type CountedRule,
  type Finding,
  findingOf,
  type LiteralRule,
  MIN_FAILING_VISITORS,
} from "./rules.ts";
import { between, type Samples, trailing, type Window } from "./window.ts";

/** Rules that can look at green's requests alone. */
export type AbsoluteRule = Extract<CountedRule, { onSharedOutage: unknown }>;

/** Does the rule look at green's requests alone, with a limit of its own? */
export function isAbsolute(rule: LiteralRule): rule is AbsoluteRule {
  if (!("onSharedOutage" in rule) || typeof limitOf(rule).limit !== "number") return false;
  // Nothing compares events, so evidence could never tell green's failing from an outage of both.
  return eventOf(rule) === undefined;
}

/** Blue is looked at with so many requests at least, or as many as green has: fewer may be beyond a limit by chance. */
const MIN_BLUE = 10;

/**
 * Blue is looked at over the rule's window and over its last seconds (ms): an outage lifts both sides over the limit
 * little by little, and which of them gets there first is chance.
 */
const LATELY_MS = 10_000;

/** A green of which breakers keep more than this share away is bad. */
export const DIVERTED_LIMIT = 0.2;

/** With less evidence than this, both sides beyond the limit are an outage of both. */
export const SHARED_BELOW = 20;
/** Where a request in ten fails, a breaker sees half of a few fail within minutes. */
const BREAKERS_OPEN_AT = 0.1;

/** What is found when blue is looked at as if it were green, over a stretch longer than a minute; undefined unless bad. */
export function sharedForLong(rule: AbsoluteRule, reading: Reading): Finding | undefined {
  const green = reading.of("green", "all");
  const least = Math.max(1, Math.min(MIN_BLUE, green ? meantFor(green) : 0));
  const blue = findingOf(
    { ...withoutBreakers(rule, green?.diverted ?? 0), ...leastOf(rule, least) },
    swapped(reading),
  );
  return isBeyond(blue) ? blue : undefined;
}

/** What is found when blue is looked at as if it were green; undefined unless both fail together. */
export function sharedOutage(
  literal: AbsoluteRule,
  samples: Samples,
  window: Window,
  now: number,
): Finding | undefined {
  const rule = withoutBreakers(literal, samples.green.all.diverted);
  const least = Math.max(1, Math.min(MIN_BLUE, meantFor(samples.green.all)));
  const blue = [samples, trailing(window, now, LATELY_MS)]
    .map((counts) => findingOfBlue(rule, counts, least))
    .find(({ verdict }) => verdict === "unhealthy");
  return blue && !brokeDownAfterGreen(rule, samples, window, now) ? blue : undefined;
}

/** Breakers open on green alone, and what they keep away counts as failed: then a blue that would open them will do. */
function withoutBreakers(rule: AbsoluteRule, diverted: number): AbsoluteRule {
  if (rule.metric !== "error_rate" || diverted === 0) return rule;
  const { operator, limit } = limitOf(rule);
  if (typeof limit !== "number" || operator === "below" || operator === "atMost") return rule;
  return { ...rule, [operator]: Math.min(limit, BREAKERS_OPEN_AT) };
}

/** Did green break the limit before blue, with blue serving green's visitors besides its own? */
function brokeDownAfterGreen(rule: AbsoluteRule, samples: Samples, window: Window, now: number): boolean {
  const { rescued, diverted } = samples.green.all;
  if (rescued + diverted === 0) return false;
  if (rule.window === "stage") return false;
  const first = Math.floor((now - rule.window * 1000) / TICK_MS) + 1;
  const onset = [...window.ticks.keys()]
    .sort((a, b) => a - b)
    .find((tick) => tick >= first && isBeyond(findingOfBlue(rule, between(window, tick, tick), 1)));
  if (onset === undefined) return false;
  const before = between(window, first, onset - 1);
  if (before.green.all.visitors.length < MIN_FAILING_VISITORS) return false;
  return isBeyond(findingOf({ ...rule, minRequests: 1 }, shortReading(before, Number.POSITIVE_INFINITY)));
}

function findingOfBlue(rule: AbsoluteRule, samples: Samples, minRequests: number): Finding {
  const reading = shortReading(samples, Number.POSITIVE_INFINITY);
  return findingOf({ ...rule, ...leastOf(rule, minRequests) }, swapped(reading));
}

/** Who failed is known of green alone. */
function leastOf(rule: AbsoluteRule, minRequests: number): { minRequests: number; minVisitors?: number } {
  return "minVisitors" in rule ? { minRequests, minVisitors: 0 } : { minRequests };
}

function isBeyond({ verdict }: Finding): boolean {
  return verdict === "unhealthy";
}
