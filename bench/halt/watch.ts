/** One simulated rollout with the product's own detector, watched: what a dashboard shows of it, and the evidence. */
import { BUCKETS, quantileMs } from "../../src/core/analysis/histogram.ts";
import { addPoint, newTrace, type TracePoint } from "../../src/core/analysis/trace.ts";
import { create as createOwn } from "./detector.ts";
import type { Cohort, Create } from "./plug.ts";
import { type Outcome, runOnce } from "./simulate.ts";
import type { Story } from "./stories.ts";

/** A value of one side over one step of time. */
export interface Measured {
  /** Middle of the step, milliseconds from the first stage. */
  at: number;
  side: Cohort;
  /** Failures per request, or p95 in milliseconds. */
  value: number;
}

export interface Watched {
  /** As the controller keeps it for the dashboard: of each step the point with the most evidence. */
  evidence: readonly TracePoint[];
  measured: readonly Measured[];
  outcome: Outcome;
}

/** Plays the story up to the halt. */
export function watch({ scenario, run, fromMs, toMs, shown }: Story): Watched {
  const trace = newTrace();
  const measured: Measured[] = [];
  const sides = { blue: new Step(), green: new Step() };
  const create: Create = (config) => {
    const detector = createOwn(config);
    return {
      onStage: detector.onStage,
      observe: (tMs, cohort, requests, errors, latency, extra) => {
        const verdict = detector.observe(tMs, cohort, requests, errors, latency, extra);
        if (tMs <= fromMs || tMs > toMs) return verdict;
        sides[cohort].add(requests, errors, latency);
        if (tMs % shown.stepMs === 0) {
          const value = sides[cohort].close(shown.metric);
          if (value !== undefined) measured.push({ at: tMs - shown.stepMs / 2, side: cohort, value });
        }
        if (cohort === "green") addPoint(trace, { at: tMs, share: 0, ...evidenceOf(detector.view()) });
        return verdict;
      },
    };
  };
  const outcome = runOnce([create], scenario, run)[0]!;
  return { evidence: trace.points, measured, outcome };
}

function evidenceOf({ evidence, errors, latency }: Omit<TracePoint, "at" | "share">) {
  return { evidence, errors, latency };
}

/** Counts of one side in the present step. */
class Step {
  #requests = 0;
  #errors = 0;
  #latency = new Float64Array(BUCKETS);

  add(requests: number, errors: number, latency: ArrayLike<number> | undefined): void {
    this.#requests += requests;
    this.#errors += errors;
    if (latency) for (let i = 0; i < BUCKETS; i++) this.#latency[i]! += latency[i]!;
  }

  /** The value of the step that is over; undefined where it had no request. */
  close(metric: Story["shown"]["metric"]): number | undefined {
    const p95 = quantileMs(this.#latency, 0.95);
    const rate = this.#requests > 0 ? this.#errors / this.#requests : undefined;
    this.#requests = 0;
    this.#errors = 0;
    this.#latency.fill(0);
    return metric === "p95" ? p95 : rate;
  }
}
