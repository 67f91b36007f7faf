/** Which way a change of a flag moves visitors: to green, or away from it. Pure, and of the flag's own text alone. */
import { askedShare } from "../rollout/asked-share.ts";
import type { Cohort } from "./cohort.ts";
import { shareOf } from "./percentage.ts";
import type { Flag, Override } from "./schema.ts";

/** Both, where some may go one way and some the other, or where it cannot be told. */
export interface Direction {
  /** Somebody may come to green who was not on it. */
  raisesGreen: boolean;
  /** Somebody may leave green. */
  lowersGreen: boolean;
}

/** What a step changes: above 0 more green, below 0 less. */
type Step = number;

/** Where a flag goes from one form to the other, as it is written: what a plan makes of it later is not in it. */
export function directionOf(before: Flag, after: Flag): Direction {
  const steps = [...overrideSteps(before, after)];
  if (isOpen(before) || isOpen(after)) {
    steps.push(...openSteps(before, after), ...placeSteps(before, after));
    if (isShuffled(before, after)) steps.push(1, -1);
  }
  return { raisesGreen: steps.some((step) => step > 0), lowersGreen: steps.some((step) => step < 0) };
}

/** May anybody be on green without an override? */
function isOpen({ state, percentage, cohorts }: Flag): boolean {
  return state === "on" || (state === "canary" && (percentage > 0 || Object.keys(cohorts).length > 0));
}

function openSteps(before: Flag, after: Flag): Step[] {
  const steps = [askedShare(after) - askedShare(before), Number(isOpen(after)) - Number(isOpen(before))];
  // A halt sticks to the release: another one is on green again.
  if (after.release !== before.release && isOpen(after)) steps.push(1);
  if (before.state !== "canary" || after.state !== "canary") return steps;
  const names = new Set([...Object.keys(before.cohorts), ...Object.keys(after.cohorts)]);
  return [
    ...steps,
    ...[...names].flatMap((name) => cohortSteps(cohortOf(before, name), cohortOf(after, name))),
  ];
}

function cohortOf({ cohorts }: Flag, name: string): Cohort | undefined {
  const found = Object.hasOwn(cohorts, name) ? cohorts[name] : undefined;
  return found?.enabled ? found : undefined;
}

function cohortSteps(before: Cohort | undefined, after: Cohort | undefined): Step[] {
  if (before === undefined || after === undefined)
    return [Number(after !== undefined) - Number(before !== undefined)];
  const lists = (["users", "groups", "tenants"] as const).flatMap((key) =>
    listSteps(before[key], after[key]),
  );
  const rest = ({ attributes, segments, select }: Cohort) => JSON.stringify([attributes, segments, select]);
  const share = shareOf(after.percentage ?? 0) - shareOf(before.percentage ?? 0);
  return [...lists, share, ...(rest(before) === rest(after) ? [] : [1, -1])];
}

/** Of a list whose entries are let in. */
function listSteps(before: readonly string[], after: readonly string[]): Step[] {
  const [was, now] = [new Set(before), new Set(after)];
  return [Number(after.some((id) => !was.has(id))), -Number(before.some((id) => !now.has(id)))];
}

/** Of environments, of which none are all, and of dependencies, each of which keeps some away. */
function placeSteps(before: Flag, after: Flag): Step[] {
  const [was, now] = [before.environments, after.environments];
  const isEverywhere = (list: readonly string[]) => Number(list.length === 0);
  const moved = isEverywhere(now) - isEverywhere(was);
  return [
    ...(moved === 0 ? listSteps(was, now) : [moved]),
    ...listSteps(before.dependencies, after.dependencies).map((step) => -step),
  ];
}

function overrideSteps(before: Flag, after: Flag): Step[] {
  return (["users", "tenants"] as const).flatMap((of) => {
    const [was, now] = [before.overrides[of], after.overrides[of]];
    const ids = new Set([...Object.keys(was), ...Object.keys(now)]);
    return [...ids].flatMap((id) => {
      const [own, other] = [weightOf(before, was, id), weightOf(after, now, id)];
      const later = other.until === own.until ? 0 : Math.sign(other.until - own.until);
      return other.on === own.on ? [other.on * later] : [other.on - own.on];
    });
  });
}

/** 1 for on, -1 for off, 0 for none; and until when. The state kill goes over all. */
function weightOf(
  flag: Flag,
  overrides: Readonly<Record<string, Override>>,
  id: string,
): { on: number; until: number } {
  const own = Object.hasOwn(overrides, id) ? overrides[id] : undefined;
  if (own === undefined || flag.state === "kill") return { on: 0, until: 0 };
  const until = own.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(own.expires);
  return { on: own.state === "on" ? 1 : -1, until };
}

/** Are other visitors first than before? */
function isShuffled(before: Flag, after: Flag): boolean {
  const inBoth = ({ cohorts }: Flag) =>
    Object.keys(cohorts).filter((name) => name in before.cohorts && name in after.cohorts);
  const placing = (flag: Flag) => {
    const { salt, rotate, release, stickBy, context, route } = flag;
    const seed = [salt, rotate, rotate === "release" && release];
    return JSON.stringify([seed, stickBy, context, route?.trusted, inBoth(flag)]);
  };
  const isSplit = before.state === "canary" && after.state === "canary";
  return isSplit && placing(before) !== placing(after);
}
