/** What a rollout still waits for: in its present stage, and at the door of the next. */
import type { Finding } from "../analysis/rules.ts";
import type { Gate } from "../flag/plan.ts";
import type { Look, Progress } from "./progress.ts";
import { dwellOf, nextStage, stageOf, wordsIn } from "./stages.ts";

/** Something that is wanting. `few`: cannot be told for want of requests or telemetry. */
export interface Missing {
  kind: "time" | "few" | "gate" | "word";
  sentence: string;
}

/** What keeps a rollout from leaving its stage; empty when it may. */
export function missingAtExit(p: Progress, look: Look): Missing[] {
  const stage = stageOf(p);
  const missing: Missing[] = [];
  const last = nextStage(p) === undefined;
  // Whoever waits for nothing has nothing to show for it, but only at the end: elsewhere few requests are no success.
  const idle = last && stage !== undefined && stage.duration === 0 && stage.minRequests === 0;
  const nobody = p.share === 0 && (p.cohorts ?? []).length === 0;
  // Else somebody would watch a clock that does not move, and wonder.
  const stands = look.verdict === "unmeasured" ? ", and the clock stands: something is not measured" : "";
  const { duration, minRequests } = dwellOf(p);
  const left = duration * 1000 - p.elapsedMs;
  if (left > 0)
    missing.push({
      kind: "time",
      sentence: `${seconds(left)} of ${seconds(duration * 1000)} are left${stands}`,
    });
  if (look.requests < minRequests)
    missing.push({
      kind: "few",
      sentence: `${look.requests} of ${minRequests} requests have come`,
    });
  if (stage) {
    missing.push(...missingOf(p, stage.exit, look.exit));
    for (const finding of look.exit.slice(stage.exit.length)) {
      if (idle && finding?.verdict === "insufficient") continue;
      missing.push(...missingFinding(finding, "the error rate of the stage"));
    }
  }
  if (look.verdict === "unhealthy") missing.push({ kind: "gate", sentence: look.sentence });
  if (look.verdict === "unmeasured" || (look.verdict === "insufficient" && !idle && !nobody))
    missing.push({ kind: "few", sentence: look.sentence });
  return missing;
}

/** What keeps the next stage shut, its requests left aside; empty when nothing does. */
export function missingAtEntry(p: Progress, next: number, findings: Look["entry"]): Missing[] {
  const stage = p.plan?.stages[next];
  return stage ? missingOf(p, stage.entry, findings) : [];
}

/** Roles whose word is asked for now: at the exit of the present stage and the entry of the next. */
export function rolesAsked(p: Progress): string[] {
  const next = nextStage(p);
  const exit = stageOf(p)?.exit ?? [];
  const entry = next === undefined ? [] : (p.plan?.stages[next]?.entry ?? []);
  return [...new Set(wordsIn([...exit, ...entry]).map((w) => w.signOff))];
}

function missingOf(p: Progress, gates: readonly Gate[], findings: Look["exit"]): Missing[] {
  return gates.flatMap((gate, i) => {
    if (!("signOff" in gate)) return missingFinding(findings[i], `the gate ${gate.metric}`);
    const given = p.signOffs.some((s) => s.role === gate.signOff);
    return given
      ? []
      : [{ kind: "word" as const, sentence: `${gate.signOff} has to sign off: ${gate.what}` }];
  });
}

function missingFinding(finding: Finding | undefined, what: string): Missing[] {
  if (!finding) return [{ kind: "few", sentence: `${what} has not been looked at` }];
  if (finding.verdict === "healthy") return [];
  return [{ kind: finding.verdict === "unhealthy" ? "gate" : "few", sentence: finding.sentence }];
}

/** `90 s`, `30 min`, `48 h`: rounded up to whole seconds, so that something left is never `0 s`. */
export function seconds(ms: number): string {
  const whole = Math.ceil(ms / 1000);
  if (whole > 0 && whole % 3600 === 0) return `${whole / 3600} h`;
  return whole > 0 && whole % 60 === 0 ? `${whole / 60} min` : `${whole} s`;
}

/** All that is wanting, in one sentence. */
export function inWords(missing: readonly Missing[]): string {
  return missing.map((m) => m.sentence).join("; ");
}
