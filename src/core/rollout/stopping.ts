/** How a rollout is stopped: paused, reduced, halted, or brought down by degrees. */
import { SHARE_PER_PERCENT } from "../flag/percentage.ts";
import { audit, beginStage, type Draft, end, halt, place, startClock, tell } from "./draft.ts";
import type { Descent, Outcome, Progress, RolloutEvent } from "./progress.ts";
import { percentOf } from "./stages.ts";

/** Below 1 % a reduction or halving takes green to 0, thousandths of a percent. */
export const LEAST_REDUCED_SHARE = SHARE_PER_PERCENT;
/** Watch after a halving for a flag without a plan, seconds; and halvings before green is taken to 0. */
const WATCH_WITHOUT_PLAN_SECONDS = 1800;
const HALVINGS_WITHOUT_PLAN = 3;
/** Green falls in steps so far apart, milliseconds: each is published to everyone and told. */
const FALL_STEP_MS = 10_000;
/** A watch without telemetry ends after so many times its length: what cannot be seen to recover goes on down. */
const BLIND_WATCHES = 2;

type RuleEvent = Extract<RolloutEvent, { type: "rule" }>;
interface Why {
  rule: string;
  sentence: string;
}

/** Keeps the percentage and stops advancing. */
export function pause(d: Draft, { rule, sentence }: Why): void {
  const { p } = d;
  p.phase = "paused";
  p.why = sentence;
  halt(d, "pause", { rule, sentence, cap: p.share });
  tell(d, "pause", `Paused at ${percentOf(p.share)}: ${sentence}`);
  audit(d, "pause", sentence, { share: p.share / 1000 });
}

/** Halves green and pauses; what would be below 1 % is none. */
export function reduce(d: Draft, { rule, sentence }: Why): void {
  const { p } = d;
  const half = Math.floor(p.share / 2);
  if (half < LEAST_REDUCED_SHARE) {
    const last = `${sentence}; half of ${percentOf(p.share)} is below 1 %, so green is out`;
    haltAll(d, { rule, sentence: last }, "halted");
    return;
  }
  audit(d, "reduce", sentence, { from: p.share / 1000, to: half / 1000 });
  tell(d, "reduce", `Green is halved from ${percentOf(p.share)} to ${percentOf(half)}: ${sentence}`);
  d.because = sentence;
  place(d, half);
  beginStage(d);
  p.phase = "paused";
  p.why = sentence;
  halt(d, "reduce", { rule, sentence, cap: half });
  d.effects.push({ type: "restartRules" });
}

/** Takes green of this release out of traffic; its share is remembered for the command resume. */
export function haltAll(
  d: Draft,
  { rule, sentence }: Why,
  outcome: "halted" | "rolledBack" | "killed",
): void {
  const { p } = d;
  const action = outcome === "killed" ? "kill" : "rollback";
  const failed = p.open;
  halt(d, action, { rule, sentence });
  p.phase = "halted";
  p.why = sentence;
  p.approvedBy = undefined;
  p.bakedMs = undefined;
  p.ordered = false;
  d.because = sentence;
  const topic = ({ halted: "halt", rolledBack: "rollback", killed: "kill" } as const)[outcome];
  tell(d, topic, `Green of ${p.release} is out of traffic: ${sentence}`);
  if (failed) tell(d, "failed", `The rollout of ${p.release} has ended without success: ${sentence}`);
  audit(d, action, sentence, { from: p.share / 1000 });
  end(d, outcome satisfies Outcome);
}

/** Begins a way down: by halves with a watch after each, or to nothing as fast as blue can take it. */
export function descend(d: Draft, kind: Descent["kind"], who: string, reason: string): void {
  const { p } = d;
  const pointsPerMinute = p.blueCapacity?.pointsPerMinute;
  const [from, stage] = p.descent ? [p.descent.from, p.descent.stage] : [p.share, p.stage];
  const leg = { target: p.share, top: p.share, fallenMs: 0, watchedMs: 0, waitedMs: 0 };
  p.phase = "rollingBack";
  p.why = reason;
  p.descent = { kind, halvings: 0, ...leg, from, stage, pointsPerMinute, who, reason };
  p.approvedBy = undefined;
  p.bakedMs = undefined;
  p.ordered = false;
  startClock(d);
  const way = kind === "gradual" ? "is halved and watched" : "goes down to nothing";
  const speed = pointsPerMinute === undefined ? "" : `, ${pointsPerMinute} points a minute`;
  tell(d, "rollback", `Green of ${p.release} ${way}${speed}: ${reason}`);
  audit(d, "rollback", reason, { kind, from: p.share / 1000 });
  if (kind === "gradual") halve(d, reason);
  else fallTo(d, 0, reason);
}

/** One more halving, or out. */
function halve(d: Draft, sentence: string): void {
  const { p } = d;
  const descent = p.descent!;
  const half = Math.floor(p.share / 2);
  const out = descent.halvings >= wayOf(p).halvings || half < LEAST_REDUCED_SHARE;
  p.descent = { ...descent, halvings: descent.halvings + (out ? 0 : 1), reason: sentence };
  fallTo(d, out ? 0 : half, sentence);
}

