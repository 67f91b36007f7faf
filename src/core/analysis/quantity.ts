/** The value of a condition's metric in counts of one side, and how it reads. */
import type { CountCondition, LatencyCondition, RateCondition, ValueCondition } from "../flag/condition.ts";
import { decimal, type Ratio, ratio, toNumber } from "./exact.ts";
import { countOf, quantileMs } from "./histogram.ts";
import { show, things, type Unit } from "./limits.ts";
import { distinctIn } from "./sketch.ts";
import { failures, type Tally } from "./tally.ts";
import { count } from "./words.ts";

/** A condition whose value is read from the counts of one side. */
export type ReadCondition = RateCondition | LatencyCondition | ValueCondition | CountCondition;

/** Whom the counts are taken of: everyone, or visitor-minutes of those placed by the hash. */
export type By = "requests" | "units";

/** A value with what it was measured on. */
export interface Quantity {
  value: Ratio;
  /** How the value reads. */
  shown: string;
  /** What was measured, as the beginning of a sentence. */
  said: string;
  figures: Record<string, number>;
}

/** Requests meant for green: those that it got and those that a breaker kept from it. */
export function meantFor({ requests, diverted }: Pick<Tally, "requests" | "diverted">): number {
  return requests + diverted;
}

/** What the numbers of a metric are. */
export function unitOf(metric: string): Unit {
  if (metric.endsWith("_rate") || metric === "adoption") return "ratio";
  return metric.startsWith("latency_") ? "milliseconds" : "plain";
}

/** The value of the metric in these counts; undefined where there is nothing that it could be the value of. */
export function quantity(condition: ReadCondition, tally: Tally, by: By = "requests"): Quantity | undefined {
  switch (condition.metric) {
    case "error_rate":
    case "success_rate":
    case "timeout_rate":
      return rate(condition as RateCondition, tally, by);
    case "requests":
    case "visitors":
    case "event_count":
      return amount(condition as CountCondition, tally);
    default:
      return quantile(condition as LatencyCondition | ValueCondition, tally, by);
  }
}

function rate({ metric, event }: RateCondition, tally: Tally, by: By): Quantity | undefined {
  const [part, of] = partOf(metric, tally, by);
  if (of <= 0) return undefined;
  const value = ratio(part, of);
  const shown = show(toNumber(value), "ratio");
  const { diverted } = tally;
  const asRequests = { requests: of, failures: failures(tally), diverted, rate: toNumber(value) };
  const figures = by === "units" ? { units: of, unitErrors: part, rate: toNumber(value) } : asRequests;
  const what = by === "units" ? count(of, "visitor-minute") : things(of, event);
  const kept = diverted > 0 && by === "requests" ? `, ${diverted} of them kept away by breakers` : "";
  return { value, shown, said: rateSaid(metric, shown, what, event !== undefined) + kept, figures };
}

/** What of how many the rate is. A request that a breaker diverted was meant for green, and failed. */
function partOf(metric: RateCondition["metric"], tally: Tally, by: By): [number, number] {
  const failed = failures(tally) + tally.diverted;
  switch (metric) {
    case "error_rate":
      return by === "units" ? [tally.unitErrors, tally.units] : [failed, meantFor(tally)];
    case "success_rate":
      return [Math.max(0, meantFor(tally) - failed - tally.refused), meantFor(tally)];
    case "timeout_rate":
      return [tally.timeouts, tally.requests];
  }
}

function rateSaid(metric: RateCondition["metric"], shown: string, what: string, ofEvent: boolean): string {
  if (ofEvent) return `${shown} of ${what} ${metric === "success_rate" ? "succeeded" : "failed"}`;
  switch (metric) {
    case "error_rate":
      return `Green failed ${shown} of ${what}`;
    case "success_rate":
      return `Green succeeded in ${shown} of ${what}`;
    case "timeout_rate":
      return `Green timed out in ${shown} of ${what}`;
  }
}

/** Values of events are kept as thousandths, in the histogram of milliseconds. */
const PER_VALUE = 1000;

function quantile(
  { metric, event }: LatencyCondition | ValueCondition,
  tally: Tally,
  by: By,
): Quantity | undefined {
  const name = metric.slice(-3);
  const unit = unitOf(metric);
  const histogram = by === "units" ? tally.unitLatency : tally.latency;
  const found = quantileMs(histogram, Number(name.slice(1)) / 100);
  if (found === undefined) return undefined;
  const value = unit === "milliseconds" ? found : found / PER_VALUE;
  const shown = show(value, unit);
  const whose = event === undefined ? `Green's ${name}` : `The ${name} of ${event}`;
  const over = things(countOf(histogram), undefined).replace("request", event ? "event" : "request");
  return {
    value: decimal(value),
    shown,
    said: `${whose} is ${shown} over ${over}`,
    figures: { value, over: countOf(histogram) },
  };
}

function amount({ metric, event }: CountCondition, tally: Tally): Quantity {
  const n = {
    requests: () => meantFor(tally),
    event_count: () => tally.requests,
    visitors: () => distinctIn(tally.sketch),
  }[metric]();
  return {
    value: ratio(n, 1),
    shown: show(n, "plain"),
    said: amountSaid(metric, n, event),
    figures: { count: n },
  };
}

function amountSaid(metric: CountCondition["metric"], n: number, event: string | undefined): string {
  if (metric === "requests") return `Green had ${count(n, "request")}`;
  if (metric === "event_count") return `${event} came ${count(n, "time")}`;
  const visitors = count(n, "visitor");
  return event === undefined ? `Green had ${visitors}` : `${event} came from ${visitors}`;
}
