/** What a look at the counts comes to: time passes, a stage is left, held, or somebody is asked. */
import { audit, type Draft, MAX_LOOK_GAP_MS, startClock, tell } from "./draft.ts";
import { complete, enter, validate } from "./entering.ts";
import { inWords, type Missing, missingAtEntry, missingAtExit, seconds } from "./missing.ts";
import type { Look, RolloutEvent } from "./progress.ts";
import { dwellOf, inStage, nameOfStage, nextStage, stageOf } from "./stages.ts";
import { lookDown, pause } from "./stopping.ts";

/** One transition at most. A look at a time that was looked at already says nothing new. */
export function onLook(d: Draft, look: Look, stopped: boolean): void {
  const { p, now } = d;
  const gap = Math.min(now - p.lookedAt, MAX_LOOK_GAP_MS);
  if (gap <= 0) return;
  startClock(d);
  if (stopped) return;
  if (p.phase === "rollingBack") lookDown(d, gap, look.verdict, look.sentence);
  if (p.phase === "progressing" || p.phase === "awaitingApproval") lookAtStage(d, look, gap);
}

function lookAtStage(d: Draft, look: Look, gap: number): void {
  const { p } = d;
  const measured = look.verdict !== "unmeasured";
  p.inStageMs += gap;
  if (measured) p.elapsedMs += gap;
  if (!p.plan) return;
  if (measured && p.bakedMs !== undefined) p.bakedMs += gap;
  const exit = missingAtExit(p, look);
  // After `advance` the stage's own gates are skipped; without telemetry nothing goes on all the same.
  const missing = p.ordered && measured ? [] : exit;
  if (missing.length > 0) hold(d, missing, measured, gap);
  else if (p.phase === "awaitingApproval") p.stalledMs = 0;
  else leave(d, look, gap);
}

/** The stage's own conditions hold: approval, bake and the next stage's entry are left. */
function leave(d: Draft, look: Look, gap: number): void {
  const { p } = d;
  const stage = stageOf(p);
  const next = nextStage(p);
  if (stage?.approval === "manual" && p.approvedBy === undefined && !p.ordered) {
    awaitApproval(d, look);
    return;
  }
  if (stage && stage.bake > 0 && !p.ordered) {
    if (p.bakedMs === undefined) {
      p.bakedMs = 0;
      audit(d, "bake", `Gates have passed; ${seconds(stage.bake * 1000)} of bake begin`);
    }
    if (p.bakedMs < stage.bake * 1000) return;
  }
  if (next === undefined) {
    complete(d, look.sentence);
    return;
  }
  const entry = missingAtEntry(p, next, look.entry);
  if (entry.length > 0) hold(d, entry, true, gap);
  else knock(d, next, gap);
}

/** Enters the next stage once its requests have passed. */
function knock(d: Draft, next: number, gap: number): void {
  const { p } = d;
  const requests = p.plan!.stages[next]!.validate;
  if (requests.length === 0 || p.validation === "passed") enter(d, next);
  else if (p.validation === "waiting")
    hold(d, [{ kind: "few", sentence: "its requests are being tried on green" }], true, gap);
  else validate(d, next);
}

function awaitApproval(d: Draft, look: Look): void {
  const { p } = d;
  p.phase = "awaitingApproval";
  const sentence = `All gates of ${nameOfStage(p.plan!, p.stage)} have passed; somebody has to approve before it is left`;
  p.why = sentence;
  tell(d, "approval", sentence);
  audit(d, "awaiting approval", sentence, { requests: look.requests });
}

/** The stage goes on: what is wanting is told once, and longer than its maximum it does not take. */
function hold(d: Draft, missing: Missing[], measured: boolean, gap: number): void {
  const { p } = d;
  const stage = stageOf(p);
  const overMs = p.elapsedMs - dwellOf(p).duration * 1000;
  const stalled = !measured || (overMs >= 0 && missing.some((m) => m.kind === "few"));
  // What was within the stage's own time was not held, however long ago the last look was.
  const heldMs = measured ? Math.min(gap, overMs) : gap;
  p.stalledMs = stalled ? p.stalledMs + heldMs : 0;
  if (stalled && !p.stalledTold && p.stalledMs >= p.plan!.stalledAfter * 1000) {
    p.stalledTold = true;
    const sentence = `Held ${inStage(p.plan!, p.stage)} for ${seconds(p.stalledMs)}: ${inWords(missing.filter((m) => m.kind === "few"))}`;
    tell(d, "stalled", sentence);
    audit(d, "stalled", sentence);
  }
  if (!p.wordsTold && missing.every((m) => m.kind === "word")) {
    p.wordsTold = true;
    tell(d, "approval", `Waits ${inStage(p.plan!, p.stage)}: ${inWords(missing)}`);
    audit(d, "awaiting sign-off", inWords(missing));
  }
  const most = stage?.maxDuration;
  if (most !== undefined && p.bakedMs === undefined && p.inStageMs >= most * 1000) {
    const sentence = `${nameOfStage(p.plan!, p.stage)} may take ${seconds(most * 1000)} at most and still waits: ${inWords(missing)}`;
    pause(d, { rule: "maxDuration", sentence });
  }
}

/** The stage's requests have been tried on green. */
export function onValidated(d: Draft, e: Extract<RolloutEvent, { type: "validated" }>): void {
  const { p } = d;
  const key = p.validationKey;
  if (key === undefined || p.validation !== "waiting") return;
  if (e.key !== key && !e.key.endsWith(`/${key}`)) return;
  p.validation = e.passed ? "passed" : "failed";
  p.smoke = p.validation;
  audit(d, "validated", e.sentence, { passed: e.passed ? 1 : 0 });
  const next = nextStage(p);
  if (!e.passed) {
    const going = p.phase === "progressing" || p.phase === "awaitingApproval";
    const where = next === undefined || !p.plan ? "the next stage" : nameOfStage(p.plan, next);
    if (going)
      pause(d, { rule: "validate", sentence: `the requests before ${where} have failed: ${e.sentence}` });
    return;
  }
  // Nobody is on green before the first stage, so no look could tell more.
  const first = p.phase === "progressing" && p.stage < 0 && p.share === 0;
  if (first && next !== undefined && p.plan!.stages[next]!.entry.length === 0) enter(d, next);
}
