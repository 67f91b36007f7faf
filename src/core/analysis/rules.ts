/**
 * The halt rules in their literal form: one function from a rule and the counts of its window to what it found.
 * Absolute rules count what breakers diverted as failed green requests (intention to treat) and look at everyone;
 * comparisons look only at visitors placed by the hash, and weigh visitor-minutes, not requests.
 */
import type { Rule } from "../flag/schema.ts";
import { decimal, isAbove, plus, ratio } from "./exact.ts";
import { countOf, quantileMs } from "./histogram.ts";
import { failures } from "./tally.ts";
import type { Sample, Samples } from "./window.ts";
import { count, milliseconds, percent } from "./words.ts";

/** `insufficient`: cannot tell yet. `unmeasured`: no telemetry arrives. Never a boolean. */
export type Verdict = "healthy" | "unhealthy" | "insufficient" | "unmeasured";

/** What one rule found. */
export interface Finding {
  /** The rule in words: `error_rate > 0.05`. */
  rule: string;
  verdict: Verdict;
  /** What was measured, against what. */
  sentence: string;
  /** The numbers behind the sentence. */
  figures: Record<string, number>;
}

/** A comparison speaks of green only when so many distinct visitors failed: one client in a retry loop is not green's fault. */
export const MIN_FAILING_VISITORS = 3;

/** Quantile of the latency rules. */
const P95 = 0.95;

/** A rule with a limit of its own. */
export type LiteralRule = Exclude<Rule, { metric: "evidence" }>;
type ErrorRate = Extract<Rule, { metric: "error_rate"; above: number }>;
type ErrorRateAboveBlue = Extract<Rule, { metric: "error_rate"; aboveBlueBy: number }>;
type Latency = Extract<Rule, { metric: "latency_p95" }>;
type InARow = Extract<Rule, { metric: "consecutive_errors" }>;

/** Looks at one rule over the counts of its window. `failed`: green's failures since the last resume. */
export function findingOf(rule: LiteralRule, samples: Samples, failed: number): Finding {
  switch (rule.metric) {
    case "error_rate":
      return "above" in rule ? errorRate(rule, samples) : errorRateAboveBlue(rule, samples);
    case "latency_p95":
      return "above" in rule ? latency(rule, samples) : latencyAboveBlue(rule, samples);
    case "consecutive_errors":
      return inARow(rule, samples, failed);
  }
}

/** The rule in words. */
export function wordsOf(rule: LiteralRule): string {
  switch (rule.metric) {
    case "error_rate":
      return "above" in rule ? `error_rate > ${rule.above}` : `error_rate > blue + ${rule.aboveBlueBy}`;
    case "latency_p95":
      if ("above" in rule) return `latency_p95 > ${rule.above} ms`;
      return "aboveBlueBy" in rule
        ? `latency_p95 > blue + ${rule.aboveBlueBy} ms`
        : `latency_p95 > blue × ${rule.aboveBlueTimes}`;
    case "consecutive_errors":
      return `consecutive_errors >= ${rule.count}`;
  }
}

/** Requests meant for green: those that it got and those that a breaker kept from it. */
export function meantFor({ all }: Sample): number {
  return all.requests + all.diverted;
}

function errorRate(rule: ErrorRate, { green }: Samples): Finding {
  const words = wordsOf(rule);
  const requests = meantFor(green);
  const failed = failures(green.all) + green.all.diverted;
  const figures = {
    requests,
    failures: failures(green.all),
    diverted: green.all.diverted,
    limit: rule.above,
  };
  const few = tooFew(words, requests, rule, figures);
  if (few) return few;
  const bad = isAbove(ratio(failed, requests), decimal(rule.above));
  const diverted = green.all.diverted > 0 ? `, ${green.all.diverted} of them kept away by breakers` : "";
  return withEnoughVisitors(rule, green, {
    rule: words,
    verdict: bad ? "unhealthy" : "healthy",
    sentence: `Green failed ${percent(failed / requests)} of ${count(requests, "request")}${diverted} in ${rule.window} s; the limit is ${percent(rule.above)}`,
    figures: { ...figures, rate: failed / requests },
  });
}

function errorRateAboveBlue(rule: ErrorRateAboveBlue, { green, blue }: Samples): Finding {
  const words = wordsOf(rule);
  const { units, unitErrors, visitors } = green.hash;
  const figures = {
    requests: meantFor(green),
    greenUnits: units,
    greenUnitErrors: unitErrors,
    blueUnits: blue.hash.units,
    blueUnitErrors: blue.hash.unitErrors,
    failingVisitors: visitors.length,
    limit: rule.aboveBlueBy,
  };
  const few = tooFew(words, meantFor(green), rule, figures) ?? noPeer(words, units, blue.hash.units, figures);
  if (few) return few;
  const limit = plus(ratio(blue.hash.unitErrors, blue.hash.units), decimal(rule.aboveBlueBy));
  const above = isAbove(ratio(unitErrors, units), limit);
  const rates = { greenRate: unitErrors / units, blueRate: blue.hash.unitErrors / blue.hash.units };
  const sentence = `Green failed for ${percent(rates.greenRate)} of ${count(units, "visitor-minute")}, blue for ${percent(rates.blueRate)} of ${blue.hash.units}, in ${rule.window} s; the limit is ${percent(rule.aboveBlueBy)} above blue`;
  return withEnoughVisitors(
    { minVisitors: MIN_FAILING_VISITORS },
    { all: green.hash },
    {
      rule: words,
      verdict: above ? "unhealthy" : "healthy",
      sentence,
      figures: { ...figures, ...rates },
    },
  );
}

