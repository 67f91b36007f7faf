/**
 * What has to hold besides the limit of a literal rule before it acts: that the breach lasts (`for`), that evidence
 * says green is worse at all (`guarded`), and that blue does not fail as well (`onSharedOutage`).
 */
import type { ComparisonView, Signal } from "./comparing.ts";
import { clockOf, isCounted, type Measuring, measureOf, readingOf } from "./measuring.ts";
import { oneVisitors } from "./one-visitor.ts";
import { isShort, type Reader } from "./reading.ts";
import type { RuleMemory } from "./rule-memory.ts";
import { type Finding, findingOf, findingOfMeasure, type LiteralRule, type Verdict } from "./rules.ts";
import { type AbsoluteRule, isAbsolute, SHARED_BELOW, sharedForLong, sharedOutage } from "./shared-outage.ts";
import { milliseconds, percent, weight } from "./words.ts";

/** Evidence that a guarded rule asks for: green is worse at all, with one false alarm in a hundred rollouts. */
export const GUARD = 100;

/** What the rules of a flag are looked at with. */
export interface Look {
  reader: Reader;
  comparison: ComparisonView | undefined;
  /** Rules of the flag that compare by evidence: they say which signals are compared. */
  evidence: readonly { signals: readonly Signal[] }[];
  /** When breakers were open by no fault of green's last, milliseconds since the epoch; undefined if never. */
  excusedAt: number | undefined;
}

/** A finding with the cohort that it is of, where a rule looks at each by itself. */
export interface OfCohort {
  finding: Finding;
  cohort: string | undefined;
}

/**
 * Looks at a literal rule with all its conditions: one finding, or one for each cohort. Clocks are read from `memory`
 * and written to `after`.
 */
export function lookAt(
  rule: LiteralRule,
  look: Look,
  { key, memory, after }: { key: string; memory: RuleMemory; after: RuleMemory["timers"] },
): OfCohort[] {
  const measuring: Measuring = {
    reader: look.reader,
    clocks: { before: memory.timers, after },
    key,
    cohort: undefined,
  };
  if (!isCounted(rule) || rule.scope !== "cohort")
    return [{ finding: lookOnce(rule, look, measuring), cohort: undefined }];
  const cohorts = look.reader.sources.telemetry?.cohorts();
  if (!cohorts) return [{ finding: lookOnce(rule, look, measuring), cohort: undefined }];
  return cohorts.map((cohort) => {
    const finding = lookOnce(rule, look, { ...measuring, cohort, key: `${key} in ${cohort}` });
    return { finding: { ...finding, sentence: `Cohort ${cohort}: ${finding.sentence}` }, cohort };
  });
}

/** A breach at every look is one of the whole stretch too: the windows that were looked at cover it. */
function lookOnce(rule: LiteralRule, look: Look, measuring: Measuring): Finding {
  const literal = literalOf(rule, look, measuring);
  const waiting = "for" in rule && rule.for > 0 ? waits(rule, literal, measuring) : undefined;
  if (literal.verdict !== "unhealthy") return literal;
  return waiting ?? unguarded(rule, literal, look) ?? sharedBy(rule, literal, look, measuring) ?? literal;
}

/** What the limit of a rule says, and who failed. */
function literalOf(rule: LiteralRule, { reader }: Look, measuring: Measuring): Finding {
  const measured = measureOf(rule, measuring);
  if (measured.state !== "met" || !isCounted(rule)) return findingOfMeasure(rule, measured);
  const reading = readingOf(rule, measuring);
  if ("state" in reading) return findingOfMeasure(rule, reading);
  const literal = findingOf(rule, reading);
  const { window, now } = reader.sources;
  const samples = isShort(rule) ? reader.samples(rule.window as number) : undefined;
  return (samples && window && oneVisitors(rule, literal, samples, window, now)) ?? literal;
}

const STATES = { unhealthy: "met", healthy: "unmet", insufficient: "few", unmeasured: "unmeasured" } as const;

function waits(
  rule: Extract<LiteralRule, { for: number }>,
  literal: Finding,
  measuring: Measuring,
): Finding | undefined {
  const { heldMs } = clockOf(rule, STATES[literal.verdict], measuring);
  if (heldMs >= rule.for * 1000) return undefined;
  const held = Math.floor(heldMs / 1000);
  return {
    ...literal,
    verdict: "insufficient",
    sentence: `${literal.sentence}, for ${held} s now; the rule waits for ${rule.for} s`,
    figures: { ...literal.figures, heldSeconds: held, for: rule.for },
  };
}

