/** The command resume: lifts what stands against this release, and goes on where the rollout was. */
import { FULL_SHARE } from "../flag/percentage.ts";
import { audit, beginStage, type Draft, holdsFor, isFull, lift, open, place, startClock } from "./draft.ts";
import { begin, openNext, setByHand, settle, takeAll, validate } from "./entering.ts";
import { type Refused, refuse } from "./refusing.ts";
import { BEFORE, cohortsOf, nextStage, shareOfStage, stageOf } from "./stages.ts";

export function resume(d: Draft, reason: string): Refused | undefined {
  const { p } = d;
  const { phase } = p;
  const stands = p.standing.some((s) => holdsFor(s, p.release));
  if (!stands && phase !== "paused" && phase !== "halted" && phase !== "rollingBack")
    return refuse("not-paused", `Nothing is paused or halted; the rollout is ${phase}`);
  const reduced = p.standing.some((s) => s.action === "reduce" && holdsFor(s, p.release));
  lift(d);
  audit(d, "resume", reason, { phase, share: p.share / 1000 });
  if (p.state !== "canary" && p.state !== "on") p.phase = "idle";
  else if (phase !== "paused" && phase !== "halted" && phase !== "rollingBack") return undefined;
  else if (p.state === "on") {
    takeAll(d, FULL_SHARE);
    p.phase = "completed";
  } else if (p.plan) resumePlan(d);
  else {
    const kept = phase === "paused" && !reduced ? p.share : p.asked;
    p.share = p.waiting ?? kept;
    p.waiting = undefined;
    if (p.share > 0 && !isFull(p.share)) open(d);
    settle(d, "resumed");
  }
  if (p.phase !== "halted" && p.phase !== "paused") p.why = undefined;
  return undefined;
}

function resumePlan(d: Draft): void {
  const { p } = d;
  const { phase, waiting } = p;
  p.why = undefined;
  p.waiting = undefined;
  if (p.startedAt === 0) {
    p.phase = "idle";
    if (p.plan?.start === "auto") begin(d, "asked");
    return;
  }
  if (waiting !== undefined && waiting > 0) {
    setByHand(d, waiting);
    return;
  }
  if (phase === "paused") {
    resumePaused(d);
    return;
  }
  if (phase === "halted" && waiting !== 0) goBack(d);
  else place(d, waiting ?? p.share);
  p.descent = undefined;
  p.phase = "progressing";
  beginStage(d);
  open(d);
  if (p.stage === BEFORE && p.share === 0) openNext(d);
}

/** Back to the stage whose share fell by degrees to nothing; one that was stopped on its way down goes on from there. */
function goBack({ p }: Draft): void {
  if (!p.descent || p.share > 0) return;
  p.share = p.descent.from;
  p.stage = p.descent.stage;
  p.byHand = shareOfStage(p.plan!, p.stage) !== p.share;
  p.cohorts = cohortsOf(p.plan!, p.stage);
}

function resumePaused(d: Draft): void {
  const { p } = d;
  startClock(d);
  const most = stageOf(p)?.maxDuration;
  // Whoever resumes a stage that took too long gives it the same time once more.
  if (most !== undefined && p.inStageMs >= most * 1000) p.inStageMs = 0;
  if (!p.open && isFull(p.share) && nextStage(p) === undefined) {
    p.phase = "completed";
    return;
  }
  p.phase = "progressing";
  open(d);
  const next = nextStage(p);
  // An answer that has not come by now may never come: the outbox has lost it.
  const untried = p.validation === "failed" || p.validation === "waiting";
  if (untried && next !== undefined) validate(d, next);
  else if (p.stage === BEFORE && p.share === 0) openNext(d);
}
