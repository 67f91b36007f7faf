/** Switches that are plain flags of the document: one for all canaries, and one for each cohort. */
import { isKilled } from "../rollout/kill.ts";
import type { State } from "./schema.ts";

/** Switched off, every flag in canary is blue. */
export const CANARY_SWITCH = "system.canary.enabled";

/** The switch of a cohort, for all flags that have a cohort of that name. */
export function cohortSwitch(cohort: string): string {
  return `canary.cohort.${cohort}.enabled`;
}

/** Is a flag of this name a switch: of all canaries, or of a cohort? */
export function isSwitch(name: string): boolean {
  return name === CANARY_SWITCH || /^canary\.cohort\..+\.enabled$/.test(name);
}

/**
 * Is the switch off? By any of the forms in which its flag is known (published, edited), or by the kill key, which
 * may name a switch that the document does not have.
 */
export function isSwitchedOff(name: string, forms: readonly { state: State }[], kill: string): boolean {
  return forms.some(({ state }) => state === "off" || state === "kill") || isKilled(kill, name);
}
