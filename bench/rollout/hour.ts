/**
 * The story that the simulator and the real object are compared on: an hour with an approval, a sign-off, a bake, a
 * silence and a green that goes bad. What is decided in it is kept in `fixtures/traces/hour-decisions.json`.
 */
import type { PlanInput } from "../../src/core/flag/plan.ts";
import type { Story } from "./play.ts";
import { documentWith, FLAG, START } from "./stories.ts";
import { readTrace } from "./trace.ts";

const PLAN: PlanInput = {
  name: "an-hour",
  stages: [
    { percentage: 5, duration: 480, minRequests: 200, maxErrorRate: 0.05 },
    {
      percentage: 25,
      duration: 300,
      exit: [{ metric: "error_rate", atMost: { plus: 0.005 } }],
      approval: "manual",
    },
    {
      percentage: 50,
      duration: 420,
      bake: 180,
      entry: [{ signOff: "product_owner", what: "Product owner approval" }],
    },
    { percentage: 100, duration: 3600, maxErrorRate: 0.02 },
  ],
  rules: [{ metric: "error_rate", above: 0.05, minRequests: 20 }],
};

/** The story over the text of `fixtures/traces/hour.csv`. */
export function hourStory(text: string): Story {
  const trace = readTrace(text);
  return {
    flag: FLAG,
    text: documentWith({ plan: PLAN }),
    trace,
    from: 0,
    // Green is out of traffic by then.
    to: 54,
    start: START,
    stepMs: 30_000,
    approveAfter: 2,
    signOffAfter: 3,
  };
}
