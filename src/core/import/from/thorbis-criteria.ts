/** Thorbis: success criteria of phases as gates of a plan, and its rollback criteria as halt rules. */
import { PLANS } from "../../flag/plans.ts";
import type { Value } from "../../flag/schema.ts";
import type { Draft } from "../drafts.ts";
import { isRecord, type Piece } from "../piece.ts";
import type { WrittenRule } from "./halts.ts";

const PHASE = /^canary_(\d{1,3})_percent$/;
const ROLLBACK = "rollback_criteria";

/** What a criterion measures. `percent`: its number is a percentage, and ours a ratio. */
const METRICS: Readonly<
  Record<string, { condition: WrittenRule; unit: "ratio" | "percent" | "ms" | "count" }>
> = {
  execution_success_rate: { condition: { metric: "success_rate" }, unit: "ratio" },
  success_rate: { condition: { metric: "success_rate" }, unit: "ratio" },
  error_rate: { condition: { metric: "error_rate" }, unit: "ratio" },
  latency_p50: { condition: { metric: "latency_p50" }, unit: "ms" },
  latency_p75: { condition: { metric: "latency_p75" }, unit: "ms" },
  latency_p95: { condition: { metric: "latency_p95" }, unit: "ms" },
  latency_p99: { condition: { metric: "latency_p99" }, unit: "ms" },
  customer_satisfaction: { condition: { metric: "gauge", gauge: "csat" }, unit: "percent" },
  support_ticket_increase: {
    condition: { metric: "gauge", gauge: "support_ticket_increase" },
    unit: "percent",
  },
  critical_errors: {
    condition: { metric: "event_count", event: "critical_error", window: "stage" },
    unit: "count",
  },
};

const OPERATORS: Readonly<Record<string, string>> = {
  ">=": "atLeast",
  "<=": "atMost",
  ">": "above",
  "<": "below",
};

/** Are these the criteria of a flag? */
export function isCriteria(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).some((key) => key === ROLLBACK || PHASE.test(key));
}

/** Reads the criteria of a flag. Its phases are as long as those of the ready-made plan. */
export function readCriteria(draft: Draft, piece: Piece): void {
  const stages: { percentage: number; stage: { [key: string]: Value } }[] = [];
  for (const [key, criteria] of piece.entries()) {
    const percentage = PHASE.exec(key)?.[1];
    if (percentage !== undefined && Number(percentage) <= 100) {
      const exit = conditionsOf(criteria);
      stages.push({ percentage: Number(percentage), stage: { ...phaseOf(Number(percentage)), exit } });
    } else if (key === ROLLBACK) {
      const rules = conditionsOf(criteria);
      if (rules.length > 0) draft.set("rules", rules);
    }
  }
  if (stages.length === 0) return;
  stages.sort((a, b) => a.percentage - b.percentage);
  if (stages.at(-1)?.percentage !== 100) stages.push({ percentage: 100, stage: { percentage: 100 } });
  draft.set("plan", { stages: stages.map(({ stage }) => stage) });
}

/** A phase with the length that the ready-made plan gives it. */
function phaseOf(percentage: number): { [key: string]: Value } {
  const ready = PLANS.thorbis?.stages.find((stage) => stage.percentage === percentage);
  return { percentage, ...(ready?.duration ? { duration: ready.duration } : {}) };
}

function conditionsOf(criteria: Piece): WrittenRule[] {
  return criteria.entries().flatMap(([name, piece]): WrittenRule[] => {
    const known = Object.hasOwn(METRICS, name) ? METRICS[name] : undefined;
    const condition = known && typeof piece.value === "string" ? conditionIn(piece.value, known) : undefined;
    if (condition !== undefined) piece.take();
    else piece.lose("Not a criterion that is known: write the condition by hand, of an event or a gauge.");
    return condition === undefined ? [] : [condition];
  });
}

function conditionIn(
  text: string,
  { condition, unit }: NonNullable<(typeof METRICS)[string]>,
): WrittenRule | undefined {
  const [, operator, digits, suffix] = /^\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s*(%|ms|s)?\s*$/.exec(text) ?? [];
  if (operator === undefined || digits === undefined) return undefined;
  const number = limitOf(digits, suffix, unit);
  return number === undefined ? undefined : { ...condition, [OPERATORS[operator]!]: number };
}

function limitOf(digits: string, suffix: string | undefined, unit: string): number | undefined {
  const n = Number(digits);
  switch (unit) {
    case "ratio":
      // Moving the point is exact where dividing by 100 is not: 0.29 of "29%".
      return suffix === "%" ? Number(`${digits}e-2`) : suffix === undefined && n <= 1 ? n : undefined;
    case "percent":
      return suffix === "%" || suffix === undefined ? n : undefined;
    case "ms":
      return suffix === "ms" ? n : suffix === "s" ? Number(`${digits}e3`) : undefined;
    default:
      return suffix === undefined ? n : undefined;
  }
}
