/** What the runs of one contender over one scenario come to. */
import { quantile, wilson } from "../statistics.ts";
import { boundOf } from "./bound.ts";
import type { Case } from "./scenarios.ts";
import type { Outcome } from "./simulate.ts";

/** Expected false halts at the limit from which on runs are enough: none in 3,000 shows a tenth of a percent. */
const ENOUGH = 3;

/** `few`: too few runs to say. */
export type Verdict = "aim" | "met" | "missed" | "few";

export interface Served {
  median: number;
  p95: number;
}

export interface Summary {
  scenario: string;
  group: Case["group"];
  contender: string;
  runs: number;
  /** Runs that halted: of a green that is fine all of them are false, of one that changes those after the change. */
  halts: number;
  /** Runs that halted before the change. */
  early: number;
  /** Share of false halts with its 95 % interval. */
  falseShare: number;
  low: number;
  high: number;
  /** Of green from the change to the halt; runs without a halt count as Infinity, early ones not at all. */
  requests?: Served;
  failures?: Served;
  /** Fewest requests that theory allows, and median requests over it. */
  bound?: number;
  ratio?: number;
  atLeast?: number;
  aim?: number;
  verdict?: Verdict;
}

export function summarise(scenario: Case, contender: string, outcomes: readonly Outcome[]): Summary {
  const runs = outcomes.length;
  const early = outcomes.filter((outcome) => outcome.early).length;
  const halts = outcomes.filter((outcome) => outcome.halted).length - early;
  const falsely = scenario.measure === "halts" ? halts : early;
  const { low, high } = wilson(falsely, runs);
  const { name, group, atLeast, aim, measure } = scenario;
  const summary: Summary = {
    scenario: name,
    group,
    contender,
    runs,
    halts,
    early,
    falseShare: falsely / runs,
    low,
    high,
    ...(atLeast !== undefined && { atLeast }),
    ...(aim !== undefined && { aim }),
  };
  if (measure === "halts") {
    if (atLeast !== undefined && aim !== undefined)
      summary.verdict = verdictOfHalts(falsely, runs, atLeast, aim);
    return summary;
  }
  const judged = outcomes.filter((outcome) => !outcome.early);
  summary.requests = served(judged, ({ greenRequests }) => greenRequests);
  summary.failures = served(judged, ({ greenFailures }) => greenFailures);
  const bound = boundOf(scenario);
  if (bound !== undefined) {
    summary.bound = bound;
    summary.ratio = summary.requests.median / bound;
  }
  if (atLeast !== undefined && aim !== undefined)
    summary.verdict = verdictOf(summary.requests.median, atLeast, aim);
  return summary;
}

function served(outcomes: readonly Outcome[], of: (outcome: Outcome) => number): Served {
  const values = outcomes.map((outcome) => (outcome.halted ? of(outcome) : Number.POSITIVE_INFINITY));
  return { median: quantile(values, 0.5), p95: quantile(values, 0.95) };
}

function verdictOf(value: number, atLeast: number, aim: number): Verdict {
  if (value <= aim) return "aim";
  return value <= atLeast ? "met" : "missed";
}

/** With few runs only what is beyond doubt is missed, and nothing is met. */
function verdictOfHalts(falsely: number, runs: number, atLeast: number, aim: number): Verdict {
  if (runs * atLeast >= ENOUGH) return verdictOf(falsely / runs, atLeast, aim);
  return wilson(falsely, runs).low > atLeast ? "missed" : "few";
}
