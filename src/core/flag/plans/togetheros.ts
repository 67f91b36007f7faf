/** Plans of TogetherOS: the default stages with their error limits, and the custom ones of its guide. */
import type { PlanInput } from "../plan.ts";

/**
 * 10/50/100 % with at most 5, 3 and 2 % of errors. Its guide evaluates a stage from a minimum of requests on but gives
 * the default stages neither that nor a duration: they have those of its custom plan, of its first stage and of 50 %.
 */
export const togetheros: PlanInput = {
  name: "togetheros",
  stages: [
    { percentage: 10, duration: 600, minRequests: 50, maxErrorRate: 0.05 },
    { percentage: 50, duration: 1200, minRequests: 500, maxErrorRate: 0.03 },
    { percentage: 100, duration: 0, minRequests: 0, maxErrorRate: 0.02 },
  ],
};

export const togetherosCustom: PlanInput = {
  name: "togetheros-custom",
  stages: [
    { percentage: 5, duration: 600, minRequests: 50, maxErrorRate: 0.05 },
    { percentage: 25, duration: 900, minRequests: 200, maxErrorRate: 0.03 },
    { percentage: 50, duration: 1200, minRequests: 500, maxErrorRate: 0.02 },
    { percentage: 100, duration: 0, minRequests: 0, maxErrorRate: 0.01 },
  ],
};
