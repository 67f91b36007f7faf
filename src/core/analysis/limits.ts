/** Limits of conditions: how a value is compared with one, and how it reads. */
import { type Limit, OPERATORS, type Operator } from "../flag/limit.ts";
import { decimal, isAbove, plus, type Ratio, times } from "./exact.ts";
import { count, milliseconds, percent, seconds } from "./words.ts";

/** What of a condition its limit is read from. */
type Bounded = { [O in Operator]?: Limit | undefined };

/** What the numbers of a metric are. */
export type Unit = "ratio" | "milliseconds" | "plain";

/** The one limit of a condition; that it has one is checked when it is read. */
export function limitOf(condition: Bounded): { operator: Operator; limit: Limit } {
  for (const operator of OPERATORS) {
    const limit = condition[operator];
    if (limit !== undefined) return { operator, limit };
  }
  throw new Error("a condition without a limit");
}

/** Does the condition start from that baseline? */
export function startsFrom(condition: Bounded, baseline: "blue" | "before" | "last_week"): boolean {
  const { limit } = limitOf(condition);
  return typeof limit === "object" && "baseline" in limit && limit.baseline === baseline;
}

/** Is the value on the side of the limit that the operator asks for? Exactly. */
export function meets(operator: Operator, value: Ratio, limit: Ratio): boolean {
  switch (operator) {
    case "above":
      return isAbove(value, limit);
    case "atLeast":
      return !isAbove(limit, value);
    case "below":
      return isAbove(limit, value);
    case "atMost":
      return !isAbove(value, limit);
  }
}

/** The limit that follows from a baseline. */
export function fromBaseline(limit: { plus: number } | { times: number }, baseline: Ratio): Ratio {
  return "plus" in limit ? plus(baseline, decimal(limit.plus)) : times(baseline, decimal(limit.times));
}

const SIGNS: Record<Operator, string> = { above: ">", atLeast: ">=", below: "<", atMost: "<=" };
const BASELINES = { blue: "blue", before: "before", last_week: "last week" };

/** The limit as users would write it: `> 0.05`, `> blue + 500 ms`, `< before × 1.1`, `> mean + 3 sigma`. */
export function signWords(condition: Bounded, unit: Unit): string {
  const { operator, limit } = limitOf(condition);
  const ms = unit === "milliseconds" ? " ms" : "";
  return `${SIGNS[operator]} ${limitWords(limit, ms)}`;
}

function limitWords(limit: Limit, ms: string): string {
  if (typeof limit === "number") return `${limit}${ms}`;
  if ("sigma" in limit) return `mean + ${limit.sigma} sigma`;
  const from = BASELINES[limit.baseline];
  return "plus" in limit ? `${from} + ${limit.plus}${ms}` : `${from} × ${limit.times}`;
}

/** When a gate opens: `below 0.5 %`, `at 99 % or more`. `limit` is how the limit reads. */
export function opensAt(operator: Operator, limit: string): string {
  switch (operator) {
    case "above":
      return `above ${limit}`;
    case "atLeast":
      return `at ${limit} or more`;
    case "below":
      return `below ${limit}`;
    case "atMost":
      return `at ${limit} or less`;
  }
}

/** A value as a person reads it. */
export function show(value: number, unit: Unit): string {
  switch (unit) {
    case "ratio":
      return percent(value);
    case "milliseconds":
      return milliseconds(value);
    case "plain":
      return String(Number(value.toPrecision(6)));
  }
}

/** `in 60 s`, `in 5 min`, `since the stage began`. */
export function overWords(window: number | "stage"): string {
  return window === "stage" ? "since the stage began" : `in ${seconds(window)}`;
}

/** `1,204 requests`, or of an event `300 events payment`. */
export function things(n: number, event: string | undefined): string {
  return event === undefined ? count(n, "request") : `${count(n, "event")} ${event}`;
}
