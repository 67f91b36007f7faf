/** Expressions of the Canary plan's alerts, as conditions: rates, quantiles of latency and web vitals. */
import type { Value } from "../../flag/schema.ts";
import { secondsIn } from "../cells.ts";

type Written = { [key: string]: Value };

const OPERATORS: Readonly<Record<string, string>> = {
  ">": "above",
  ">=": "atLeast",
  "<": "below",
  "<=": "atMost",
};
const RATES: Readonly<Record<string, string>> = { errors: "error_rate", timeouts: "timeout_rate" };
const VITALS: Readonly<Record<string, string>> = { lcp: "latency", inp: "latency", cls: "value" };
const QUANTILES: readonly number[] = [0.5, 0.75, 0.95, 0.99];

const NUMBER = String.raw`(\d+(?:\.\d+)?)`;
const COMPARISON = /^(.+?)\s*(>=|<=|>|<)\s*(.+)$/;

/** The condition that an expression says; undefined for one that is not known to the letter. */
export function conditionIn(expression: string): Written | undefined {
  const [, left, operator, right] = COMPARISON.exec(expression.trim()) ?? [];
  if (left === undefined || operator === undefined || right === undefined) return undefined;
  const measured = rateIn(left) ?? latencyIn(left) ?? vitalIn(left);
  const limit = limitIn(right);
  if (measured === undefined || limit === undefined) return undefined;
  return { ...measured, [OPERATORS[operator]!]: limit };
}

/** `rate(errors[5m])`: of all requests of that time. */
function rateIn(text: string): Written | undefined {
  const [, of, window] = /^rate\(\s*(\w+)\s*\[(\w+)\]\s*\)$/.exec(text) ?? [];
  const metric = of === undefined ? undefined : RATES[of];
  const seconds = window === undefined ? undefined : secondsIn(window);
  return metric === undefined || seconds === undefined ? undefined : { metric, window: seconds };
}

/** `histogram_quantile(0.99, latency)`. */
function latencyIn(text: string): Written | undefined {
  const [, quantile] = /^histogram_quantile\(\s*(0?\.\d+)\s*,\s*latency\s*\)$/.exec(text) ?? [];
  if (quantile === undefined || !QUANTILES.includes(Number(quantile))) return undefined;
  return { metric: `latency_p${Math.round(Number(quantile) * 100)}` };
}

/** `webvitals_lcp_p75`: a quantile of an event that browsers send. */
function vitalIn(text: string): Written | undefined {
  const [, event, quantile] = /^webvitals_([a-z]+)_p(50|75|95|99)$/.exec(text) ?? [];
  const kind = event === undefined ? undefined : VITALS[event];
  return kind === undefined ? undefined : { metric: `${kind}_p${quantile}`, event: event! };
}

/** A number, or one that starts from the baseline. */
function limitIn(text: string): Value | undefined {
  const forms: [RegExp, (n: number) => Value][] = [
    [new RegExp(`^${NUMBER}$`), (n) => n],
    [new RegExp(`^${NUMBER}\\s*\\*\\s*baseline$`), (times) => ({ times })],
    [new RegExp(`^baseline\\s*\\*\\s*${NUMBER}$`), (times) => ({ times })],
    [new RegExp(`^baseline\\s*\\+\\s*${NUMBER}$`), (plus) => ({ plus })],
    [/^baseline()$/, () => ({ times: 1 })],
  ];
  for (const [form, limit] of forms) {
    const found = form.exec(text.trim());
    if (found !== null) return limit(Number(found[1]));
  }
  return undefined;
}
