/** The plan of Thorbis: a day of shadow, two at 10 %, three at 50 %, then everybody. */
import type { PlanInput } from "../plan.ts";
import { HOUR, MINUTE } from "./times.ts";

/** Its success criteria. Satisfaction and the increase of tickets are percentages, as its origins report them. */
const SUCCESS: NonNullable<PlanInput["stages"][number]["exit"]> = [
  { metric: "success_rate", atLeast: 0.99 },
  { metric: "error_rate", atMost: 0.005 },
  { metric: "latency_p95", atMost: 800 },
  { metric: "gauge", gauge: "csat", atLeast: 95 },
  { metric: "gauge", gauge: "support_ticket_increase", atMost: 10 },
];

/** A gradual rollback halves once, watches for half an hour, and is completed if that was not enough. */
export const thorbis: PlanInput = {
  name: "thorbis",
  stages: [
    { name: "shadow", shadow: true, duration: 24 * HOUR },
    { percentage: 10, duration: 48 * HOUR, exit: SUCCESS },
    { percentage: 50, duration: 72 * HOUR, exit: SUCCESS },
    { percentage: 100 },
  ],
  rules: [
    { metric: "success_rate", below: 0.95 },
    { metric: "error_rate", above: 0.02 },
    { metric: "event_count", event: "critical_error", atLeast: 2, window: "stage" },
    { metric: "gauge", gauge: "csat", below: 85 },
  ],
  rollback: { watch: 30 * MINUTE, halvings: 1 },
};
