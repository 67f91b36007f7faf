/** Halt rules of the Canary plan: those of the ready-made plan, with the limits that a file gives. */
import { PLANS } from "../../flag/plans.ts";
import type { Value } from "../../flag/schema.ts";

export interface WrittenRule {
  [key: string]: Value;
}

/** What a condition of the file is called, and the rules of the plan that it stands for. */
const CONDITIONS: Readonly<Record<string, { metric: string; event?: string; gauge?: string }>> = {
  error_rate: { metric: "error_rate" },
  latency_multiplier: { metric: "latency_p99" },
  lcp_p75_ms: { metric: "latency_p75", event: "lcp" },
  inp_p75_ms: { metric: "latency_p75", event: "inp" },
  cls_p95: { metric: "value_p95", event: "cls" },
  timeout_rate: { metric: "timeout_rate" },
};

/** Names of the conditions. */
export const HALT_CONDITIONS: readonly string[] = Object.keys(CONDITIONS);

const RULES = (PLANS["canary-plan"]?.rules ?? []) as WrittenRule[];

/** Rules of the plan that a condition stands for, with another limit; empty for one that is not known. */
export function haltsOf(condition: string, limit: number): WrittenRule[] {
  if (!Object.hasOwn(CONDITIONS, condition)) return [];
  return rulesLike(CONDITIONS[condition]!).map((rule) => ({
    ...rule,
    above: condition === "latency_multiplier" ? { times: limit } : limit,
  }));
}

/** The conditions that these rules stand for, with their limits, and the rules that are none of them. */
export function conditionsOf(rules: readonly WrittenRule[]): {
  conditions: Record<string, number>;
  others: number[];
} {
  const conditions: Record<string, number> = {};
  const said = new Set<number>();
  for (const condition of HALT_CONDITIONS) {
    const limit = rules.map((rule) => limitAs(condition, rule)).find((found) => found !== undefined);
    if (limit === undefined) continue;
    const meant = haltsOf(condition, limit).map(canonical);
    const at = meant.map((text) => rules.findIndex((rule) => canonical(rule) === text));
    if (at.includes(-1)) continue;
    conditions[condition] = limit;
    for (const i of at) said.add(i);
  }
  return { conditions, others: rules.map((_, i) => i).filter((i) => !said.has(i)) };
}

function limitAs(condition: string, rule: WrittenRule): number | undefined {
  const { above } = rule;
  const limit =
    condition === "latency_multiplier" && typeof above === "object" && above !== null && "times" in above
      ? above.times
      : above;
  if (typeof limit !== "number") return undefined;
  return haltsOf(condition, limit).some((meant) => canonical(meant) === canonical(rule)) ? limit : undefined;
}

function rulesLike({
  metric,
  event,
  gauge,
}: {
  metric: string;
  event?: string;
  gauge?: string;
}): WrittenRule[] {
  return RULES.filter((rule) => rule.metric === metric && rule.event === event && rule.gauge === gauge);
}

function canonical(rule: WrittenRule): string {
  return JSON.stringify(Object.entries(rule).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a rule is about: of two rules about the same the newer one takes the place of the older. */
export function aboutOf(rule: unknown): string {
  const { metric, event, gauge, set, labels, action = "rollback", scope, is, are } = rule as WrittenRule;
  return JSON.stringify([metric, event, gauge, set, labels, action, scope, is, are]);
}
