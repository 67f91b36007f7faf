/**
 * The published status: what the controller has decided, with the spec that it belongs to.
 * Written under KV key `snapshot`, handed out by the shards, held in memory by every isolate.
 */
import type { Flag } from "../flag/schema.ts";

/** Wire version of the snapshot. */
export const SNAPSHOT_VERSION = 1;

/** One halt: green of this release is out of traffic until the command `resume`. Keyed by flag and release. */
export interface Halt {
  flag: string;
  release: string;
  action: "rollback";
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
  /** Every flag in its last good form, defaults filled in. */
  flags: Record<string, Flag>;
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
