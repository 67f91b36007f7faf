/** How a rollout begins, enters a stage and is completed. */
import { audit, beginStage, type Draft, end, isFull, open, place, remember, tell } from "./draft.ts";
import { BEFORE, cohortsOf, isOpen, nameOfStage, nextStage, percentOf, shareOfStage } from "./stages.ts";

/**
 * Begins the next rollout of the flag before its first stage. A percentage that the spec asks for is set by hand, unless
 * the order is to go from the first stage.
 */
export function begin(d: Draft, from: "asked" | "first"): void {
  const { p, now } = d;
  end(d, "superseded");
  p.phase = "progressing";
  p.smoke = "none";
  p.startedAt = now;
  p.why = undefined;
  p.descent = undefined;
  p.waiting = undefined;
  p.stage = BEFORE;
  place(d, 0);
  beginStage(d);
  open(d);
  tell(d, "started", `The rollout of ${p.release} has begun`);
  audit(d, "rollout", `Rollout ${p.rollout} of ${p.release} begins`);
  if (from === "asked" && p.asked > 0) setByHand(d, p.asked);
  else openNext(d);
}

/** Enters the stage after the present one if nothing keeps it shut, or has its requests tried. */
export function openNext(d: Draft): void {
  const { p } = d;
  const next = nextStage(p);
  const stage = next === undefined ? undefined : p.plan?.stages[next];
  if (next === undefined || !stage) return;
  if (isOpen(stage)) enter(d, next);
  else if (stage.validate.length > 0) validate(d, next);
}

/** Has the requests of stage `i` tried on green. */
export function validate(d: Draft, i: number): void {
  const { p } = d;
  const key = `${p.rollout}/${d.before.step + 1}/validate/${i}`;
  p.validation = "waiting";
  p.validationKey = key;
  if (p.smoke !== "passed") p.smoke = "waiting";
  d.effects.push({ type: "validate", key, stage: i });
}

/** Enters stage `i`: its share and cohorts count at once. */
export function enter(d: Draft, i: number): void {
  const { p } = d;
  const plan = p.plan!;
  const from = p.share;
  p.phase = "progressing";
  p.stage = i;
  p.share = shareOfStage(plan, i);
  p.byHand = false;
  p.cohorts = cohortsOf(plan, i);
  p.why = undefined;
  p.descent = undefined;
  beginStage(d);
  const sentence = `Entered ${nameOfStage(plan, i)}, stage ${i + 1} of ${plan.stages.length}`;
  d.because ||= sentence;
  remember(d, "stage");
  tell(d, "stage", sentence);
  audit(d, "stage", sentence, { from: from / 1000, to: p.share / 1000 });
}

/** A person has set the percentage: it counts at once, and the plan goes on from there. */
export function setByHand(d: Draft, asked: number): void {
  const { p } = d;
  const from = p.share;
  place(d, asked);
  beginStage(d);
  p.phase = "progressing";
  p.waiting = undefined;
  p.why = undefined;
  p.descent = undefined;
  open(d);
  const next = nextStage(p);
  const then =
    next === undefined || !p.plan ? "" : `; it goes on at ${percentOf(shareOfStage(p.plan, next))}`;
  d.because ||= `set by hand${then}`;
  remember(d, "stage");
  audit(d, "percentage", `Set by hand to ${percentOf(asked)}${then}`, {
    from: from / 1000,
    to: asked / 1000,
  });
}

/** The rollout is over: its share stays, and rules go on watching it. */
export function complete(d: Draft, sentence: string): void {
  const { p } = d;
  p.phase = "completed";
  p.why = undefined;
  p.descent = undefined;
  p.ordered = false;
  p.bakedMs = undefined;
  end(d, "completed");
  tell(d, "completed", `${p.release} is complete at ${percentOf(p.share)}: ${sentence}`);
  audit(d, "completed", sentence);
}

/** All of green at once, whatever the plan says: every stage counts as entered. */
export function takeAll(d: Draft, share: number): void {
  const { p } = d;
  if (p.startedAt === 0) p.startedAt = d.now;
  p.share = share;
  p.stage = p.plan ? p.plan.stages.length - 1 : BEFORE;
  p.cohorts = p.plan && cohortsOf(p.plan, p.stage);
  p.byHand = p.plan !== undefined && shareOfStage(p.plan, p.stage) !== share;
  p.waiting = undefined;
  p.descent = undefined;
  beginStage(d);
}

/** Phase of a flag without a plan: its percentage is all there is. */
export function settle(d: Draft, why: string): void {
  const { p } = d;
  p.why = undefined;
  p.descent = undefined;
  const began = p.share > 0 && !p.open && d.before.share !== p.share;
  if (began && (!isFull(p.share) || d.before.release !== "")) {
    // Nobody was on green before: the release begins now, whenever it was named.
    if (d.before.share === 0 || p.startedAt === 0) p.startedAt = d.now;
    open(d);
    tell(d, "started", `The rollout of ${p.release} has begun`);
  }
  if (isFull(p.share)) {
    p.phase = "completed";
    if (p.open) complete(d, why);
  } else if (p.share === 0) {
    p.phase = "idle";
    if (p.open) tell(d, "rollback", `${p.release} is off green: ${why}`);
    end(d, "rolledBack");
  } else {
    p.phase = "progressing";
    if (p.open && d.before.share !== p.share) remember(d, "stage");
  }
}
