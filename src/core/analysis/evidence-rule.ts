/**
 * The rule `evidence`: halts when the sequential comparison has reached its threshold, and says why in words. One
 * client is not green's fault, so failures must be those of several visitors, all the time that evidence grew.
 */
import type { Rule } from "../flag/schema.ts";
import { type Blame, mostOf } from "./blame.ts";
import type { ComparisonView } from "./comparing.ts";
import { type Finding, MIN_FAILING_VISITORS, type Verdict } from "./rules.ts";
import { count, milliseconds, percent, weight } from "./words.ts";

/** Visitor-minutes of green below which nobody says that green is healthy. */
const MIN_COMPARED = 20;

/**
 * From so much evidence on nobody says that green is healthy: no stage is left while it grows towards the threshold. A
 * green that is no worse gets there in one rollout of twenty at most, and is held until evidence has fallen again.
 */
const DOUBTED_FROM = 20;

/** A visitor with so many failures is there again and again; below, nobody is. */
const AGAIN = 2;

type Counts = ComparisonView["green"];
type EvidenceRule = Extract<Rule, { metric: "evidence" }>;

/** What the rule is looked at with. */
export interface Compared {
  /** Undefined before the first tick. */
  comparison: ComparisonView | undefined;
  /** Visitor-minutes of green that could be compared since the release came or was resumed. */
  compared: number;
  /** The same of blue, in the last minute. */
  blueCompared: number;
  /** Who failed while evidence grew. */
  blame: Blame;
}

/** Looks at the rule. */
export function evidenceFinding(
  rule: EvidenceRule,
  { comparison, compared, blueCompared, blame }: Compared,
): Finding {
  const { visitors, most } = mostOf(blame);
  const words = `evidence >= ${Math.round(1 / rule.alpha)}`;
  const seen = `Green has had ${count(compared, "visitor-minute")} that can be compared`;
  const say = (verdict: Verdict, sentence: string, figures: Record<string, number>): Finding => ({
    rule: words,
    verdict,
    sentence,
    figures,
  });
  const few = (sentence: string, figures: Record<string, number>): Finding => ({
    ...say("insufficient", sentence, figures),
    few: true,
  });
  if (!comparison) return few(`${seen}; none is compared yet`, { compared });
  const figures = { ...figuresOf(comparison), compared, failingVisitors: visitors, mostOfOne: most };
  if (comparison.peer === "none") {
    // It is so before the first block as well, which says nothing of blue.
    const waits = blueCompared > 0 || compared === 0;
    const alone =
      "Blue has no traffic that can be compared, and green no earlier window: only absolute rules speak";
    return few(waits ? `${seen}; none is compared yet` : alone, figures);
  }
  const measured = sentenceOf(comparison);
  if (comparison.unhealthy) {
    const doubt = byLatencyAlone(rule, comparison) ? undefined : oneVisitorsFault(comparison, blame);
    if (doubt === undefined) return say("unhealthy", measured, figures);
    return say("insufficient", `${measured}, ${doubt}`, figures);
  }
  if (comparison.evidence >= DOUBTED_FROM)
    return say("insufficient", `${measured}; from ${DOUBTED_FROM} on green is not called healthy`, figures);
  if (compared < MIN_COMPARED) return few(`${seen}; ${MIN_COMPARED} are needed`, figures);
  return say("healthy", measured, figures);
}

/** Is it latency that brought evidence to the threshold, weighed as one signal of all? */
function byLatencyAlone({ signals }: EvidenceRule, { leading, latency, threshold }: ComparisonView): boolean {
  if (leading === "latency") return true;
  return signals.includes("latency") && latency / signals.length >= threshold;
}

/**
 * Why failures may be one visitor's fault; undefined when they are not. Evidence counts a visitor once a minute, so
 * one client in a retry loop brings it to any threshold in time: without the one that failed most often, the counts
 * must still say that green is worse.
 */
function oneVisitorsFault({ green, blue, threshold }: ComparisonView, blame: Blame): string | undefined {
  const { visitors, most } = mostOf(blame);
  if (visitors < MIN_FAILING_VISITORS)
    return `but only ${count(visitors, "visitor")} failed and ${MIN_FAILING_VISITORS} are needed`;
  if (most < AGAIN) return undefined;
  const theirs = (green.errors * most) / blame.failures;
  const others = { requests: green.requests - theirs, errors: green.errors - theirs };
  if (surprise(others, blue) >= Math.log(threshold)) return undefined;
  return `but one visitor had ${percent(most / blame.failures)} of the failures, and the others' do not suffice`;
}

/** Log likelihood ratio of two rates against a common one, 0 where green's is not the higher one. */
function surprise(green: Counts, blue: Counts): number {
  const all = { requests: green.requests + blue.requests, errors: green.errors + blue.errors };
  if (green.errors * all.requests <= all.errors * green.requests) return 0;
  return likelihood(green) + likelihood(blue) - likelihood(all);
}

/** Log likelihood of counts at the rate that fits them best. */
function likelihood({ requests, errors }: Counts): number {
  const part = (n: number) => (n > 0 ? n * Math.log(n / requests) : 0);
  return part(errors) + part(requests - errors);
}

function sentenceOf(view: ComparisonView): string {
  const { evidence, threshold, peer } = view;
  const halting = `evidence ${weight(evidence)}, halting at ${weight(threshold)}`;
  const own = peer === "own" ? "Blue has no traffic, so green is compared with its own earlier window: " : "";
  const measured = measuredOf(view);
  const sentence = own ? `${own}${measured}` : `${measured.charAt(0).toUpperCase()}${measured.slice(1)}`;
  return `${sentence}: ${halting}`;
}

function measuredOf({ leading, slower, peer, blue, green }: ComparisonView): string {
  const then = peer === "own";
  if (leading === "latency" && slower) {
    const quantile = `p${Number((slower.quantile * 100).toFixed(1))}`;
    const other = then ? "it was" : "blue's";
    return `green's ${quantile} is ${milliseconds(slower.greenMs)}, ${other} ${milliseconds(slower.blueMs)}`;
  }
  if (green.requests === 0 || blue.requests === 0) return "nothing speaks against green";
  const other = then ? "before" : "blue";
  const rate = percent(green.errors / green.requests);
  const units = count(green.requests, "visitor-minute");
  return `green fails ${rate} of ${units}, ${other} ${percent(blue.errors / blue.requests)}`;
}

function figuresOf({ blue, green, slower, ...view }: ComparisonView): Record<string, number> {
  return {
    evidence: view.evidence,
    errors: view.errors,
    latency: view.latency,
    limit: view.threshold,
    greenUnits: green.requests,
    greenUnitErrors: green.errors,
    blueUnits: blue.requests,
    blueUnitErrors: blue.errors,
    ...(slower && { quantile: slower.quantile, greenMs: slower.greenMs, blueMs: slower.blueMs }),
    knownMs: view.knownMs,
    strength: view.strength,
  };
}
