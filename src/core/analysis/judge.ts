/**
 * The judgement of one flag: the one place where counts become a verdict. The controller calls it for every flag
 * whose counts have changed; how it comes to its verdict is nobody else's business.
 */
import type { Flag } from "../flag/schema.ts";
import type { ComparisonView } from "./comparing.ts";
import { lookAt, shared } from "./conditions.ts";
import { DIVERTED, divertedFinding, isExcused } from "./diverted.ts";
import { entry } from "./entry.ts";
import { evidenceFinding } from "./evidence-rule.ts";
import { goingAway } from "./going-away.ts";
import { gather, newMemory, type RuleMemory } from "./rule-memory.ts";
import { type Finding, meantFor, type Verdict, wordsOf } from "./rules.ts";
import { LONGEST_WINDOW_MS, type Samples, trailing, type Window } from "./window.ts";
import { count } from "./words.ts";

/** Without a word from any isolate for so long there is no telemetry, milliseconds: three of the longest flush intervals. */
export const SILENT_AFTER_MS = 60_000;

/** What a judgement is made from. */
export interface JudgeInput {
  flag: Flag;
  /** Window of this flag and its release; undefined before the first count. */
  window: Window | undefined;
  /** When any isolate was last heard from, milliseconds since the epoch. */
  heardAt: number;
  /** Milliseconds since the epoch. */
  now: number;
  /** What the sequential comparison of this flag says now; undefined before its first tick. */
  comparison?: ComparisonView | undefined;
  /** The memory that the last judgement of this release gave back; undefined for the first. It is not changed. */
  memory?: RuleMemory | undefined;
}

/** What was found about one flag. `rule` and `figures` are those of the finding that decided. */
export interface Judgement extends Finding {
  /** Every rule's finding, in the order of the document, and what else was found. */
  findings: Finding[];
  /** For the next judgement of this release. Who only wants to know drops it. */
  memory: RuleMemory;
}

/** Judges the flag's present release. Pure. */
export function judge({
  flag,
  window,
  heardAt,
  now,
  comparison,
  memory = newMemory(),
}: JudgeInput): Judgement {
  if (now - heardAt > SILENT_AFTER_MS) {
    const sentence = "No isolate has reported for a minute";
    return { rule: "telemetry", verdict: "unmeasured", sentence, figures: {}, findings: [], memory };
  }
  if (!window) {
    const sentence = `Green has had no request as release ${flag.release}`;
    return {
      rule: "minimum",
      verdict: "insufficient",
      sentence,
      figures: { requests: 0 },
      findings: [],
      memory,
    };
  }
  // Rules mostly share a window; summing it up is the costly part.
  const summed = new Map<number, Samples>();
  const samplesOf = (seconds: number) => entry(summed, seconds, () => trailing(window, now, seconds * 1000));
  const errors = comparison?.errors ?? 1;
  const lately = samplesOf(LONGEST_WINDOW_MS / 1000);
  const diverted = divertedFinding(window, lately, now);
  const excusedAt = isExcused(window, lately, errors, now) ? now : memory.excusedAt;
  const next: RuleMemory = { timers: {}, ...gather(memory, window, errors, now), excusedAt };
  const compared = {
    comparison,
    compared: window.compared,
    blueCompared: lately.blue.hash.units,
    blame: next.latest,
  };
  const findings = flag.rules.map((rule, i) => {
    if (rule.metric === "evidence") return evidenceFinding(rule, compared);
    const key = `${i} ${wordsOf(rule)}`;
    const samples = samplesOf(rule.window);
    const { finding, timer } = lookAt(rule, {
      flag,
      window,
      samples,
      comparison,
      now,
      excusedAt,
      timer: memory.timers[key],
    });
    if (timer) next.timers[key] = timer;
    return finding;
  });
  const isCompared = flag.rules.some(({ metric }) => metric === "evidence");
  const leaving = isCompared ? goingAway(lately) : undefined;
  if (leaving) findings.push(leaving);
  if (diverted) {
    const look = { flag, window, samples: lately, comparison, excusedAt, now };
    findings.unshift(shared(DIVERTED, diverted, look) ?? diverted);
  }
  const decisive =
    findings.find((f) => f.verdict === "unhealthy") ??
    findings.find((f) => f.verdict === "insufficient") ??
    findings[0] ??
    withoutRules(lately);
  return { ...decisive, findings, memory: next };
}

function withoutRules({ green }: Samples): Finding {
  const requests = meantFor(green);
  const verdict: Verdict = requests === 0 ? "insufficient" : "healthy";
  const sentence = `Green had ${count(requests, "request")} in the last minute; the flag has no halt rules`;
  return { rule: "none", verdict, sentence, figures: { requests } };
}