/** A guarded rule without the evidence that it asks for. */
function unguarded(rule: LiteralRule, literal: Finding, look: Look): Finding | undefined {
  if (!("guarded" in rule) || !rule.guarded) return undefined;
  const evidence = evidenceOf(rule, look.comparison);
  if (evidence >= GUARD) return undefined;
  return {
    ...literal,
    verdict: "insufficient",
    sentence: `${literal.sentence}, but evidence that green is worse is ${weight(evidence)} and the rule is guarded by ${GUARD}`,
    figures: { ...literal.figures, evidence, guard: GUARD },
  };
}

function sharedBy(
  rule: LiteralRule,
  literal: Finding,
  look: Look,
  measuring: Measuring,
): Finding | undefined {
  if (!isAbsolute(rule)) return undefined;
  if (isShort(rule)) return shared(rule, literal, look);
  const reading = readingOf(rule, measuring);
  return shared(rule, literal, look, "state" in reading ? undefined : sharedForLong(rule, reading));
}

/**
 * A breach that is an outage of both sides, and what the rule makes of it. `blue` is what was found of blue where that
 * does not follow from the last minute.
 */
export function shared(
  rule: AbsoluteRule,
  literal: Finding,
  look: Look,
  blue = blueLately(rule, look),
): Finding | undefined {
  if (rule.onSharedOutage === "halt" || !isCompared(rule, look)) return undefined;
  const evidence = evidenceOf(rule, look.comparison);
  if (evidence >= SHARED_BELOW) return undefined;
  const ignored = rule.onSharedOutage === "ignore";
  const verdict: Verdict = ignored ? "healthy" : "insufficient";
  const so = ignored ? "no fault of green's" : "the rollout holds";
  if (!blue && breakersRecover(rule, look)) {
    const sentence = `${literal.sentence}. Breakers opened in an outage of both sides or for one client, and close in time: ${so}`;
    return { ...literal, verdict, sentence };
  }
  if (!blue) return undefined;
  return {
    ...literal,
    verdict,
    sentence: `${literal.sentence}. ${blueDoesToo(rule, blue)}, and evidence that green is worse is ${weight(evidence)}: both sides fail, ${so}`,
    figures: { ...literal.figures, ...blueFigures(rule, blue), evidence },
  };
}

function blueLately(rule: AbsoluteRule, { reader }: Look): Finding | undefined {
  const { window, now } = reader.sources;
  if (!window || rule.window === "stage") return undefined;
  const samples = reader.samples(rule.window);
  return samples && sharedOutage(rule, samples, window, now);
}

/**
 * Breakers that opened by no fault of green's keep its visitors away when the reason is long gone, and what they kept
 * away is looked at for a window more.
 */
function breakersRecover(rule: AbsoluteRule, { reader, excusedAt }: Look): boolean {
  const { flag, now } = reader.sources;
  if (rule.metric !== "error_rate" || rule.window === "stage") return false;
  if ((reader.samples(Math.min(rule.window, 60))?.green.all.diverted ?? 0) === 0) return false;
  if (excusedAt === undefined || !flag.route) return false;
  return now - excusedAt <= (flag.route.breaker.resetTimeout + rule.window) * 1000;
}

function blueDoesToo({ metric }: AbsoluteRule, { figures }: Finding): string {
  switch (metric) {
    case "error_rate":
      return `Blue failed ${percent(figures.rate ?? 0)}`;
    case "success_rate":
      return `Blue succeeded in ${percent(figures.rate ?? 0)}`;
    case "timeout_rate":
      return `Blue timed out in ${percent(figures.rate ?? 0)}`;
    case "consecutive_errors":
      return `Blue failed ${figures.longest ?? 0} in a row`;
    default: {
      const quantile = metric.slice(-2);
      return `Blue's p${quantile} is ${milliseconds(figures[`greenP${quantile}`] ?? 0)}`;
    }
  }
}

function blueFigures({ metric }: AbsoluteRule, { figures }: Finding): Record<string, number> {
  if (metric === "consecutive_errors") return { blueLongest: figures.longest ?? 0 };
  if (metric.endsWith("_rate")) return { blueRate: figures.rate ?? 0 };
  const quantile = metric.slice(-2);
  return { [`blueP${quantile}`]: figures[`greenP${quantile}`] ?? 0 };
}

function signalOf({ metric }: LiteralRule): Signal {
  return metric.startsWith("latency") ? "latency" : "errors";
}

/** Evidence of the rule's signal that green is worse; 1, where it starts, while nothing is compared. */
function evidenceOf(rule: LiteralRule, comparison: ComparisonView | undefined): number {
  return comparison?.[signalOf(rule)] ?? 1;
}

/** Is the rule's signal compared at all? If not, evidence can never tell green's failing from an outage of both. */
function isCompared(rule: LiteralRule, { evidence }: Look): boolean {
  return evidence.length === 0 || evidence.some(({ signals }) => signals.includes(signalOf(rule)));
}
