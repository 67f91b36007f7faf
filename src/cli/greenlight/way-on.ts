/** The command that goes on from where a flag or rollout is kept: what a person would have to look up otherwise. */
import type { FlagSpecView, RolloutView } from "../../core/api/views.ts";
import type { Halt } from "../../core/rollout/snapshot.ts";

/** What lifts a halt. */
export function afterHalt({ flag, action, cohort }: Halt): string {
  if (action === "kill") return `greenlight unkill ${flag}`;
  const lift = `greenlight resume ${flag} "mended"`;
  if (action !== "rollback" || cohort !== undefined) return lift;
  return `${lift}, or name the mended release: greenlight set ${flag} --release NEXT`;
}

/** What goes on with a rollout that waits for a person; undefined where nobody is waited for. */
export function afterRollout({ flag, phase, halts, waitsFor }: RolloutView): string | undefined {
  const whole = halts.find(({ cohort, action }) => cohort === undefined && action !== "reduce");
  const kill = halts.find(({ action }) => action === "kill");
  if (kill ?? whole) return afterHalt((kill ?? whole)!);
  switch (phase) {
    case "halted":
    case "paused":
      return `greenlight resume ${flag} "mended"`;
    case "awaitingApproval":
      return `greenlight approve ${flag}, or greenlight rollback ${flag}`;
    case "rollingBack":
      return `greenlight kill ${flag} is at once, greenlight resume ${flag} stops it`;
    case "idle":
      return waitsFor.includes("the command start") ? `greenlight start ${flag}` : undefined;
    default:
      return undefined;
  }
}

/** Where to look on from a flag that is kept from what is asked for; undefined where nothing keeps it. */
export function afterFlag({ name, why, effective, flag }: FlagSpecView): string | undefined {
  if (why === null || !flag) return undefined;
  if (effective === "kill" && flag.state !== "kill") return `greenlight unkill ${name}`;
  return flag.route ? `greenlight canary-status ${name} says what it waits for` : undefined;
}
