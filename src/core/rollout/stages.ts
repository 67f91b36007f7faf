/** The stages of a plan by number: what green has in each, and which one a share belongs to. */
import { FULL_SHARE, shareOf } from "../flag/percentage.ts";
import type { Gate, Plan, Stage } from "../flag/plan.ts";
import type { Progress } from "./progress.ts";
import type { Band } from "./snapshot.ts";

/** Before the first stage. */
export const BEFORE = -1;

/** Share of green in stage `i`, thousandths of a percent: the highest percentage of the stages up to it. */
export function shareOfStage(plan: Plan, i: number): number {
  return Math.max(0, ...plan.stages.slice(0, i + 1).map((s) => shareOf(s.percentage ?? 0)));
}

/** Cohorts that the stages up to `i` have enabled, in the plan's order, each once. */
export function cohortsOf(plan: Plan, i: number): string[] {
  const names = plan.stages.slice(0, i + 1).flatMap((s) => s.cohort ?? []);
  return [...new Set(names)];
}

/** The stage that a rollout is in; undefined before the first and without a plan. */
export function stageOf({ plan, stage }: Progress): Stage | undefined {
  return plan?.stages[stage];
}

/**
 * The stage that comes next; undefined after the last. From a share between two stages it is the first above, however
 * the plan counts: 7 % of 5, 10, 25 goes on to 10.
 */
export function nextStage({ plan, stage, byHand, share }: Progress): number | undefined {
  if (!plan) return undefined;
  const next = byHand ? plan.stages.findIndex((_, i) => shareOfStage(plan, i) > share) : stage + 1;
  return next >= 0 && next < plan.stages.length ? next : undefined;
}

/**
 * Time and requests that the present share has to show: those of its stage. A share below the first stage has none; what
 * a person set there, or a reduction left, is given the time of the stage that comes next.
 */
export function dwellOf(p: Progress): Pick<Stage, "duration" | "minRequests"> {
  const next = nextStage(p);
  const waits = stageOf(p) ?? (p.share > 0 && next !== undefined ? p.plan?.stages[next] : undefined);
  return { duration: waits?.duration ?? 0, minRequests: waits?.minRequests ?? 0 };
}

/**
 * The stage that a share belongs to: the highest percentage at or below it; of several with that percentage `present` if
 * it is one of them, else the first. BEFORE if the first percentage is above.
 */
export function placeOf(plan: Plan, share: number, present: number): number {
  let place = BEFORE;
  let best = -1;
  plan.stages.forEach(({ percentage }, i) => {
    const own = percentage === undefined ? undefined : shareOf(percentage);
    if (own === undefined || own === 0 || own > share || own <= best) return;
    best = own;
    place = i;
  });
  const same = plan.stages[present] !== undefined && shareOfStage(plan, present) === best;
  return same && present > place ? present : place;
}

/** Shares at which the stages' cohorts begin to count visitors placed by the hash as theirs, ascending. */
export function bandsOf({ plan, stage }: Progress): Band[] {
  if (!plan) return [];
  return plan.stages
    .slice(0, stage + 1)
    .flatMap(({ cohort, percentage }) =>
      cohort !== undefined && percentage !== undefined ? [{ cohort, share: shareOf(percentage) }] : [],
    );
}

/** What a person calls stage `i`: its name, its cohort, or its percentage. */
export function nameOfStage(plan: Plan, i: number): string {
  const stage = plan.stages[i];
  if (!stage) return "the time before the first stage";
  const name = stage.name ?? stage.cohort;
  const share = percentOf(shareOfStage(plan, i));
  return name === undefined ? `the stage of ${share}` : `the stage ${name} (${share})`;
}

/** Where a rollout is: in stage `i`, or before the first. */
export function inStage(plan: Plan, i: number): string {
  return plan.stages[i] ? `in ${nameOfStage(plan, i)}` : "before the first stage";
}

/** `12.5 %` of thousandths of a percent. */
export function percentOf(share: number): string {
  return `${share / (FULL_SHARE / 100)} %`;
}

/** A gate that is somebody's word. */
export type WordGate = Extract<Gate, { signOff: string }>;

/** The gates of a list that are somebody's word. */
export function wordsIn(gates: readonly Gate[]): WordGate[] {
  return gates.filter((g): g is WordGate => "signOff" in g);
}

/** Does nothing keep anybody from entering this stage but the stage before? */
export function isOpen(stage: Stage): boolean {
  return stage.entry.length === 0 && stage.validate.length === 0;
}

/** Are two stages, plans or lists written alike? Both come from the same parser, so the order of fields is the same. */
export function isAlike(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
