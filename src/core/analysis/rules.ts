/** What a halt rule finds in what was measured: a rule is a condition that is bad when it is met. */
import { type CountedCondition, eventOf, RATES } from "../flag/condition.ts";
import type { Rule } from "../flag/schema.ts";
import { wordsOf } from "./condition-words.ts";
import { startsFrom } from "./limits.ts";
import type { Measure } from "./measured.ts";
import { measureCounted } from "./measuring.ts";
import type { Reading } from "./reading.ts";
import { count } from "./words.ts";

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
  /** Insufficient for nothing but want of green's requests: what there are say nothing against it. */
  few?: true;
}

/** A comparison speaks of green only when so many distinct visitors failed: one client in a retry loop is not green's fault. */
export const MIN_FAILING_VISITORS = 3;

/** A rule that is a condition. */
export type LiteralRule = Exclude<Rule, { metric: "evidence" }>;
/** A rule that is a condition over counts. */
export type CountedRule = Extract<LiteralRule, { window: unknown }>;

const VERDICTS: Record<Measure["state"], Verdict> = {
  met: "unhealthy",
  unmet: "healthy",
  past: "healthy",
  few: "insufficient",
  unmeasured: "unmeasured",
};

/** The finding of a rule of which this was measured. */
export function findingOfMeasure(rule: LiteralRule, { state, measured, limit, figures }: Measure): Finding {
  const sentence = limit === "" ? measured : `${measured}; the limit is ${limit}`;
  const few = state === "few" && "window" in rule && eventOf(rule) === undefined;
  return { rule: wordsOf(rule), verdict: VERDICTS[state], sentence, figures, ...(few && { few }) };
}

/** Looks at a rule over counts: its limit, and how many visitors failed. */
export function findingOf(rule: CountedRule, reading: Reading): Finding {
  const finding = findingOfMeasure(rule, measureCounted(rule, reading));
  return withEnoughVisitors(rule, reading, finding);
}

/** Distinct visitors that must have failed for the rule: those of its own, and three where green is compared with blue. */
export function visitorsNeeded(rule: CountedCondition): number {
  if (!("minVisitors" in rule)) return 0;
  return isCompared(rule) ? Math.max(MIN_FAILING_VISITORS, rule.minVisitors) : rule.minVisitors;
}

/** Are rates of requests compared with blue's? */
function isCompared(rule: CountedCondition): boolean {
  return (
    RATES.some((rate) => rate === rule.metric) && eventOf(rule) === undefined && startsFrom(rule, "blue")
  );
}

/** Takes a bad finding back while too few distinct visitors have failed. */
function withEnoughVisitors(rule: CountedRule, reading: Reading, finding: Finding): Finding {
  const needed = visitorsNeeded(rule);
  if (finding.verdict !== "unhealthy" || needed === 0) return finding;
  const failing = reading.of("green", isCompared(rule) ? "hash" : "all")?.visitors.length ?? 0;
  if (failing >= needed) return finding;
  const sentence = `${finding.sentence}, but only ${count(failing, "visitor")} failed and ${needed} are needed`;
  return { ...finding, verdict: "insufficient", sentence };
}
