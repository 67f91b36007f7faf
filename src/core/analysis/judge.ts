/**
 * The judgement of one flag: the one place where counts become a verdict. The controller calls it for every flag
 * whose counts have changed; how it comes to its verdict is nobody else's business.
 */
import { eventOf } from "../flag/condition.ts";
import type { Stage } from "../flag/plan.ts";
import type { Flag, Rule } from "../flag/schema.ts";
import type { ComparisonView } from "./comparing.ts";
import { wordsOf } from "./condition-words.ts";
import { type Look, lookAt, type OfCohort, shared } from "./conditions.ts";
import { DIVERTED, divertedFinding, isExcused } from "./diverted.ts";
import { evidenceFinding } from "./evidence-rule.ts";
import { goingAway } from "./going-away.ts";
import { rulesInForce } from "./in-force.ts";
import { isCounted } from "./measuring.ts";
import { meantFor } from "./quantity.ts";
import { Reader } from "./reading.ts";
import { gather, newMemory, type RuleMemory } from "./rule-memory.ts";
import type { Finding, LiteralRule, Verdict } from "./rules.ts";
import type { Telemetry } from "./telemetry.ts";
import { LONGEST_WINDOW_MS, type Samples, type Window } from "./window.ts";
import { count } from "./words.ts";

/** Without a word from any isolate for so long there is no telemetry, milliseconds: three of the longest flush intervals. */
export const SILENT_AFTER_MS = 60_000;

/** What a judgement is made from. */
export interface JudgeInput {
  flag: Flag;
  /** Stage that the rollout is in; its rules are in force beside the flag's. */
  stage?: Stage | undefined;
  /** Window of this flag and its release; undefined before the first count. */
  window: Window | undefined;
  /** What is kept for longer than a minute, and what is not counted from requests. */
  telemetry?: Telemetry | undefined;
  /** When any isolate was last heard from, milliseconds since the epoch. */
  heardAt: number;
  /** Milliseconds since the epoch. */
  now: number;
  /** What the sequential comparison of this flag says now; undefined before its first tick. */
  comparison?: ComparisonView | undefined;
  /** The memory that the last judgement of this release gave back; undefined for the first. It is not changed. */
  memory?: RuleMemory | undefined;
}

/** A rule that fires now. */
export interface FiredRule extends Finding {
  action: Rule["action"];
  /** Names the rule among those in force; the same at every look. */
  key: string;
  /** Only this cohort is meant. */
  cohort?: string;
}

/** What was found about one flag. `rule` and `figures` are those of the finding that decided. */
export interface Judgement extends Finding {
  /** Every rule's finding, in the order of the document, and what else was found. */
  findings: Finding[];
  /** Does evidence, which remembers, say that green is healthy? */
  compared: boolean;
  /** All rules that fire now, the gravest action first. A rule that only alerts fires without making the verdict bad. */
  fired: FiredRule[];
  /** For the next judgement of this release. Who only wants to know drops it. */
  memory: RuleMemory;
}

/** A finding with the rule that it is of; what is found without a rule takes green out of traffic. */
interface Found extends OfCohort {
  action: Rule["action"];
  key: string;
}

/** Judges the flag's present release. Pure. */
export function judge(input: JudgeInput): Judgement {
  const { flag, stage, window, telemetry, heardAt, now, memory = newMemory() } = input;
  const rules = rulesInForce(flag, stage);
  // Whoever resumed has seen what was before.
  const reader = new Reader({ flag, window, telemetry, now }, window?.since);
  const silent = now - heardAt > SILENT_AFTER_MS;
  if (silent || !window) {
    const nothing = silent ? unheard(heardAt) : unasked(flag);
    return withoutCounts({ rules, reader, memory, nothing, counts: !silent });
  }
  return withCounts({ rules, reader, memory, window }, input);
}

interface Setting {
  rules: readonly Rule[];
  reader: Reader;
  memory: RuleMemory;
}

/**
 * Without counts of the last minute what is not counted still speaks: alerts, health checks, gauges. `counts`: isolates
 * report, so what is kept for longer may be looked at.
 */
function withoutCounts({
  rules,
  reader,
  memory,
  nothing,
  counts,
}: Setting & { nothing: Finding; counts: boolean }): Judgement {
  const { telemetry } = reader.sources;
  const look: Look = { reader, comparison: undefined, evidence: [], excusedAt: undefined };
  const next: RuleMemory = { ...memory, timers: { ...memory.timers } };
  const found = rules.flatMap((rule, i): Found[] => {
    if (rule.metric === "evidence" || !telemetry) return [];
    if (isCounted(rule) && !(counts && isKept(rule))) return [];
    return looked(rule, i, look, memory, next);
  });
  // What was not looked at stands still: no later look speaks for the time of a silence.
  for (const [key, timer] of Object.entries(next.timers))
    if (timer === memory.timers[key]) next.timers[key] = { ...timer, at: reader.sources.now, breach: false };
  const judgement = judgementOf(found, next);
  // What is wanting besides may be more than requests.
  const graver = judgement.verdict === "unhealthy" || judgement.verdict === "unmeasured";
  return graver && nothing.verdict !== judgement.verdict ? judgement : { ...judgement, ...nothing };
}

