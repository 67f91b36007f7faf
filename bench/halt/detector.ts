/**
 * The product's own comparison behind the plug of other people's simulators: nothing in here decides anything, and
 * nothing in it is tuned for a bench.
 */
import type { ComparisonTick, ComparisonView, Side } from "../../src/core/analysis/comparing.ts";
import { Comparison } from "../../src/core/analysis/comparison.ts";
import { BUCKETS } from "../../src/core/analysis/histogram.ts";
import { SLICES } from "../../src/core/analysis/tally.ts";
import { type Cohort, type Detector, type DetectorConfig, type Extra, TICK_MS } from "./plug.ts";

/** Probability of a false halt over the whole rollout: the product's default. */
const ALPHA = 0.001;

const NO_TRAFFIC: Side = { requests: 0, errors: 0 };

/** A detector that tells its state, for the bench of its size, and its evidence, for the pictures. */
export interface OwnDetector extends Detector {
  /** How the comparison stands. */
  view(): ComparisonView;
  /** The comparison's whole state, as the controller stores it. */
  state(): string;
}

/**
 * Makes the detector of one rollout. What is learned of blue does not hang on the share that is planned. Ticks are 2 s: first blue, then green with the same time; before `onStage` only
 * blue comes, which is history. `latencyBucketCounts` holds 128 counts, base-2 exponential, scale 3: bucket i holds
 * values up to 2^((i-79)/8) seconds, so bucket 0 up to 1.065 ms, bucket 79 up to 1 s, bucket 127 up to 64 s and all
 * above. It and `extra.shardErrors` (blue's errors by slice) are read at once and may be reused.
 */
export function create(_config: DetectorConfig): OwnDetector {
  const comparison = new Comparison({ alpha: ALPHA, signals: ["errors", "latency"] });
  const tick: ComparisonTick = { at: 0, ms: TICK_MS, blue: NO_TRAFFIC, green: NO_TRAFFIC };
  /** Blue's tick that waits for green's: a copy, for the caller reuses its arrays. */
  const latency = new Float64Array(BUCKETS);
  const slices = new Float64Array(SLICES);
  let waiting: { at: number; blue: Side } | undefined;
  const taken = { blue: Number.NEGATIVE_INFINITY, green: Number.NEGATIVE_INFINITY };
  let staged = false;
  let halted = false;

  function take(at: number, blue: Side, green: Side): void {
    tick.at = at;
    tick.blue = blue;
    tick.green = green;
    comparison.observe(tick);
    halted ||= comparison.view().unhealthy;
  }

  function pass(): void {
    if (waiting) take(waiting.at, waiting.blue, NO_TRAFFIC);
    waiting = undefined;
  }

  return {
    onStage(tMs: number, greenShare: number): void {
      pass();
      staged = true;
      // A share is a ratio; some simulators think in percent.
      comparison.stage(tMs, greenShare > 1 ? greenShare / 100 : greenShare);
    },
    observe(
      tMs: number,
      cohort: Cohort,
      requests: number,
      errors: number,
      latencyBucketCounts?: Uint32Array,
      extra?: Extra,
    ): "ok" | "halt" {
      // Ticks come in order; one that is older, or comes twice, changes nothing.
      if (tMs <= taken[cohort]) return halted ? "halt" : "ok";
      taken[cohort] = tMs;
      if (cohort === "blue") {
        pass();
        const blue: Side = {
          requests,
          errors,
          latency: copied(latencyBucketCounts, latency),
          slices: copied(extra?.shardErrors, slices),
        };
        waiting = { at: tMs, blue };
        if (!staged) pass();
        return halted ? "halt" : "ok";
      }
      const blue = waiting?.at === tMs ? waiting.blue : NO_TRAFFIC;
      if (blue === NO_TRAFFIC) pass();
      waiting = undefined;
      take(tMs, blue, { requests, errors, latency: latencyBucketCounts });
      return halted ? "halt" : "ok";
    },
    view: () => comparison.view(),
    state: () => JSON.stringify(comparison.save()),
  };
}

/** Size of a detector's stored state, bytes. */
export function stateBytes(detector: Detector): number {
  return (detector as OwnDetector).state().length;
}

function copied<T extends ArrayLike<number>>(
  from: T | undefined,
  into: Float64Array,
): Float64Array | undefined {
  if (from === undefined) return undefined;
  into.set(from);
  return into;
}
