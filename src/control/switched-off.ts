/** What people keep from green without a command: by the kill key, the global switch, a state, or a switch of canaries. */

import { isElsewhere } from "../core/flag/provisos.ts";
import { CANARY_SWITCH, cohortSwitch, isSwitchedOff as isOff } from "../core/flag/switches.ts";
import { isKilled } from "../core/rollout/kill.ts";
import type { Rollout } from "./rollout.ts";

/** By what, and what lifts it, in words; and is it a kill? */
export interface SwitchedOff {
  why: string;
  lift: string;
  isKill: boolean;
}

/** Is green out of traffic by the kill key, a kill or a switch: by people, not by what it did? */
export function isSwitchedOff(rollout: Rollout, name: string): boolean {
  return switchedOff(rollout, name) !== undefined;
}

/** By what people have taken green out of traffic without a command, and what lifts it; undefined if by nothing. */
export function switchedOff(rollout: Rollout, name: string): SwitchedOff | undefined {
  const flag = rollout.flags.get(name);
  if (isKilled(rollout.kill, name))
    return {
      why: `The kill key names ${name} or *: everybody is on blue`,
      lift: `the kill key without ${name} and *`,
      isKill: true,
    };
  if (!rollout.enabled)
    return {
      why: "The global switch is off: everybody is on blue",
      lift: '"enabled": true in the document',
      isKill: false,
    };
  if (flag?.state === "kill")
    return {
      why: "The flag's state is kill: everybody is on blue",
      lift: "another state in the document",
      isKill: true,
    };
  if (flag && isElsewhere(flag, rollout.environment)) {
    const names = flag.environments.join(", ");
    const here =
      rollout.environment === undefined ? "ENVIRONMENT is not set" : `this is ${rollout.environment}`;
    return {
      why: `It counts in ${names} only, and ${here}: everybody is on blue`,
      lift: "the name of this environment in `environments`",
      isKill: false,
    };
  }
  if (flag?.state !== "canary" || !isOffByName(rollout, CANARY_SWITCH)) return undefined;
  return {
    why: `${CANARY_SWITCH} is off: the visitors of every canary are on blue`,
    lift: `${CANARY_SWITCH} to be on`,
    isKill: false,
  };
}

/** Switches that keep some cohorts of a flag on blue. */
export function cohortSwitchesOff(rollout: Rollout, name: string): string[] {
  const flag = rollout.flags.get(name);
  if (flag?.state !== "canary") return [];
  const cohorts = new Set([...Object.keys(flag.cohorts), ...(rollout.status.get(name)?.cohorts ?? [])]);
  return [...cohorts].map(cohortSwitch).filter((cohort) => isOffByName(rollout, cohort));
}

function isOffByName(rollout: Rollout, name: string): boolean {
  const form = rollout.flags.get(name);
  return isOff(name, form ? [form] : [], rollout.kill) || (!!form && isElsewhere(form, rollout.environment));
}
