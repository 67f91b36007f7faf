/** The history of a flag's rollouts: what each did and how it ended, and which of them are kept. */
import { SHARE_PER_PERCENT } from "../flag/percentage.ts";
import type { Outcome } from "./progress.ts";

/** Rollouts of a flag that are kept, however old they are. */
export const KEPT_ROLLOUTS = 10;
/** Rollouts that have ended are kept so long, milliseconds: 90 days. */
export const KEPT_MS = 90 * 86_400_000;

/** A stage that was entered. */
export interface PastStage {
  /** Its place in the plan, from 0. */
  stage: number;
  name: string | null;
  /** Share of green when it was entered, thousandths of a percent. */
  share: number;
  /** Milliseconds since the epoch. */
  enteredAt: number;
  /** Null while it lasts. */
  leftAt: number | null;
  /** Requests meant for green in it, and how many of them failed; null while it lasts, or not known. */
  requests: number | null;
  failures: number | null;
}

/** One rollout of a flag. */
export interface PastRollout {
  flag: string;
  /** Its number among the flag's rollouts. */
  rollout: number;
  /** Null where its beginning was lost with the store. */
  release: string | null;
  /** Name of its plan; null without a plan or for one without a name. */
  plan: string | null;
  /** Who started it. */
  who: string | null;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Null while it lasts; outcome and reason likewise. */
  endedAt: number | null;
  outcome: Outcome | null;
  reason: string | null;
  stages: PastStage[];
}

/** One rollout as people read it: with percentages. */
export type PastRolloutView = Omit<PastRollout, "stages"> & {
  stages: (Omit<PastStage, "share"> & { percentage: number })[];
};

/** Of which rollout something is told, and when (milliseconds since the epoch). */
export interface OfRollout {
  flag: string;
  rollout: number;
  at: number;
}
/** Requests meant for green since the stage began, and how many of them failed; null where it is not known. */
export type StageCounts = Pick<PastStage, "requests" | "failures">;
export type Started = OfRollout & Pick<PastRollout, "release" | "plan" | "who">;
/** A stage is entered; the counts are those of the stage that is left by it. */
export type Entered = OfRollout & StageCounts & { stage: number; name?: string | null; share: number };
/** The counts are those of the last stage. */
export type Ended = OfRollout & StageCounts & { outcome: Outcome; reason: string };

/** A rollout has begun. */
export function begun({ flag, rollout, at, release, plan, who }: Started): PastRollout {
  const open = { endedAt: null, outcome: null, reason: null };
  return { flag, rollout, release, plan, who, startedAt: at, ...open, stages: [] };
}

/** It has entered a stage, and left the one before. */
export function inStage(past: PastRollout, entered: Entered): PastRollout {
  const { stage, name = null, share, at } = entered;
  const lasting = { leftAt: null, requests: null, failures: null };
  return { ...past, stages: [...left(past, entered), { stage, name, share, enteredAt: at, ...lasting }] };
}

/** It has ended, and with it its last stage. */
export function over(past: PastRollout, ended: Omit<Ended, "flag" | "rollout">): PastRollout {
  const { at, outcome, reason } = ended;
  return { ...past, endedAt: at, outcome, reason, stages: left(past, ended) };
}

/** As people read it. */
export function inPercent({ stages, ...past }: PastRollout): PastRolloutView {
  const read = stages.map(({ share, ...stage }) => ({ ...stage, percentage: share / SHARE_PER_PERCENT }));
  return { ...past, stages: read };
}

/** Stages, the last one left at `at`. */
function left(
  { stages }: PastRollout,
  { at, requests, failures }: Pick<OfRollout, "at"> & StageCounts,
): PastStage[] {
  return stages.map((stage) =>
    stage.leftAt === null ? { ...stage, leftAt: at, requests, failures } : stage,
  );
}
