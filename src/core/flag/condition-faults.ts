/** What is wrong with a condition across its fields: which limits its metric takes, and which fields go together. */
import { type Limit, OPERATORS, type Operator } from "./limit.ts";

/** A condition whose fields are good one by one. */
export interface Draft {
  metric: string;
  event?: string | undefined;
  scope?: string;
  guarded?: boolean;
  minVisitors?: number;
  window?: number | "stage";
  above?: Limit | undefined;
  atLeast?: Limit | undefined;
  below?: Limit | undefined;
  atMost?: Limit | undefined;
}

interface ConditionFault {
  path: string[];
  /** What was expected. */
  message: string;
}

type Kind = "ratio" | "amount" | "whole" | "any";

/** What a metric's numbers are, and whether its limit may start from a baseline or from its own history. */
const METRICS: Record<string, { kind: Kind; baseline: boolean; sigma: boolean }> = {
  error_rate: { kind: "ratio", baseline: true, sigma: true },
  success_rate: { kind: "ratio", baseline: true, sigma: false },
  timeout_rate: { kind: "ratio", baseline: true, sigma: false },
  requests: { kind: "whole", baseline: true, sigma: true },
  event_count: { kind: "whole", baseline: true, sigma: true },
  visitors: { kind: "whole", baseline: true, sigma: false },
  adoption: { kind: "ratio", baseline: false, sigma: false },
  consecutive_errors: { kind: "whole", baseline: false, sigma: false },
  health_check: { kind: "whole", baseline: false, sigma: false },
  alerts: { kind: "whole", baseline: false, sigma: false },
  gauge: { kind: "any", baseline: false, sigma: false },
};
/** Quantiles of latencies and values. */
const QUANTILES = { kind: "amount", baseline: true, sigma: false } as const;

/** Metrics that an event cannot have, with what to say. */
const WITHOUT_EVENT: Record<string, string> = {
  timeout_rate: "absent: an event has no timeouts",
  requests: "absent: use event_count",
};

/** All that is wrong; empty for a good condition. */
export function faultsOf(draft: Draft): ConditionFault[] {
  return [...operatorFaults(draft), ...limitFaults(draft), ...eventFaults(draft)];
}

function limitsOf(draft: Draft): [Operator, Limit][] {
  return OPERATORS.flatMap((operator) => {
    const limit = draft[operator];
    return limit === undefined ? [] : [[operator, limit]];
  });
}

function operatorFaults(draft: Draft): ConditionFault[] {
  if (limitsOf(draft).length === 1) return [];
  return [{ path: [], message: `a condition with exactly one of ${OPERATORS.join(", ")}` }];
}

function limitFaults(draft: Draft): ConditionFault[] {
  const metric = METRICS[draft.metric] ?? QUANTILES;
  return limitsOf(draft).flatMap(([operator, limit]): ConditionFault[] => {
    if (typeof limit === "number") return numberFaults(metric.kind, limit, [operator]);
    if ("sigma" in limit) {
      if (!metric.sigma)
        return [
          { path: [operator], message: `a limit without sigma: ${draft.metric} has no history for it` },
        ];
      if (draft.window === "stage")
        return [{ path: ["window"], message: "seconds where the limit has sigma: stages differ in length" }];
      if (operator === "above" || operator === "atLeast") return [];
      return [{ path: [operator], message: "a limit without sigma: it counts upwards from the mean" }];
    }
    if (!metric.baseline) return [{ path: [operator], message: `a number: ${draft.metric} has no baseline` }];
    if (!("plus" in limit) || metric.kind !== "ratio" || limit.plus <= 1) return [];
    return [{ path: [operator, "plus"], message: "points as a ratio from 0 to 1: 0.02 is 2 points" }];
  });
}

function numberFaults(kind: Kind, limit: number, path: string[]): ConditionFault[] {
  if (kind === "ratio" && !(limit >= 0 && limit <= 1))
    return [{ path, message: "a ratio from 0 to 1: 0.05 is 5 %" }];
  if (kind === "amount" && !(limit > 0)) return [{ path, message: "a number above 0" }];
  if (kind === "whole" && !(Number.isInteger(limit) && limit >= 0))
    return [{ path, message: "a whole number of at least 0" }];
  return [];
}

function eventFaults({ metric, event, guarded, minVisitors }: Draft): ConditionFault[] {
  if (metric === "event_count" && event === undefined)
    return [{ path: ["event"], message: "the name of an event" }];
  if (event === undefined) return [];
  const words = WITHOUT_EVENT[metric];
  if (words !== undefined) return [{ path: ["event"], message: words }];
  if (guarded) return [{ path: ["guarded"], message: "false with an event: evidence compares requests" }];
  if (!minVisitors) return [];
  return [{ path: ["minVisitors"], message: "0 with an event: who failed is known of requests" }];
}
