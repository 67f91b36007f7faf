/**
 * The published status: what the controller has decided, with the spec that it belongs to.
 * Written under KV key `snapshot`, handed out by the shards, held in memory by every isolate.
 */
import type { Phase } from "./progress.ts";
import type { PublishedFlag } from "./published.ts";

/** Wire version of the snapshot. */
export const SNAPSHOT_VERSION = 1;

/** Release of a halt that holds for every release of its flag. */
export const EVERY_RELEASE = "*";

/**
 * One halt, until the command `resume`: green of this release is out of traffic (`rollback`), capped (`reduce`), does
 * not advance (`pause`), or is killed, whatever the release. Keyed by flag, release, cohort and action.
 */
export interface Halt {
  flag: string;
  /** Of a kill `*`. */
  release: string;
  action: "pause" | "reduce" | "rollback" | "kill";
  /** Only this cohort is off green; absent: all. */
  cohort?: string;
  /** Of a reduction: the most that green may have, thousandths of a percent. */
  cap?: number;
  /** When it was decided, milliseconds since the epoch, controller's clock. */
  at: number;
  /** The rule that fired, in words (`error_rate > 0.05`). */
  rule: string;
  /** The sentence a person reads: what was measured, against what. */
  reason: string;
  /** The numbers behind the sentence. */
  figures: Record<string, number>;
}

/** One fault of the flag document. */
export interface Fault {
  /** JSON path: `flags.checkout.percentage`; empty for the document itself. */
  path: string;
  /** What is wrong. */
  message: string;
  /** What was expected there. */
  expected: string;
}

/** What the controller has decided about one flag. */
export interface FlagStatus {
  /** Hash of the fields of the spec that place visitors or judge green. */
  generation: string;
  /** Share of green that is published, in thousandths of a percent (0..100,000), before halts and kill. */
  share: number;
  /** Cohorts that the plan has enabled so far; absent: all that the spec enables. */
  cohorts?: string[];
  /** Shares at which the stages' cohorts begin to count visitors placed by the hash as theirs, ascending. */
  bands?: Band[];
  /** Tenants chosen from a directory, by cohort. */
  selected?: Record<string, string[]>;
  /** Where the rollout is: its phase, and the place of its stage in the plan. */
  phase?: Phase;
  stage?: number;
  /** The stage is one in which green gets copies only. */
  shadow?: true;
}

/** Visitors whose bucket is below `share` and in no band before are counted as `cohort`. */
export interface Band {
  cohort: string;
  /** Thousandths of a percent. */
  share: number;
}

/** The document under KV key `snapshot`. */
export interface Snapshot {
  v: typeof SNAPSHOT_VERSION;
  /** The controller's counter; a higher one is newer. */
  revision: number;
  /** When it was made, milliseconds since the epoch. */
  at: number;
  /** Hash of the text of the spec that was adopted (`hashText`). */
  specHash: string;
  /** Global switch of the spec. */
  enabled: boolean;
  /** Every flag in its last good form. `wholeFlag` fills in what is left out. */
  flags: Record<string, PublishedFlag>;
  /** Status of every flag. */
  status: Record<string, FlagStatus>;
  halts: Halt[];
  /**
   * Text of the kill key as the controller last read it: for an isolate that cannot read KV itself. Absent in
   * snapshots of a controller that did not publish it yet.
   */
  kill?: string;
  /** Faults of the adopted text; flags named in them run in their last good form, or not at all. */
  faults: Fault[];
}
