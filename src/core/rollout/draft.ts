/** A progress that is being changed by one event: what it was, what it becomes, and what follows from it. */

import type { Topic } from "../flag/notify.ts";
import { FULL_SHARE } from "../flag/percentage.ts";
import type { Action, Effect, Mark, Outcome, Progress, Standing } from "./progress.ts";
import { EVERY_RELEASE } from "./snapshot.ts";
import { BEFORE, cohortsOf, isAlike, percentOf, placeOf, shareOfStage } from "./stages.ts";

/** One look, or the time between two, counts at most so long: what was missed is folded, milliseconds. */
export const MAX_LOOK_GAP_MS = 120_000;

/** So many halts are remembered; the owner's rows know all. */
const MOST_STANDING = 200;

/** A change under way. Lists in `p` are replaced, never changed, for `before` holds the same ones. */
export interface Draft {
  readonly before: Progress;
  readonly now: number;
  p: Progress;
  effects: Effect[];
  /** Why the share changes, for whoever is told. */
  because: string;
}

/** Progress of a flag that was never seen. */
export function newProgress(): Progress {
  return {
    phase: "idle",
    rollout: 0,
    step: 0,
    open: false,
    state: "off",
    release: "",
    blueCapacity: undefined,
    plan: undefined,
    stage: BEFORE,
    share: 0,
    asked: 0,
    cohorts: undefined,
    byHand: false,
    waiting: undefined,
    startedAt: 0,
    stageAt: 0,
    elapsedMs: 0,
    inStageMs: 0,
    bakedMs: undefined,
    lookedAt: 0,
    stalledMs: 0,
    stalledTold: false,
    validation: "none",
    validationKey: undefined,
    smoke: "none",
    ordered: false,
    signOffs: [],
    wordsTold: false,
    approvedBy: undefined,
    why: undefined,
    descent: undefined,
    rollback: undefined,
    standing: [],
  };
}

export function draftOf(progress: Progress, now: number): Draft {
  return { before: progress, now, p: { ...progress }, effects: [], because: "" };
}

/** What green has in the end, thousandths of a percent: nothing while it is halted or killed. */
export function greenShare(p: Progress): number {
  return stopOf(p) ? 0 : p.share;
}

/** The halt that keeps all of this release from green. */
export function stopOf(p: Progress): Standing | undefined {
  return halts(p).find((s) => s.action === "kill") ?? halts(p).find((s) => s.action === "rollback");
}

/** What keeps green from rising: a pause or a reduction that stands. */
export function holdOf(p: Progress): Standing | undefined {
  return halts(p).find((s) => s.action === "pause" || s.action === "reduce");
}

function halts(p: Progress): Standing[] {
  return p.standing.filter((s) => s.cohort === undefined && holdsFor(s, p.release));
}

/** Does it hold for this release? */
export function holdsFor(s: Standing, release: string): boolean {
  return s.release === release || s.release === EVERY_RELEASE;
}

export function tell(d: Draft, topic: Topic, sentence: string): void {
  d.effects.push({ type: "tell", topic, sentence });
}

export function audit(
  d: Draft,
  action: string,
  reason: string,
  figures: Record<string, string | number> = {},
): void {
  d.effects.push({ type: "audit", action, reason, figures });
}

/** Puts down a halt that sticks. */
export function halt(
  d: Draft,
  action: Exclude<Action, "alert">,
  h: { rule: string; sentence: string; cohort?: string | undefined; cap?: number; release?: string },
): void {
  const release = action === "kill" ? EVERY_RELEASE : (h.release ?? d.p.release);
  const { rule, sentence, cohort } = h;
  const cap = action === "reduce" ? h.cap : undefined;
  d.effects.push({ type: "halt", action, release, rule, sentence, cohort, cap });
  const others = d.p.standing.filter(
    (s) => s.release !== release || s.action !== action || s.cohort !== cohort,
  );
  const standing: Standing = { release, action, cohort, cap: h.cap, why: sentence };
  d.p.standing = [...others, standing].slice(-MOST_STANDING);
}

/** Takes back every halt of this release, and a kill. */
export function lift(d: Draft): void {
  if (!d.p.standing.some((s) => holdsFor(s, d.p.release))) return;
  d.p.standing = d.p.standing.filter((s) => !holdsFor(s, d.p.release));
  d.effects.push({ type: "lift" }, { type: "restartRules" });
}

/** All clocks and words of the stage begin anew. */
export function beginStage(d: Draft): void {
  const { p, now } = d;
  p.stageAt = now;
  p.elapsedMs = 0;
  p.inStageMs = 0;
  p.bakedMs = undefined;
  p.stalledMs = 0;
  p.stalledTold = false;
  p.validation = "none";
  p.validationKey = undefined;
  p.ordered = false;
  p.signOffs = [];
  p.wordsTold = false;
  p.approvedBy = undefined;
  startClock(d);
}

/** Time counts from now on. A clock that went back counts nothing twice. */
export function startClock({ p, now }: Draft): void {
  p.lookedAt = Math.max(p.lookedAt, now);
}

/** Takes a share that no stage gave: its stage is the highest at or below, with the cohorts up to that one. */
export function place(d: Draft, share: number): void {
  const { p } = d;
  p.share = share;
  if (!p.plan) return;
  p.stage = placeOf(p.plan, share, p.stage);
  p.byHand = shareOfStage(p.plan, p.stage) !== share;
  p.cohorts = cohortsOf(p.plan, p.stage);
}

/** Writes the end of a rollout into the history. */
export function end(d: Draft, outcome: Outcome): void {
  if (!d.p.open) return;
  d.p.open = false;
  remember(d, "ended", outcome);
}

/** Writes the beginning of the next rollout into the history. */
export function open(d: Draft): void {
  if (d.p.open) return;
  d.p.open = true;
  d.p.rollout += 1;
  remember(d, "started");
}

/** An entry of the history of the present rollout. */
export function remember(d: Draft, what: Mark, outcome?: Outcome): void {
  const { rollout, stage } = d.p;
  d.effects.push({ type: "history", what, rollout, ...(outcome && { outcome }), stage });
}

/** The new progress and all that follows, with what follows from any change: to publish, and to tell a percentage. */
export function finished(d: Draft): { progress: Progress; effects: Effect[] } {
  const { before, p } = d;
  const [from, to] = [greenShare(before), greenShare(p)];
  if (from !== to) {
    const why = d.because ? `: ${d.because}` : "";
    tell(d, "percentage", `Green went from ${percentOf(from)} to ${percentOf(to)}${why}`);
  }
  const shown = (x: Progress) => [greenShare(x), x.share, x.cohorts, x.phase, x.stage, x.standing];
  if (!isAlike(shown(before), shown(p))) d.effects.push({ type: "publish" });
  if (d.effects.length > 0) p.step = before.step + 1;
  return { progress: p, effects: d.effects };
}

/** Is everybody on green? */
export function isFull(share: number): boolean {
  return share >= FULL_SHARE;
}
