/** Plans of ORCA: the canary workflow of 5/25/50/100 %, and the five weeks from internal testing to everybody. */
import type { PlanInput } from "../plan.ts";
import { HOUR, MINUTE, WEEK } from "./times.ts";

/** What every stage needs to be left: the green light. */
const GREEN_LIGHT: NonNullable<PlanInput["stages"][number]["exit"]> = [
  { metric: "error_rate", atMost: { plus: 0.005 } },
  { metric: "latency_p95", atMost: { plus: 100 } },
  { metric: "gauge", gauge: "trust_score", atLeast: 80 },
  { metric: "alerts", labels: { severity: "critical" }, atMost: 0 },
  { metric: "smoke_test", is: "passed" },
];

/**
 * 5 % with smoke tests for 30 minutes, 25 % for an hour, 50 % for two and an approval, 100 % with a day of bake. Red
 * light and rollback triggers are all in force, the first to fire wins.
 */
export const orca: PlanInput = {
  name: "orca",
  stages: [
    { percentage: 5, duration: 30 * MINUTE, validate: [{ path: "/" }], exit: GREEN_LIGHT },
    { percentage: 25, duration: HOUR, exit: GREEN_LIGHT },
    { percentage: 50, duration: 2 * HOUR, exit: GREEN_LIGHT, approval: "manual" },
    { percentage: 100, exit: GREEN_LIGHT, bake: 24 * HOUR },
  ],
  rules: [
    { metric: "error_rate", above: { plus: 0.02 } },
    { metric: "latency_p95", above: { plus: 500 } },
    { metric: "gauge", gauge: "trust_score", below: 75 },
    { metric: "alerts", labels: { severity: "critical" }, atLeast: 1 },
    { metric: "smoke_test", is: "failed" },
    { metric: "error_rate", above: { plus: 0.05 } },
    { metric: "latency_p95", above: { times: 1.5 } },
    { metric: "alerts", labels: { severity: "critical" }, atLeast: 1, within: 10 * MINUTE },
    { metric: "health_check", above: 3 },
  ],
};

/** A week each: internal testing, beta users who opted in (the flag's cohort `beta`), 10 %, 50 %, everybody. */
export const orcaWeeks: PlanInput = {
  name: "orca-weeks",
  stages: [
    { name: "internal", percentage: 0.1, duration: WEEK },
    { name: "beta", cohort: "beta", duration: WEEK },
    { name: "canary", percentage: 10, duration: WEEK },
    { name: "expanded", percentage: 50, duration: WEEK },
    { name: "full", percentage: 100, duration: WEEK },
  ],
};