function latency(rule: Latency & { above: number }, { green }: Samples): Finding {
  const words = wordsOf(rule);
  const figures = { requests: meantFor(green), limit: rule.above };
  const p95 = quantileMs(green.all.latency, P95);
  const few = tooFew(words, meantFor(green), rule, figures);
  if (few) return few;
  if (p95 === undefined) return insufficient(words, "Green has no latencies yet", figures);
  return {
    rule: words,
    verdict: p95 > rule.above ? "unhealthy" : "healthy",
    sentence: `Green's p95 is ${milliseconds(p95)} over ${count(countOf(green.all.latency), "request")} in ${rule.window} s; the limit is ${milliseconds(rule.above)}`,
    figures: { ...figures, greenP95: p95 },
  };
}

function latencyAboveBlue(
  rule: Latency & ({ aboveBlueBy: number } | { aboveBlueTimes: number }),
  { green, blue }: Samples,
): Finding {
  const by = "aboveBlueBy" in rule;
  const words = wordsOf(rule);
  const figures = { requests: meantFor(green), limit: by ? rule.aboveBlueBy : rule.aboveBlueTimes };
  const few = tooFew(words, meantFor(green), rule, figures);
  if (few) return few;
  const greenP95 = quantileMs(green.hash.unitLatency, P95);
  const blueP95 = quantileMs(blue.hash.unitLatency, P95);
  if (greenP95 === undefined)
    return insufficient(words, "Green has no visitors that can be compared yet", figures);
  if (blueP95 === undefined) return insufficient(words, "Blue has no visitors to compare with", figures);
  const limit = by ? blueP95 + rule.aboveBlueBy : blueP95 * rule.aboveBlueTimes;
  return {
    rule: words,
    verdict: greenP95 > limit ? "unhealthy" : "healthy",
    sentence: `Green's p95 is ${milliseconds(greenP95)}, blue's ${milliseconds(blueP95)}, in ${rule.window} s; the limit is ${milliseconds(limit)}`,
    figures: { ...figures, greenP95, blueP95 },
  };
}

/**
 * In a row: one isolate reports the run, or all isolates together saw that many failures and no success. A run may
 * have begun before the last resume; since then it cannot be longer than the failures since then.
 */
function inARow(rule: InARow, { green }: Samples, failed: number): Finding {
  const words = wordsOf(rule);
  const run = Math.min(green.all.run, failed);
  const bad = failures(green.all);
  const successes = green.all.requests - bad - green.all.censored;
  const figures = { requests: green.all.requests, run, failures: bad, successes, limit: rule.count };
  const few = tooFew(words, green.all.requests, rule, figures);
  if (few) return few;
  const only = successes === 0 && bad >= rule.count;
  const longest = only ? Math.max(run, bad) : run;
  return withEnoughVisitors(rule, green, {
    rule: words,
    verdict: longest >= rule.count ? "unhealthy" : "healthy",
    sentence: `Green failed ${count(longest, "request")} in a row within ${rule.window} s; the limit is ${rule.count}`,
    figures: { ...figures, longest },
  });
}

/** Takes a bad finding back while too few distinct visitors have failed. */
function withEnoughVisitors(
  { minVisitors }: { minVisitors: number },
  { all }: Pick<Sample, "all">,
  finding: Finding,
): Finding {
  const failing = all.visitors.length;
  if (finding.verdict !== "unhealthy" || failing >= minVisitors) return finding;
  const sentence = `${finding.sentence}, but only ${count(failing, "visitor")} failed and ${minVisitors} are needed`;
  return { ...finding, verdict: "insufficient", sentence };
}

function tooFew(
  words: string,
  requests: number,
  rule: { minRequests: number; window: number },
  figures: Record<string, number>,
): Finding | undefined {
  if (requests === 0) return insufficient(words, `Green had no request in ${rule.window} s`, figures);
  if (requests >= rule.minRequests) return undefined;
  const sentence = `Green had ${count(requests, "request")} in ${rule.window} s; the rule needs ${rule.minRequests}`;
  return insufficient(words, sentence, figures);
}

function noPeer(
  words: string,
  green: number,
  blue: number,
  figures: Record<string, number>,
): Finding | undefined {
  if (green === 0) return insufficient(words, "Green has no visitors that can be compared yet", figures);
  if (blue === 0) return insufficient(words, "Blue has no visitors to compare with", figures);
  return undefined;
}

function insufficient(rule: string, sentence: string, figures: Record<string, number>): Finding {
  return { rule, verdict: "insufficient", sentence, figures };
}
