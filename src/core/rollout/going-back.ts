/** The way back of one flag: which of its former states a rollback restores, and how much of green that may have. Pure. */
import { FULL_SHARE, SHARE_PER_PERCENT, shareOf } from "../flag/percentage.ts";
import type { Plan } from "../flag/plan.ts";
import type { State } from "../flag/schema.ts";
import { shareOfStage } from "./stages.ts";

/** How a flag was. */
export interface Former {
  state: State;
  /** As it was written; of a rollout with a plan where it was when the flag went on from there, if that is known. */
  percentage: number;
  release: string;
  /** Since when: revision, and time (milliseconds since the epoch); 0 where it is not known. */
  revision: number;
  at: number;
}

/** What visitors get of green now. */
export interface GreenNow {
  /** Thousandths of a percent. */
  share: number;
  /** Anybody at all, be it in a cohort only? */
  isAny: boolean;
}

/** What a flag is set to. */
export type Restored = Pick<Former, "state" | "percentage" | "release">;

/** The last state that is another one than now and has less of green; undefined where there is none. */
export function lastDifferent(
  states: readonly Former[],
  present: State,
  green: GreenNow,
  plan: Plan | undefined,
): Former | undefined {
  if (!green.isAny) return undefined;
  return states.find((former) => {
    if (former.state === present || former.state === "kill") return false;
    return isWithout(former.state) || greenOf(former, plan) < green.share;
  });
}

/** How the flag was when it last had a release; undefined where that is not known. */
export function lastWith(states: readonly Former[], release: string): Former | undefined {
  return states.find((former) => former.release === release);
}

/** What is restored of a former state, so that nobody comes to green by it who is not there now. */
export function withoutRaise(
  { state, percentage, release }: Former,
  green: GreenNow,
  plan: Plan | undefined,
): Restored & { held: boolean } {
  if (isWithout(state) || state === "kill") return { state, percentage, release, held: false };
  const before = { state, percentage };
  if (green.isAny && greenOf(before, plan) <= green.share) return { state, percentage, release, held: false };
  // A plan begins by itself where no percentage is said, and so do cohorts that have been off until now.
  const off = green.share === 0;
  return {
    state: off ? "off" : "canary",
    percentage: green.share / SHARE_PER_PERCENT,
    release,
    held: true,
  };
}

function isWithout(state: State): boolean {
  return state === "off" || state === "shadow";
}

/** The most that green gets at once by a state, thousandths of a percent: without a percentage a plan's first stage. */
function greenOf(
  { state, percentage }: Pick<Former, "state" | "percentage">,
  plan: Plan | undefined,
): number {
  if (state === "on") return FULL_SHARE;
  if (state !== "canary") return 0;
  const asked = shareOf(percentage);
  return asked === 0 && plan ? shareOfStage(plan, 0) : asked;
}