/** Is it about what is kept for longer than the last minute of requests? */
function isKept(rule: Rule): boolean {
  return eventOf(rule) !== undefined;
}

function unheard(heardAt: number): Finding {
  const sentence = `No isolate has reported ${heardAt === 0 ? "yet" : "for a minute"}`;
  return { rule: "telemetry", verdict: "unmeasured", sentence, figures: {} };
}

function unasked({ release }: Flag): Finding {
  const sentence = `Green has had no request as release ${release}`;
  return { rule: "minimum", verdict: "insufficient", sentence, figures: { requests: 0 } };
}

function withCounts(
  { rules, reader, memory, window }: Setting & { window: Window },
  { comparison, now }: JudgeInput,
): Judgement {
  const errors = comparison?.errors ?? 1;
  const lately = reader.samples(LONGEST_WINDOW_MS / 1000)!;
  const diverted = divertedFinding(window, lately, now);
  const excusedAt = isExcused(window, lately, errors, now) ? now : memory.excusedAt;
  const next: RuleMemory = { timers: {}, ...gather(memory, window, errors, now), excusedAt };
  const compared = {
    comparison,
    compared: window.compared,
    blueCompared: lately.blue.hash.units,
    blame: next.latest,
  };
  const evidence = rules.filter((rule) => rule.metric === "evidence");
  const look: Look = { reader, comparison, evidence, excusedAt };
  const found = rules.flatMap((rule, i): Found[] => {
    if (rule.metric !== "evidence") return looked(rule, i, look, memory, next);
    const finding = evidenceFinding(rule, compared);
    return [{ finding, cohort: undefined, action: rule.action, key: `${i}${EVIDENCE}` }];
  });
  const leaving = evidence.length > 0 ? goingAway(lately) : undefined;
  if (leaving) found.push(unruled(leaving));
  if (diverted) found.unshift(unruled(shared(DIVERTED, diverted, look) ?? diverted));
  return judgementOf(found, next, withoutRules(lately));
}

function looked(rule: LiteralRule, i: number, look: Look, memory: RuleMemory, next: RuleMemory): Found[] {
  const key = `${i} ${wordsOf(rule)}`;
  const { action } = rule;
  return lookAt(rule, look, { key, memory, after: next.timers }).map((of) => ({ ...of, action, key }));
}

function unruled(finding: Finding): Found {
  return { finding, cohort: undefined, action: "rollback", key: finding.rule };
}

/** The judgement that follows from what was found; `otherwise` where there is nothing that decides. */
function judgementOf(found: readonly Found[], memory: RuleMemory, otherwise?: Finding): Judgement {
  const fired = found.flatMap(({ finding, action, key, cohort }): FiredRule[] => {
    if (finding.verdict !== "unhealthy") return [];
    return [{ ...finding, action, key, ...(cohort === undefined ? {} : { cohort }) }];
  });
  fired.sort((a, b) => GRAVITY.indexOf(a.action) - GRAVITY.indexOf(b.action));
  // Of cohorts that are looked at by themselves only a bad one says anything of the flag.
  const deciding = found
    .filter(
      ({ action, cohort, finding }) => action !== "alert" && (!cohort || finding.verdict === "unhealthy"),
    )
    .map(({ finding }) => finding);
  const first = (verdict: Verdict) => deciding.find((finding) => finding.verdict === verdict);
  const worst = fired.find(({ action }) => action !== "alert");
  const decisive = (worst && plain(worst)) ??
    first("unmeasured") ??
    deciding.find(({ verdict, few }) => verdict === "insufficient" && !few) ??
    first("insufficient") ??
    deciding[0] ??
    otherwise ?? { rule: "none", verdict: "insufficient", sentence: "", figures: {} };
  const compared = found.some(({ finding, key }) => key.endsWith(EVIDENCE) && finding.verdict === "healthy");
  return { ...decisive, findings: found.map(({ finding }) => finding), compared, fired, memory };
}

/** End of the key of the rule evidence. */
const EVIDENCE = " evidence";

/** The gravest action first. */
const GRAVITY: readonly Rule["action"][] = ["rollback", "reduce", "pause", "alert"];

function plain({ rule, verdict, sentence, figures }: Finding): Finding {
  return { rule, verdict, sentence, figures };
}

function withoutRules({ green }: Samples): Finding {
  const requests = meantFor(green.all);
  const verdict: Verdict = requests === 0 ? "insufficient" : "healthy";
  const sentence = `Green had ${count(requests, "request")} in the last minute; the flag has no halt rules`;
  return { rule: "none", verdict, sentence, figures: { requests } };
}
