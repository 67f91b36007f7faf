/** A rollout's progress: what is remembered, can happen and follows. JSON as it is; `transition.ts` is the machine. */
import type { Finding } from "../analysis/rules.ts";
import type { Topic } from "../flag/notify.ts";
import type { Plan } from "../flag/plan.ts";

/** Where a rollout is. */
export type Phase =
  | "idle" // nothing under way: no plan, not started, or the flag is not in canary
  | "progressing" // in a stage
  | "awaitingApproval" // a stage's gates have passed; somebody has to approve before it is left
  | "paused" // keeps the percentage, does not advance
  | "rollingBack" // green goes down by degrees
  | "halted" // green is out of traffic until the command resume
  | "completed"; // everybody is on green

/** What a rule or a person does to green; all but `alert` stick to the release until the command resume. */
export type Action = "alert" | "pause" | "reduce" | "rollback" | "kill";

/** A word given for a gate of the present stage. */
export interface SignOff {
  role: string;
  who: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** What is remembered of a flag's rollout. One for each flag with a route, in the controller's store. */
export interface Progress {
  phase: Phase;
  /** Number of this rollout of the flag, from 1; 0 before the first. With `step` it makes keys of effects. */
  rollout: number;
  /** Rises with every event from which anything follows; clocks alone do not raise it. */
  step: number;
  /** Is that rollout under way in the history: begun and not ended? */
  open: boolean;
  /** State of the flag's spec as it was adopted last. */
  state: SpecOf["state"];
  release: string;
  /** As in the spec: how fast blue can take traffic back. */
  blueCapacity: { pointsPerMinute: number } | undefined;
  /** The plan it runs by, as it was when it was adopted last; undefined for a flag without one. */
  plan: Plan | undefined;
  /** Place of the present stage in the plan; -1 before the first. */
  stage: number;
  /**
   * Share of green that progress allows, in thousandths of a percent, before halts, the kill key and the switch. For a
   * flag without a plan what its spec asks for.
   */
  share: number;
  /** The spec's own percentage as it was adopted last (thousandths): another one is set by hand. */
  asked: number;
  /** Cohorts that the stages have enabled so far, in the plan's order; undefined without a plan: all of the spec's. */
  cohorts: string[] | undefined;
  /** Is `share` between two stages, set by hand or reduced? It goes on at the first stage above. */
  byHand: boolean;
  /** A percentage set by hand while green must not rise (paused, halted): it counts from the command resume on. */
  waiting: number | undefined;
  /** When the release began and when the stage did (ms since the epoch); 0 for never. */
  startedAt: number;
  stageAt: number;
  /** Milliseconds of the stage that were measured, running and not halted: what `duration` counts. */
  elapsedMs: number;
  /** The same with time that was not measured: what `maxDuration` counts. */
  inStageMs: number;
  /** Milliseconds of bake since gates and approval; undefined before. */
  bakedMs: number | undefined;
  /** The last look, ms since the epoch: time between looks counts at most MAX_LOOK_GAP_MS. */
  lookedAt: number;
  /** Since when the stage is held for want of requests or telemetry, measured as elapsed is; and was it told? */
  stalledMs: number;
  stalledTold: boolean;
  /** Has the list of requests of the next stage passed? `waiting`: it was asked for. */
  validation: "none" | "waiting" | "passed" | "failed";
  /** Key of the list that was asked for last. */
  validationKey: string | undefined;
  /** How the last list of requests of this release went: what the metric `smoke_test` reads. */
  smoke: "none" | "waiting" | "passed" | "failed";
  /** Was the next stage ordered (`advance`)? Then only its entry is waited for. */
  ordered: boolean;
  /** Words given for the present stage, entry gates of the next included. */
  signOffs: SignOff[];
  /** Told that only words are wanting? */
  wordsTold: boolean;
  /** Approved, by whom: set while its bake runs. */
  approvedBy: string | undefined;
  /** Why it is paused, halted or rolled back: a sentence. */
  why: string | undefined;
  /** Of a gradual rollback or a reduction. */
  descent: Descent | undefined;
  /** Time of the last rollback until green's last answer. */
  rollback: RollbackTime | undefined;
  /** Halts that stand, of whatever release, as the owner's rows do. */
  standing: Standing[];
}

/** A halt that stands until the command resume. */
export interface Standing {
  /** `*` of a kill. */
  release: string;
  action: Exclude<Action, "alert">;
  /** Only this cohort. */
  cohort: string | undefined;
  /** The most that green may have: of a pause and a reduction what it had then, thousandths of a percent. */
  cap: number | undefined;
  why: string;
}

/** A way down by degrees. */
export interface Descent {
  /** `gradual`: halve and watch. `guarded`: to nothing. Both as fast as blue can take it, where that is said. */
  kind: "gradual" | "guarded";
  halvings: number;
  /** Falls to `target` from `top` (thousandths of a percent), for so many milliseconds already. */
  target: number;
  top: number;
  fallenMs: number;
  /** Measured milliseconds of the present watch. */
  watchedMs: number;
  /** All milliseconds of the present watch. */
  waitedMs: number;
  /** Share before it began, thousandths of a percent, and the stage then. */
  from: number;
  stage: number;
  pointsPerMinute: number | undefined;
  who: string;
  reason: string;
}

/** How long a rollback took, as the counts show it. */
export interface RollbackTime {
  /** When it was decided, ms since the epoch. */
  at: number;
  /** When the last request began that green answered, as far as is known; undefined while none was seen after `at`. */
  lastGreenAt: number | undefined;
  /** Milliseconds from the decision to the last green answer; undefined while it is not known yet. */
  tookMs: number | undefined;
  /** Alerted that the budget was exceeded? */
  overdue: boolean;
}

/** What people can order. `who` and `reason` go into the audit log. */
export type Command =
  | { name: "start" }
  | { name: "pause" }
  | { name: "resume" }
  | { name: "approve" }
  | { name: "advance" } // to the next stage now: gates and approval of this one are skipped, entry gates are not
  | { name: "promote"; force: boolean } // to the end of the plan; without force only if every gate left holds
  | { name: "instant" } // 100 % at once: a hotfix; audited as such
  | { name: "rollback"; mode: "gradual" | "immediate" | "kill" }
  | { name: "restart" } // from the first stage
  | { name: "signOff"; role: string };

/** What was found at a look: gates of the present stage and entry gates of the next, halt rules, counts. */
export interface Look {
  /** Verdict over telemetry: unmeasured holds everything. */
  verdict: "healthy" | "unhealthy" | "insufficient" | "unmeasured";
  /** Sentence of the verdict. */
  sentence: string;
  /** Requests meant for green since the stage began. */
  requests: number;
  /**
   * One finding for each exit gate of the present stage, in order; sign-offs are not in it (`undefined` there). What
   * comes after the last gate has to hold as well: the stage's `maxErrorRate`.
   */
  exit: (Finding | undefined)[];
  /** The same for the entry gates of the next stage. */
  entry: (Finding | undefined)[];
}

/** What can happen to a rollout. */
export type RolloutEvent =
  | { type: "spec"; spec: SpecOf }
  | { type: "removed" }
  | { type: "command"; command: Command; who: string; reason: string; look: Look | undefined }
  | { type: "look"; look: Look; stopped: boolean } // stopped: kill key or switch; time stands still
  | {
      type: "rule";
      action: Exclude<Action, "kill">;
      rule: string;
      sentence: string;
      cohort: string | undefined;
    }
  | { type: "validated"; key: string; passed: boolean; sentence: string };

/** What of a flag's spec the machine needs. */
export interface SpecOf {
  state: "off" | "shadow" | "canary" | "on" | "kill";
  release: string;
  /** Thousandths of a percent. */
  asked: number;
  plan: Plan | undefined;
  blueCapacity: { pointsPerMinute: number } | undefined;
}

/**
 * What follows from an event. The owner of the progress writes it down with the new progress in one transaction, and
 * acts then. `key`s are the same however often the same event is played: `FLAG/ROLLOUT/STEP/N`, FLAG added by the owner.
 */
export type Effect =
  /** The published share or cohorts have changed. */
  | { type: "publish" }
  /** Somebody is to be told. */
  | { type: "tell"; topic: Topic; sentence: string }
  /** A row that sticks to the release until the command resume. */
  | {
      type: "halt";
      action: Exclude<Action, "alert">;
      /** `*` of a kill; else the release that it sticks to, which a newer one may have followed already. */
      release: string;
      rule: string;
      sentence: string;
      cohort: string | undefined;
      /** Of a reduction: the most that green may have, thousandths of a percent. */
      cap: number | undefined;
    }
  /** The rows of this release are lifted, and a kill. */
  | { type: "lift" }
  /** The stage's requests are to be tried on green; comes back as `validated` with this key, FLAG/ before it or not. */
  | { type: "validate"; key: string; stage: number }
  /** Entry of the history: a rollout (one before the present perhaps) has begun, entered a stage, ended. */
  | { type: "history"; what: Mark; rollout: number; outcome?: Outcome; stage: number }
  /** The rule's memory begins anew (after a reduction, after resume). */
  | { type: "restartRules" }
  /** A record of the audit log. */
  | { type: "audit"; action: string; reason: string; figures: Record<string, string | number> };

/** An entry of the history, and how a rollout ended. */
export type Mark = "started" | "stage" | "ended";
export type Outcome = "completed" | "halted" | "rolledBack" | "killed" | "superseded" | "removed";

/** What an event came to: the new progress with what follows, or a refusal that changes nothing. */
export type Transition =
  | { ok: true; progress: Progress; effects: Effect[] }
  | { ok: false; reason: Refusal; sentence: string };

/** Why a command is refused; one HTTP answer each. */
export type Refusal =
  | "no-plan"
  | "already-running"
  | "not-running"
  | "not-paused"
  | "not-awaiting-approval"
  | "gates-not-passed"
  | "halted"
  | "no-next-stage"
  | "not-in-canary"
  | "no-such-role"
  | "already-rolled-back"
  | "flag-stopped";
