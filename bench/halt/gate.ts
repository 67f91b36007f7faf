/** How long the gate "errors at most half a point above blue's" takes to open for a good green, and how often for a bad one. */
import { NonInferiority } from "../../src/core/analysis/non-inferiority.ts";
import { atMost, type Figure } from "../figure.ts";
import { median, quantile } from "../statistics.ts";
import type { Scenario } from "./scenario.ts";
import { Stream } from "./streams.ts";

const GATE = { margin: 0.005, alpha: 0.05 };
/** Asked for: minutes to the median, and the share of bad greens that may pass. */
const ASKED = { minutes: 25, passed: GATE.alpha };

const GOOD: Scenario = {
  name: "gate, good green",
  rate: 50,
  errorRate: 0.01,
  stages: [{ atHours: 0, share: 0.05 }],
  historyHours: 1,
  hours: 6,
};
/** Worse by exactly what the gate allows. */
const BAD: Scenario = { ...GOOD, name: "gate, green half a point worse", greenTimes: 1.5 };

export function gate(runs: number): Figure[] {
  const good = Array.from({ length: runs }, (_, run) => minutesToOpen(GOOD, run));
  const passed = Array.from({ length: runs }, (_, run) => minutesToOpen(BAD, run)).filter(Number.isFinite);
  const show = (minutes: number) => `${minutes.toFixed(1)} min`;
  const late = quantile(good, 0.95);
  return [
    atMost(
      "gate of + 0.5 points, good green, median",
      median(good),
      ASKED.minutes,
      show,
      `p95 ${Number.isFinite(late) ? show(late) : "never"}, ${runs} runs`,
    ),
    atMost(
      "the same, green half a point worse: passed in 6 h",
      passed.length / runs,
      // A share of few runs scatters: two standard errors.
      ASKED.passed + 2 * Math.sqrt((ASKED.passed * (1 - ASKED.passed)) / runs),
      (share) => `${(share * 100).toFixed(1)} %`,
      `${passed.length} of ${runs} runs; ${ASKED.passed * 100} % are allowed`,
    ),
  ];
}

function minutesToOpen(scenario: Scenario, run: number): number {
  const stream = new Stream(scenario, run);
  const test = new NonInferiority(GATE);
  while (stream.next()) {
    if (stream.share === 0) test.learn(stream.blue);
    else test.observe(stream.blue, stream.green);
    if (test.passed) return stream.endMs / 60_000;
  }
  return Number.POSITIVE_INFINITY;
}
