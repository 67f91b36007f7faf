/** The checks before a rollout goes on to a cohort, from what the API says; nothing is changed by them. */
import type { Verdict } from "../../core/analysis/rules.ts";
import type { GateView, RolloutView, VerdictView } from "../../core/api/views.ts";
import { stageOf } from "./of-cohort.ts";

/** One check. `healthy` holds; `insufficient` and `unmeasured` cannot be told, and so do not hold. */
export interface Check {
  what: string;
  verdict: Verdict;
  sentence: string;
}

/** What the Canary plan asks for before each expansion, and the words by which a gate for it is known. */
const ASKED: readonly (readonly [what: string, gate: RegExp])[] = [
  ["error rate within its threshold", /error_rate(?! of)/],
  ["objectives met for their time", /slos|objectives/],
  ["no open bugs of severity 1 or 2", /sev/i],
  ["enough positive feedback", /feedback/i],
  ["difference to stable within tolerance", /diff/i],
];

/** All checks for an expansion to the cohort's stage, or out of it where the rollout is in it. */
export function expansionChecks(rollout: RolloutView, cohort: string, verdict: VerdictView | null): Check[] {
  const stage = stageOf(rollout, cohort);
  const checks = [underWay(rollout), place(rollout, cohort, stage), judged(verdict), ...halts(rollout)];
  // A stage that was left has no gates to hold any more.
  if (stage >= rollout.stage || stage < 0) {
    if (rollout.stage >= 0) checks.push(time(rollout), requests(rollout));
    checks.push(...[...rollout.exit, ...rollout.entry].map(ofGate));
    if (rollout.validation === "failed")
      checks.push({ what: "smoke requests", verdict: "unhealthy", sentence: "The last ones failed." });
  }
  return checks;
}

/** Which of the Canary plan's checks no gate of the stage speaks of: people have to look at them. */
export function notAsked({ exit, entry }: RolloutView): string[] {
  const gates = [...exit, ...entry];
  return ASKED.filter(([, words]) => !gates.some(({ what }) => words.test(what))).map(([what]) => what);
}

function ofGate({ what, verdict, sentence }: GateView): Check {
  return { what, verdict, sentence };
}

function underWay({ phase, why }: RolloutView): Check {
  const goes = phase === "progressing" || phase === "awaitingApproval" || phase === "completed";
  const sentence = goes
    ? `The rollout is ${phase}.`
    : `The rollout is ${phase}${why === null ? "." : `: ${why}`}`;
  return { what: "rollout goes on", verdict: goes ? "healthy" : "unhealthy", sentence };
}

function place(rollout: RolloutView, cohort: string, stage: number): Check {
  const what = "its turn";
  if (stage < 0) return { what, verdict: "healthy", sentence: `The plan has no stage for ${cohort}.` };
  const here = `stage ${rollout.stage + 1} of ${rollout.stages.length}`;
  if (stage > rollout.stage + 1)
    return { what, verdict: "unhealthy", sentence: `It is stage ${stage + 1}; the rollout is in ${here}.` };
  const where = stage === rollout.stage + 1 ? "next" : stage === rollout.stage ? "under way" : "done";
  return { what, verdict: "healthy", sentence: `It is ${where}; the rollout is in ${here}.` };
}

function judged(verdict: VerdictView | null): Check {
  return {
    what: "verdict over green",
    verdict: verdict?.verdict ?? "unmeasured",
    sentence: verdict?.sentence ?? "Nothing was judged yet.",
  };
}

function halts({ halts }: RolloutView): Check[] {
  return halts.map(({ rule, reason, action }) => ({
    what: `${action}: ${rule}`,
    verdict: "unhealthy",
    sentence: reason,
  }));
}

function time({ elapsed, duration }: RolloutView): Check {
  const enough = elapsed >= duration;
  const sentence = `${Math.floor(elapsed)} s of ${duration} s measured`;
  return { what: "time in the stage", verdict: enough ? "healthy" : "insufficient", sentence };
}

function requests({ requests, minRequests }: RolloutView): Check {
  const enough = requests >= minRequests;
  return {
    what: "requests of the stage",
    verdict: enough ? "healthy" : "insufficient",
    sentence: `${requests} of ${minRequests}`,
  };
}
