/**
 * The machine of rollouts: from what is remembered and what happens to what is remembered next and what follows.
 * Pure and total: it answers any event in any phase at any time, and the same one always alike.
 */
import { adopt, remove } from "./adopting.ts";
import { onCommand } from "./commands.ts";
import { draftOf, finished } from "./draft.ts";
import { onLook, onValidated } from "./looking.ts";
import type { Progress, RolloutEvent, Transition } from "./progress.ts";
import { onRule } from "./stopping.ts";

export { greenShare, MAX_LOOK_GAP_MS, newProgress } from "./draft.ts";
export { bandsOf, cohortsOf, nextStage, shareOfStage, stageOf } from "./stages.ts";

/** What an event comes to. `now`: milliseconds since the epoch; it may be late, repeated or before the last. */
export function transition(progress: Progress, event: RolloutEvent, now: number): Transition {
  const d = draftOf(progress, now);
  switch (event.type) {
    case "spec":
      adopt(d, event.spec);
      break;
    case "removed":
      remove(d);
      break;
    case "look":
      onLook(d, event.look, event.stopped);
      break;
    case "rule":
      onRule(d, event);
      break;
    case "validated":
      onValidated(d, event);
      break;
    case "command": {
      const refused = onCommand(d, event);
      if (refused) return refused;
      break;
    }
  }
  return { ok: true, ...finished(d) };
}
