/**
 * What has to hold besides the limit of a literal rule before it halts: that the breach lasts (`for`), that evidence
 * says green is worse at all (`guarded`), and that blue does not fail as well (`onSharedOutage`).
 */
import type { Flag } from "../flag/schema.ts";
import type { ComparisonView, Signal } from "./comparing.ts";
import { oneVisitors } from "./one-visitor.ts";
import { advance, type Timer } from "./rule-memory.ts";
import { type Finding, findingOf, type LiteralRule, type Verdict } from "./rules.ts";
import { type AbsoluteRule, SHARED_BELOW, sharedOutage } from "./shared-outage.ts";
import type { Samples, Window } from "./window.ts";
import { milliseconds, percent, weight } from "./words.ts";

/** Evidence that a guarded rule asks for: green is worse at all, with one false alarm in a hundred rollouts. */
export const GUARD = 100;

/** What the rules of a flag are looked at with. */
export interface Look {
  flag: Flag;
  window: Window;
  samples: Samples;
  comparison: ComparisonView | undefined;
  /** The rule's clock at the last look. */
  timer: Timer | undefined;
  /** When breakers were open by no fault of green's last, milliseconds since the epoch; undefined if never. */
  excusedAt: number | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

/** What was found about a literal rule, and its clock where it has one. */
export interface Looked {
  finding: Finding;
  timer: Timer | undefined;
}

/**
 * Looks at a literal rule with all its conditions. A breach at every look is one of the whole stretch too: the windows
 * that were looked at cover it, and each of them is beyond the limit.
 */
export function lookAt(rule: LiteralRule, look: Look): Looked {
  const { samples, window, now } = look;
  const found = findingOf(rule, samples, window.failed);
  const literal = oneVisitors(rule, found, samples, window, now) ?? found;
  const timer = lasts(rule) ? advance(look.timer, literal.verdict, look.now, rule.window * 1000) : undefined;
  if (literal.verdict !== "unhealthy") return { finding: literal, timer };
  const waiting = timer && waits(rule, literal, timer);
  return {
    finding: waiting ?? unguarded(rule, literal, look) ?? shared(rule, literal, look) ?? literal,
    timer,
  };
}

function lasts(rule: LiteralRule): rule is Extract<LiteralRule, { for: number }> {
  return "for" in rule && rule.for > 0;
}

function waits(rule: LiteralRule, literal: Finding, { heldMs }: Timer): Finding | undefined {
  if (!lasts(rule) || heldMs >= rule.for * 1000) return undefined;
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

/** A breach that is an outage of both sides, and what the rule makes of it. */
export function shared(rule: LiteralRule, literal: Finding, look: Omit<Look, "timer">): Finding | undefined {
  if (!("onSharedOutage" in rule) || rule.onSharedOutage === "halt" || !isCompared(rule, look.flag))
    return undefined;
  const evidence = evidenceOf(rule, look.comparison);
  if (evidence >= SHARED_BELOW) return undefined;
  const ignored = rule.onSharedOutage === "ignore";
  const verdict: Verdict = ignored ? "healthy" : "insufficient";
  const so = ignored ? "no fault of green's" : "the rollout holds";
  const blue = sharedOutage(rule, look.samples, look.window, look.now);
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

/**
 * Breakers that opened by no fault of green's keep its visitors away when the reason is long gone, and what they kept
 * away is looked at for a window more.
 */
function breakersRecover(
  rule: AbsoluteRule,
  { flag, samples, excusedAt, now }: Pick<Look, "flag" | "samples" | "excusedAt" | "now">,
): boolean {
  if (rule.metric !== "error_rate" || samples.green.all.diverted === 0) return false;
  if (excusedAt === undefined || !flag.route) return false;
  return now - excusedAt <= (flag.route.breaker.resetTimeout + rule.window) * 1000;
}

function blueDoesToo({ metric }: AbsoluteRule, { figures }: Finding): string {
  switch (metric) {
    case "error_rate":
      return `Blue failed ${percent(figures.rate ?? 0)}`;
    case "latency_p95":
      return `Blue's p95 is ${milliseconds(figures.greenP95 ?? 0)}`;
    case "consecutive_errors":
      return `Blue failed ${figures.longest ?? 0} in a row`;
  }
}

function blueFigures({ metric }: AbsoluteRule, { figures }: Finding): Record<string, number> {
  const value = {
    error_rate: figures.rate,
    latency_p95: figures.greenP95,
    consecutive_errors: figures.longest,
  }[metric];
  const name = { error_rate: "blueRate", latency_p95: "blueP95", consecutive_errors: "blueLongest" }[metric];
  return { [name]: value ?? 0 };
}

function signalOf({ metric }: LiteralRule): Signal {
  return metric === "latency_p95" ? "latency" : "errors";
}

/** Evidence of the rule's signal that green is worse; 1, where it starts, while nothing is compared. */
function evidenceOf(rule: LiteralRule, comparison: ComparisonView | undefined): number {
  return comparison?.[signalOf(rule)] ?? 1;
}

/** Is the rule's signal compared at all? If not, evidence can never tell green's failing from an outage of both. */
function isCompared(rule: LiteralRule, { rules }: Flag): boolean {
  const evidence = rules.find((other) => other.metric === "evidence");
  return evidence === undefined || evidence.signals.includes(signalOf(rule));
}
