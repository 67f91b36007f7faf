/** The rules that are in force for a flag at one moment: its own, and those of the stage that its rollout is in. */
import type { Stage } from "../flag/plan.ts";
import type { Flag, Rule } from "../flag/schema.ts";

/** Rules in force, the flag's own first. Evidence is one comparison, so one rule at most speaks of it. */
export function rulesInForce(flag: Flag, stage: Stage | undefined): Rule[] {
  const own = flag.rules;
  const compares = own.some(({ metric }) => metric === "evidence");
  const more = (stage?.rules ?? []).filter(({ metric }) => !compares || metric !== "evidence");
  const limit = stage && maxErrorRateRule(stage);
  return [...own, ...more, ...(limit ? [limit] : [])];
}

/**
 * The stage's `maxErrorRate` as a rule. It is literal: as soon as there are as many requests as it asks for, and
 * whatever blue does.
 */
export function maxErrorRateRule({
  maxErrorRate,
  minRequests,
}: Pick<Stage, "maxErrorRate" | "minRequests">): Rule | undefined {
  if (maxErrorRate === undefined) return undefined;
  return {
    metric: "error_rate",
    above: maxErrorRate,
    window: "stage",
    for: 0,
    minRequests,
    minVisitors: 0,
    scope: "flag",
    guarded: false,
    onSharedOutage: "halt",
    action: "rollback",
  };
}
