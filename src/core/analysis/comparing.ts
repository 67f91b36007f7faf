/** What a comparison of green with blue is given, and what it says: the words that judge, controller and status share. */

/** One side of a tick. In the product requests and errors are visitor-minutes of visitors that the hash placed. */
export interface Side {
  requests: number;
  errors: number;
  /** Latencies in the 128 dense buckets of histogram.ts; absent where nothing was measured. */
  latency?: ArrayLike<number> | undefined;
  /** Errors by 1/16 slice of the bucket space; blue's only. */
  slices?: ArrayLike<number> | undefined;
}

/** Counts of one stretch of time, both sides. */
export interface ComparisonTick {
  /** End of the tick, milliseconds since the epoch. */
  at: number;
  /** Length, milliseconds. */
  ms: number;
  blue: Side;
  green: Side;
}

export interface ComparisonConfig {
  /** Probability of a false halt over the whole rollout, 0..1 exclusive. Halting is at evidence 1/alpha. */
  alpha: number;
  /** What is compared; both by default. */
  signals: readonly Signal[];
}

export type Signal = "errors" | "latency";

/** What green is compared with. `own`: blue has no traffic, so green's own earlier window takes its place. */
export type Peer = "blue" | "own" | "none";

/** The state of a comparison, for people and rules. All evidences start at 1 and are at least 0. */
export interface ComparisonView {
  /** Weighed over the signals; 1/alpha halts. */
  evidence: number;
  errors: number;
  latency: number;
  /** 1/alpha. */
  threshold: number;
  /** Evidence has reached the threshold and at least MIN_FAILURES of green's requests failed, if errors brought it there. */
  unhealthy: boolean;
  /** Which signal weighs most. */
  leading: Signal;
  peer: Peer;
  /**
   * Counts of the two sides since the leading signal's evidence began to rise. Where errors are compared with green's own
   * earlier window, that window stands for blue.
   */
  blue: { requests: number; errors: number };
  green: { requests: number; errors: number };
  /** A quantile (0..1) by which latency differs most, and both sides' values in milliseconds, once latency leads. */
  slower?: { quantile: number; blueMs: number; greenMs: number };
  /** Blue ticks seen at all, in milliseconds of time: how well blue is known. */
  knownMs: number;
  /** Strength (0..1] at which evidence of errors is taken, by blue's own scatter; 1 when blue's failures are like chance. */
  strength: number;
}
