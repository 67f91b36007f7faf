/** Gates: conditions that must be met before a stage opens or is left, and what is missing while they are not. */
import type { Condition } from "../flag/condition.ts";
import type { Gate } from "../flag/plan.ts";
import { wordsOf } from "./condition-words.ts";
import { limitOf, opensAt } from "./limits.ts";
import type { Measure } from "./measured.ts";
import { clockOf, isCounted, type Measuring, measureOf } from "./measuring.ts";
import { Reader, type Sources } from "./reading.ts";
import type { Timer } from "./rule-memory.ts";
import type { Finding, Verdict } from "./rules.ts";
import { seconds } from "./words.ts";

/** Clocks of gates. JSON as it is; one for each list of gates, and a new one where a list begins to be waited for. */
export interface GateMemory {
  timers: Record<string, Timer>;
}

/** The memory of gates that were never looked at. */
export function newGateMemory(): GateMemory {
  return { timers: {} };
}

/** What the gates of a list found, in their order, and the memory for the next look. */
export interface Gated {
  /** Undefined for a sign-off, which somebody gives. Healthy: the gate is open. */
  findings: (Finding | undefined)[];
  memory: GateMemory;
}

/**
 * Looks at a list of gates. A window of at most a minute is read tick by tick where `window` is given, all others from
 * telemetry. `memory` is what the last look gave back; it is not changed.
 */
export function gatesOf(
  gates: readonly Gate[],
  sources: Sources,
  memory: GateMemory = newGateMemory(),
): Gated {
  const reader = new Reader(sources);
  const after: GateMemory["timers"] = {};
  const clocks = { before: memory.timers, after };
  const findings = gates.map((gate, i) => {
    if ("signOff" in gate) return undefined;
    const key = `${i} ${wordsOf(gate)}`;
    return gateOf(gate, { reader, clocks, key, cohort: undefined });
  });
  return { findings, memory: { timers: after } };
}

/** Looks at one gate, over the flag or in each cohort: it opens when it is open in all of them. */
function gateOf(gate: Condition, measuring: Measuring): Finding {
  if (!isCounted(gate) || gate.scope !== "cohort") return findingOf(gate, measuring);
  const cohorts = measuring.reader.sources.telemetry?.cohorts();
  if (!cohorts?.length) return findingOf(gate, measuring);
  const all = cohorts.map((cohort) => {
    const finding = findingOf(gate, { ...measuring, cohort, key: `${measuring.key} in ${cohort}` });
    return { ...finding, sentence: `Cohort ${cohort}: ${finding.sentence}` };
  });
  const worst = (verdict: Verdict) => all.find((finding) => finding.verdict === verdict);
  return worst("unhealthy") ?? worst("unmeasured") ?? worst("insufficient") ?? all[0]!;
}

function findingOf(gate: Condition, measuring: Measuring): Finding {
  const measured = measureOf(gate, measuring);
  const rule = wordsOf(gate);
  const { figures } = measured;
  const finding = (verdict: Verdict, sentence: string): Finding => ({ rule, verdict, sentence, figures });
  const held = "for" in gate && gate.for > 0 ? clockOf(gate, measured.state, measuring).heldMs : 0;
  const opens = opening(gate, measured);
  switch (measured.state) {
    case "unmeasured":
      return finding("unmeasured", measured.measured);
    case "few":
      return finding("insufficient", measured.measured);
    case "unmet":
      return finding(isMinimum(gate) ? "insufficient" : "unhealthy", `${measured.measured}; ${opens}`);
    default: {
      if (!("for" in gate) || held >= gate.for * 1000) return finding("healthy", measured.measured);
      const since = seconds(Math.floor(held / 1000));
      const sentence = `${measured.measured}, for ${since} now; the gate waits for ${seconds(gate.for)}`;
      return { ...finding("insufficient", sentence), figures: { ...figures, heldSeconds: held / 1000 } };
    }
  }
}

/** When the gate opens, as the end of a sentence. */
function opening(gate: Condition, { limit }: Measure): string {
  switch (gate.metric) {
    case "slos":
      return `the gate opens while ${gate.set} is ${gate.are}`;
    case "smoke_test":
      return `the gate opens when they have ${gate.is}`;
    case "non_inferiority":
      return `the gate opens at ${limit}`;
    default:
      return `the gate opens ${opensAt(limitOf(gate).operator, limit)}`;
  }
}

/** A gate that asks for so many requests or visitors is not failed while they have not come: it waits for them. */
function isMinimum(gate: Condition): boolean {
  if (gate.metric !== "requests" && gate.metric !== "visitors") return false;
  return gate.atLeast !== undefined || gate.above !== undefined;
}
