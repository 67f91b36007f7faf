/** The plug between a simulator and a detector: what every detector of this bench is given, and what it answers. */

export type Cohort = "blue" | "green";

export interface DetectorConfig {
  /** Share of green that is planned, 0..1. */
  plannedShare: number;
}

export interface Extra {
  /** Blue's errors by 1/16 slice of the bucket space in this tick: 16 numbers, reused by the caller. */
  shardErrors?: Uint16Array;
}

export interface Detector {
  /**
   * A stage begins at tMs (milliseconds) with this share of green, 0..1. Before the first call only blue is
   * observed: that is history, with negative or earlier times.
   */
  onStage(tMs: number, greenShare: number): void;
  /**
   * One tick of a cohort. Every 2 s first blue, then green with the same tMs, the END of the tick in milliseconds.
   * `latencyBucketCounts` has 128 numbers, base-2 exponential scale 3: bucket i holds values up to 2^((i-79)/8)
   * seconds. It is reused by the caller, so what is to be kept must be copied.
   */
  observe(
    tMs: number,
    cohort: Cohort,
    requests: number,
    errors: number,
    latencyBucketCounts?: Uint32Array,
    extra?: Extra,
  ): "ok" | "halt";
}

/** Makes a detector for one rollout. */
export type Create = (config: DetectorConfig) => Detector;

/** Length of a tick, milliseconds. */
export const TICK_MS = 2000;

/** Slices of the bucket space by which blue's errors are told apart. */
export const SLICES = 16;
