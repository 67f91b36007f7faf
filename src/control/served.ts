/** What visitors get of green, before and after people have changed something, and who is told of the difference. */

import { isElsewhere } from "../core/flag/provisos.ts";
import { CANARY_SWITCH } from "../core/flag/switches.ts";
import { isKilled } from "../core/rollout/kill.ts";
import { percentOf } from "../core/rollout/stages.ts";
import { greenShare } from "../core/rollout/transition.ts";
import type { By } from "./by.ts";
import type { Rollbacks } from "./rollbacks.ts";
import { isGreenServed, type Rollout } from "./rollout.ts";
import type { Rollouts } from "./rollouts.ts";
import { isSwitchedOff } from "./switched-off.ts";

/** What is served of a flag. */
export interface Served {
  release: string;
  /** May anybody be on green, be it in a cohort only? */
  isGreen: boolean;
  /** Is it switched off by people? Of the state kill the machine tells itself. */
  isOff: boolean;
}

/** What is served of each flag now. */
export function servedOf(rollout: Rollout): Map<string, Served> {
  return new Map(
    [...rollout.flags].map(([name, { release, state }]) => [
      name,
      {
        release,
        isGreen: isGreenServed(rollout, name),
        isOff: state !== "kill" && isSwitchedOff(rollout, name),
      },
    ]),
  );
}

/**
 * Green of these flags went out of traffic, or came back. The machine of rollouts does not know of switches, so they are
 * told here; those that are `recorded` stand in the audit log already.
 */
export function tellServed(
  { rollout, rollouts, rollbacks }: { rollout: Rollout; rollouts: Rollouts; rollbacks: Rollbacks },
  before: ReadonlyMap<string, Served>,
  now: number,
  by: By,
  recorded: ReadonlySet<string> = new Set(),
): void {
  for (const [name, { release, isGreen, isOff }] of servedOf(rollout)) {
    const was = before.get(name);
    // Another release that begins without green takes nothing back.
    if (isGreen || (was && was.release !== release)) rollbacks.over(name);
    else if (was?.isGreen) rollbacks.began(name, now);
    const share = greenShare(rollouts.of(name));
    if (!was || share === 0 || isOff === was.isOff) continue;
    const [from, to] = isOff ? [share, 0] : [0, share];
    const sentence = `Green went from ${percentOf(from)} to ${percentOf(to)}: ${causeOf(rollout, name)}`;
    if (recorded.has(name)) rollouts.tell(name, "percentage", sentence, now, by);
    else rollouts.say(name, "percentage", isOff ? "switch-off" : "switch-on", sentence, now, {}, by);
  }
}

/** What has switched a flag off, or that nothing does any more. */
function causeOf(rollout: Rollout, name: string): string {
  if (!rollout.enabled) return "the document switches everything off";
  if (isKilled(rollout.kill, name)) return "the kill key names the flag";
  const flag = rollout.flags.get(name);
  if (flag && isElsewhere(flag, rollout.environment)) return "it does not count in this environment";
  return isSwitchedOff(rollout, name) ? `${CANARY_SWITCH} is off` : "it is no longer switched off";
}
