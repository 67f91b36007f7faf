/** The Canary plan: four cohorts, each with what must hold before it opens and before it is left. */
import type { PlanInput } from "../plan.ts";
import { DAY, HOUR, MINUTE } from "./times.ts";

/** Objectives that "all SLOs met" means: the limits of its halt rules over requests and web vitals. */
const OBJECTIVES: NonNullable<PlanInput["slos"]>[string] = [
  { metric: "error_rate", atMost: 0.01, window: 5 * MINUTE },
  { metric: "timeout_rate", atMost: 0.005, window: 5 * MINUTE },
  { metric: "latency_p75", event: "lcp", atMost: 2500, window: 15 * MINUTE },
  { metric: "latency_p75", event: "inp", atMost: 200, window: 15 * MINUTE },
  { metric: "value_p95", event: "cls", atMost: 0.1, window: 15 * MINUTE },
];

/** Any of these pauses; three errors in a row take off their cohort. */
const HALTS: NonNullable<PlanInput["rules"]> = [
  { metric: "latency_p75", event: "lcp", above: 2500, for: 15 * MINUTE, action: "pause" },
  { metric: "latency_p75", event: "inp", above: 200, for: 15 * MINUTE, action: "pause" },
  { metric: "value_p95", event: "cls", above: 0.1, for: 15 * MINUTE, action: "pause" },
  { metric: "latency_p99", above: { times: 5 }, for: 10 * MINUTE, action: "pause" },
  { metric: "latency_p99", above: { times: 5 }, for: 10 * MINUTE, action: "alert" },
  { metric: "timeout_rate", above: 0.005, for: 5 * MINUTE, action: "pause" },
  { metric: "error_rate", above: 0.01, window: 5 * MINUTE, for: 5 * MINUTE, action: "pause" },
  { metric: "error_rate", event: "approval", above: { sigma: 3 }, window: 5 * MINUTE, action: "pause" },
  { metric: "gauge", gauge: "db_connections", atLeast: 1, action: "pause" },
  { metric: "gauge", gauge: "memory", above: 0.9, for: 5 * MINUTE, action: "pause" },
  { metric: "gauge", gauge: "cpu", above: 0.8, for: 5 * MINUTE, action: "pause" },
  { metric: "error_rate", event: "transaction", above: 0.001, action: "pause" },
  { metric: "event_count", event: "data_inconsistency", atLeast: 1, action: "pause" },
  { metric: "event_count", event: "security_alert", atLeast: 1, action: "pause" },
  { metric: "event_count", event: "compliance_violation", atLeast: 1, action: "pause" },
  { metric: "consecutive_errors", atLeast: 3, scope: "cohort" },
];

/** internal_test 1 to 2 hours, friendly_gp a day, beta 2 to 3 days, ga: its checklists are sign-offs. */
export const canaryPlan: PlanInput = {
  name: "canary-plan",
  stages: [
    {
      cohort: "internal_test",
      percentage: 0.5,
      duration: HOUR,
      maxDuration: 2 * HOUR,
      validate: [{ path: "/" }],
      entry: [
        { signOff: "ci", what: "All CI checks passed" },
        { signOff: "deployment", what: "Canary build deployed without faults" },
        { metric: "health_check", atMost: 0 },
      ],
      exit: [
        { metric: "event_count", event: "crash", atMost: 0 },
        { metric: "error_rate", below: 0.001 },
        { metric: "smoke_test", is: "passed" },
        { signOff: "team_feedback", what: "Team feedback collected" },
        { signOff: "internal_test_decision", what: "Decision: proceed or roll back" },
      ],
    },
    {
      cohort: "friendly_gp",
      percentage: 5,
      duration: DAY,
      entry: [
        { metric: "gauge", gauge: "open_sev_1_2", atMost: 0 },
        { signOff: "baseline", what: "Baseline of the metrics established" },
        { signOff: "pilot_partners", what: "Pilot partners notified" },
      ],
      exit: [
        { metric: "error_rate", below: 0.005 },
        { metric: "latency_p75", below: { times: 1.1 } },
        { metric: "gauge", gauge: "canary_diff", below: 0.005 },
        { signOff: "user_feedback", what: "User feedback collected, none of it negative" },
        { signOff: "friendly_gp_decision", what: "Decision: expand or hold" },
      ],
    },
    {
      cohort: "beta",
      percentage: 25,
      duration: 2 * DAY,
      maxDuration: 3 * DAY,
      entry: [
        { metric: "success_rate", event: "feedback", above: 0.8 },
        { metric: "slos", set: "all", are: "met", for: DAY },
        { signOff: "beta_announcement", what: "Beta announcement sent" },
      ],
      exit: [
        { metric: "error_rate", below: 0.005 },
        { metric: "slos", set: "all", are: "met", for: DAY },
        { metric: "event_count", event: "sev_1_bug", atMost: 0, window: 2 * DAY },
        { metric: "adoption", event: "feature_used", above: 0.1 },
        { metric: "health_check", atMost: 0 },
        { signOff: "issues", what: "Issues of the beta addressed" },
        { signOff: "ga_announcement", what: "Announcement of general availability prepared" },
      ],
    },
    {
      cohort: "ga",
      percentage: 100,
      entry: [
        { signOff: "product_owner", what: "Product owner approval" },
        { signOff: "support", what: "Support team ready" },
        { signOff: "documentation", what: "Documentation complete" },
      ],
    },
  ],
  rules: HALTS,
  slos: { all: OBJECTIVES },
};
