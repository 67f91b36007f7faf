/** Shares of green that the written form of a flag asks for, and how much of it an edit may have by itself. */
import { FULL_SHARE, shareOf } from "../flag/percentage.ts";
import type { Flag } from "../flag/schema.ts";
import { EVERY_RELEASE, type FlagStatus, type Halt } from "./snapshot.ts";

/** Share of green that a spec asks for, in thousandths of a percent. */
export function askedShare(flag: Flag): number {
  switch (flag.state) {
    case "on":
      return FULL_SHARE;
    case "canary":
      return shareOf(flag.percentage);
    default:
      return 0;
  }
}

/**
 * Share that an edit asks for. Where a plan leads the flag and the edit leaves state and percentage as they are
 * published, it says nothing about the share, which the plan has changed since: an edit of notes moves nobody.
 */
export function saidShare(edited: Flag, published: Flag | undefined, status: FlagStatus | undefined): number {
  const { plan, state, percentage } = edited;
  const isSame = state === published?.state && percentage === published.percentage;
  return plan !== undefined && isSame && status !== undefined ? status.share : askedShare(edited);
}

/**
 * The most that an edit may have by itself where its release is paused, or on its way down: what it has now. Only the
 * command resume raises that. Nothing where it is paused and another release was published since.
 */
export function heldShare(
  edited: Flag,
  published: Flag | undefined,
  status: FlagStatus | undefined,
  halts: readonly Halt[],
): number {
  const isSame = published?.release === edited.release;
  const paused = halts.some(
    ({ action, release, cohort }) =>
      action === "pause" && cohort === undefined && (release === edited.release || release === EVERY_RELEASE),
  );
  if (!paused && !(isSame && status?.phase === "rollingBack")) return FULL_SHARE;
  return isSame ? (status?.share ?? 0) : 0;
}