/** Sets out for a lower share: at once, unless blue takes it only by degrees. */
function fallTo(d: Draft, target: number, sentence: string): void {
  const { p } = d;
  p.descent = { ...p.descent!, target, top: p.share, fallenMs: 0, watchedMs: 0, waitedMs: 0 };
  if (p.descent.pointsPerMinute === undefined) arriveAt(d, target, sentence);
}

function arriveAt(d: Draft, share: number, sentence: string): void {
  d.because = sentence;
  if (share === 0) endDescent(d, sentence, "rolledBack");
  else if (share !== d.p.share) place(d, share);
}

/** Green is at 0: the release is out for good. */
export function endDescent(d: Draft, sentence: string, outcome: "halted" | "rolledBack"): void {
  const { p } = d;
  const descent = p.descent;
  place(d, 0);
  p.descent = descent;
  haltAll(d, { rule: outcome === "halted" ? "rule" : "rollback", sentence }, outcome);
}

/** A look while green goes down. `gap`: milliseconds since the last, not more than a look counts. */
export function lookDown(d: Draft, gap: number, verdict: string, sentence: string): void {
  const { p } = d;
  const descent = p.descent ?? lostDescent(p);
  if (p.share > descent.target) {
    fall(d, descent, gap);
    return;
  }
  const waitedMs = descent.waitedMs + gap;
  const watchedMs = descent.watchedMs + (verdict === "unmeasured" ? 0 : gap);
  p.descent = { ...descent, watchedMs, waitedMs };
  const watch = wayOf(p).watch * 1000;
  const blind = waitedMs >= BLIND_WATCHES * watch;
  if (watchedMs < watch && !blind) return;
  if (verdict === "healthy" && watchedMs >= watch) recover(d, sentence);
  else halve(d, `${p.why ?? "rolled back"}; after the watch: ${sentence}`);
}

/**
 * Falls as far as blue can take in this time, in steps, and arrives as soon as it may. Counted from the top, so that
 * frequent looks lose no fraction.
 */
function fall(d: Draft, descent: Descent, gap: number): void {
  const { p } = d;
  const fallenMs = descent.fallenMs + gap;
  p.descent = { ...descent, fallenMs };
  const after = (ms: number) => {
    const taken = ((descent.pointsPerMinute ?? 100) * SHARE_PER_PERCENT * ms) / 60_000;
    return Math.max(descent.target, descent.top - Math.floor(taken));
  };
  const isThere = after(fallenMs) === descent.target;
  const share = isThere ? descent.target : after(fallenMs - (fallenMs % FALL_STEP_MS));
  arriveAt(d, Math.min(p.share, share), descent.reason);
}

/** The halving was enough: green stays where it is until somebody decides. */
function recover(d: Draft, sentence: string): void {
  const { p } = d;
  beginStage(d);
  p.descent = undefined;
  pause(d, {
    rule: "rollback",
    sentence: `the gradual rollback has stopped at ${percentOf(p.share)}, where green recovered: ${sentence}`,
  });
}

/** A way down of which a lost store has left only that it was one: to nothing, for nobody knows what was ordered. */
function lostDescent({ share, stage, blueCapacity, why = "rolled back" }: Progress): Descent {
  const leg = { target: 0, top: share, fallenMs: 0, watchedMs: 0, waitedMs: 0 };
  const pointsPerMinute = blueCapacity?.pointsPerMinute;
  return { kind: "guarded", halvings: 0, ...leg, from: share, stage, pointsPerMinute, who: "", reason: why };
}

/** How long each share is watched on the way down (seconds), and how often it is halved. */
export function wayOf({ plan }: Progress): { watch: number; halvings: number } {
  return plan?.rollback ?? { watch: WATCH_WITHOUT_PLAN_SECONDS, halvings: HALVINGS_WITHOUT_PLAN };
}

/** A halt rule has fired. */
export function onRule(d: Draft, e: RuleEvent): void {
  const { p } = d;
  if (e.action === "alert") {
    tell(d, "alert", e.sentence);
    audit(d, "alert", e.sentence, { rule: e.rule });
    return;
  }
  // Nobody is on green, so there is nothing to take off; but it is said.
  if (p.state !== "canary" && p.state !== "on") {
    tell(d, "alert", e.sentence);
    audit(d, "alert", e.sentence, { rule: e.rule });
    return;
  }
  if (e.cohort !== undefined) {
    haltCohort(d, e, e.cohort);
    return;
  }
  if (p.phase === "halted") return;
  if (e.action === "rollback") {
    if (p.phase === "rollingBack") endDescent(d, e.sentence, "halted");
    else haltAll(d, e, "halted");
  } else if (p.phase === "rollingBack") {
    return;
  } else if (e.action === "reduce") {
    reduce(d, e);
  } else if (p.phase === "idle") {
    tell(d, "alert", e.sentence);
  } else if (p.phase !== "paused") {
    pause(d, e);
  }
}

function haltCohort(d: Draft, { rule, sentence }: Why, cohort: string): void {
  const { p } = d;
  const stands = p.standing.some(
    (s) => s.release === p.release && s.cohort === cohort && s.action === "rollback",
  );
  if (stands) return;
  halt(d, "rollback", { rule, sentence, cohort });
  // The sentence of a rule that looks at each cohort names it first.
  const found = sentence.replace(`Cohort ${cohort}: `, "");
  tell(d, "halt", `Cohort ${cohort} of ${p.release} is off green: ${found}`);
  audit(d, "rollback", sentence, { cohort, rule });
}
