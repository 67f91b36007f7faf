/** What follows from a new spec: another state or release, an edited plan, a percentage set by hand. */
import { FULL_SHARE } from "../flag/percentage.ts";
import {
  audit,
  beginStage,
  type Draft,
  end,
  halt,
  holdOf,
  isFull,
  open,
  place,
  stopOf,
  tell,
} from "./draft.ts";
import { begin, setByHand, settle, takeAll } from "./entering.ts";
import type { Outcome, Progress, SpecOf } from "./progress.ts";
import {
  BEFORE,
  cohortsOf,
  isAlike,
  nextStage,
  percentOf,
  placeOf,
  shareOfStage,
  wordsIn,
} from "./stages.ts";

/** Takes over a spec. One that says the same again changes nothing. */
export function adopt(d: Draft, spec: SpecOf): void {
  const { before, p } = d;
  const fresh =
    before.state !== spec.state ||
    before.release !== spec.release ||
    (before.plan === undefined) !== (spec.plan === undefined);
  if (fresh) leaveOld(d, spec);
  const edited = !isAlike(before.plan, spec.plan);
  p.state = spec.state;
  p.release = spec.release;
  p.blueCapacity = spec.blueCapacity;
  p.plan = spec.plan;
  p.asked = spec.asked;
  if (fresh) adoptFresh(d);
  else if (p.state === "canary") {
    if (edited) adoptPlan(d);
    if (spec.asked !== before.asked) adoptPercentage(d);
  }
}

/** The flag is gone from the document. */
export function remove(d: Draft): void {
  const { p } = d;
  if (p.release === "" && p.phase === "idle" && p.share === 0) return;
  keepRollback(d);
  end(d, "removed");
  rest(d);
  p.state = "off";
  p.release = "";
  p.plan = undefined;
  p.cohorts = undefined;
  p.asked = 0;
  d.because = "the flag is gone from the document";
  audit(d, "removed", d.because);
}

/** A rollback that is under way counts as done for its release, whatever comes after. */
function keepRollback(d: Draft): void {
  const { before, p } = d;
  if (p.phase !== "rollingBack") return;
  const sentence = p.why ?? "rolled back";
  halt(d, "rollback", { rule: "rollback", sentence, release: before.release });
  end(d, "rolledBack");
}

function leaveOld(d: Draft, spec: SpecOf): void {
  const { before, p } = d;
  keepRollback(d);
  const same = before.release === spec.release;
  const outcomes: Record<SpecOf["state"], Outcome> = {
    off: "rolledBack",
    shadow: "rolledBack",
    kill: "killed",
    on: same ? "completed" : "superseded",
    canary: "superseded",
  };
  const under = p.open;
  const outcome = outcomes[spec.state];
  end(d, outcome);
  const sentence = `the spec says ${spec.state}`;
  if (spec.state === "kill" && before.state !== "kill" && before.release !== "")
    tell(d, "kill", `Green of ${spec.release} is killed: ${sentence}`);
  else if (under && outcome === "rolledBack")
    tell(d, "rollback", `Green of ${before.release} is off: ${sentence}`);
}

/** Nothing is under way. */
function rest(d: Draft): void {
  const { p } = d;
  p.phase = "idle";
  p.stage = BEFORE;
  p.share = 0;
  p.byHand = false;
  p.waiting = undefined;
  p.cohorts = p.plan ? [] : undefined;
  p.why = undefined;
  p.descent = undefined;
  p.smoke = "none";
  p.startedAt = 0;
  beginStage(d);
}

function adoptFresh(d: Draft): void {
  const { before, p, now } = d;
  const wasOpen = before.open;
  rest(d);
  d.because =
    before.release === p.release ? `the spec says ${p.state}` : `release ${p.release} is ${p.state}`;
  audit(d, "spec", d.because, { asked: p.asked / 1000 });
  if (p.state === "off" || p.state === "shadow" || p.state === "kill") return;
  p.startedAt = p.plan && p.state === "canary" ? 0 : now;
  const stop = stopOf(p);
  if (stop) {
    p.phase = "halted";
    p.why = stop.why;
    return;
  }
  if (p.state === "on") {
    const hold = holdOf(p);
    if (hold) {
      p.phase = "paused";
      p.why = hold.why;
      p.share = Math.min(FULL_SHARE, hold.cap ?? 0);
      return;
    }
    takeAll(d, FULL_SHARE);
    p.phase = "completed";
    if (wasOpen && before.release === p.release) tell(d, "completed", `${p.release} is on for everybody`);
    return;
  }
  const hold = holdOf(p);
  if (hold) {
    p.phase = "paused";
    p.why = hold.why;
    if (!p.plan) {
      p.share = Math.min(p.asked, hold.cap ?? 0);
      p.waiting = p.asked;
    }
    return;
  }
  if (!p.plan) {
    p.share = p.asked;
    settle(d, "the percentage of the spec");
  } else if (p.plan.start === "auto") begin(d, "asked");
}

