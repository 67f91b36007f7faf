/** The plan of EcoTrips: from 5 % up in steps of 5 to 10 points. */
import type { PlanInput } from "../plan.ts";
import { HOUR, WEEK } from "./times.ts";

const PERCENTAGES = [5, 10, 20, 30, 40, 50, 60, 70, 80, 90];
/** It verifies for so long before its cutover and says nothing of the steps before: they take as long. */
const VERIFIED = 4 * HOUR;

export const ecotrips: PlanInput = {
  name: "ecotrips",
  stages: [
    ...PERCENTAGES.map((percentage) => ({ percentage, duration: VERIFIED })),
    { name: "cutover", percentage: 100 },
  ],
  rules: [
    { metric: "error_rate", event: "tool", above: 0.02 },
    { metric: "error_rate", event: "quote_sla", above: 0.05 },
    {
      metric: "event_count",
      event: "escalation",
      above: { baseline: "last_week", times: 1 },
      window: WEEK,
    },
    { metric: "alerts", atLeast: 1, action: "pause" },
  ],
};