/** Another percentage in the spec. What lowers green counts at once; what raises it waits while it must not rise. */
function adoptPercentage(d: Draft): void {
  const { p } = d;
  const held = stopOf(p) !== undefined || holdOf(p) !== undefined || p.phase === "rollingBack";
  if (held) {
    p.waiting = p.asked;
    const lower = p.asked < p.share;
    const phase = p.phase;
    if (lower && !stopOf(p)) {
      const { why, descent } = p;
      place(d, p.asked);
      beginStage(d);
      Object.assign(p, { why, descent, phase });
    }
    const sentence = lower
      ? `Set by hand to ${percentOf(p.asked)}`
      : `Set by hand to ${percentOf(p.asked)}, which waits for the command resume`;
    d.because = "set by hand";
    audit(d, "percentage", sentence, { asked: p.asked / 1000 });
    return;
  }
  d.because = "";
  if (!p.plan) {
    p.share = p.asked;
    d.because = "set by hand";
    audit(d, "percentage", `Set by hand to ${percentOf(p.asked)}`, { asked: p.asked / 1000 });
    settle(d, "the percentage of the spec");
  } else if (p.phase === "idle") {
    audit(d, "percentage", `Set by hand to ${percentOf(p.asked)}, which waits for the command start`);
  } else if (p.asked > 0) {
    setByHand(d, p.asked);
  } else {
    d.because = "set to 0 % by hand";
    place(d, 0);
    beginStage(d);
    p.phase = "paused";
    p.why = "the percentage was set to 0 by hand; a higher one or the command resume goes on";
    tell(d, "pause", `Paused at 0 %: ${p.why}`);
    audit(d, "percentage", p.why, { asked: 0 });
  }
}

/** The plan was edited under way: the rollout goes on in the same stage if it is still there, and never rises by it. */
function adoptPlan(d: Draft): void {
  const { before, p } = d;
  const [old, plan] = [before.plan!, p.plan!];
  audit(d, "plan", "The plan was edited", { stages: plan.stages.length });
  if (p.phase === "idle") {
    if (plan.start === "auto") begin(d, "asked");
    return;
  }
  const stage = mapped(before, plan);
  const same = stage >= 0 && isAlike(old.stages[before.stage], plan.stages[stage]);
  // A share that a person or a rule has set stays; a stage's share goes down with its stage.
  const keeps = before.byHand || p.phase === "rollingBack" || p.phase === "halted" || p.phase === "completed";
  p.stage = stage;
  if (!keeps) p.share = Math.min(p.share, shareOfStage(plan, stage));
  p.byHand = shareOfStage(plan, stage) !== p.share;
  p.cohorts = cohortsOf(plan, stage);
  if (p.descent) p.descent = { ...p.descent, stage: placeOf(plan, p.descent.from, p.descent.stage) };
  const { signOffs } = before;
  if (!same && before.stage !== BEFORE) beginStage(d);
  p.signOffs = stillAsked(p, signOffs);
  p.validation = "none";
  p.validationKey = undefined;
  p.wordsTold = false;
  // More stages than it had: a rollout that was complete below 100 % goes on.
  const goesOn = p.phase === "completed" && !isFull(p.share) && nextStage(p) !== undefined;
  if (goesOn || (!same && p.phase === "awaitingApproval")) {
    p.phase = "progressing";
    p.why = undefined;
    open(d);
  }
  d.because = "the plan was edited";
  const where = stage < 0 ? "before its first stage" : `in stage ${stage + 1} of ${plan.stages.length}`;
  tell(d, "stage", `The plan was edited: the rollout goes on ${where} at ${percentOf(p.share)}`);
}

/** The same stage if one with its percentage and cohort is left, else the highest at or below the present share. */
function mapped({ plan, stage, share, byHand }: Progress, next: SpecOf["plan"]): number {
  const old = plan!.stages[stage];
  if (!old || byHand) return placeOf(next!, share, stage);
  const fits = (i: number) => {
    const s = next!.stages[i];
    return (
      s !== undefined &&
      s.percentage === old.percentage &&
      s.cohort === old.cohort &&
      shareOfStage(next!, i) === share
    );
  };
  if (fits(stage)) return stage;
  const found = next!.stages.findIndex((_, i) => fits(i));
  return found >= 0 ? found : placeOf(next!, share, BEFORE);
}

function stillAsked(p: Progress, given: Progress["signOffs"]): Progress["signOffs"] {
  const next = nextStage(p);
  const gates = [
    ...(p.plan?.stages[p.stage]?.exit ?? []),
    ...(next === undefined ? [] : (p.plan?.stages[next]?.entry ?? [])),
  ];
  const roles = new Set(wordsIn(gates).map((w) => w.signOff));
  return given.filter((s) => roles.has(s.role));
}
