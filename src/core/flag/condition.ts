/**
 * The one language of gates and halt rules: what is measured, over which time, against which limit. A condition is
 * met or not met; a gate opens while its conditions are met, a halt rule fires when its condition is.
 */
import * as z from "zod";
import { MAX_VISITORS } from "../analysis/tally.ts";
import { type Draft, faultsOf } from "./condition-faults.ts";
import { comparison } from "./limit.ts";

const seconds = (most: number) => z.number().min(0).max(most);

const DAY = 86_400;
/** Counts are kept for so long, so that a week can be compared with the week before, seconds. */
export const LONGEST_WINDOW_SECONDS = 7 * DAY;

/** Names of events, gauges, sets: as names of flags. */
export const signalName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/,
    "a name: at most 64 letters, digits and . _ + -, a letter or digit first",
  );

/** Trailing window of a rule that names none, seconds. A gate looks at its whole stage. */
export const RULE_WINDOW_SECONDS = 60;

const window = z
  .union([z.number().min(10).max(LONGEST_WINDOW_SECONDS), z.literal("stage")])
  .describe(
    "Trailing window in seconds, or `stage`: all since the stage began. Default: 60 in rules and sets of objectives, `stage` in gates.",
  );
const lasting = seconds(30 * DAY)
  .default(0)
  .describe(
    "Seconds that it must be met without a break. Too little data holds the clock, a look that is not met sets it back.",
  );
const minRequests = z
  .int()
  .min(0)
  .default(0)
  .describe("Requests of green (or events) in the window below which it says nothing.");
const minVisitors = z
  .int()
  .min(0)
  .max(MAX_VISITORS)
  .default(0)
  .describe(
    "Distinct visitors that must have failed: one client in a retry loop is not green's fault, so an error rate is then beyond its limit without the visitor that failed most, too.",
  );
const scope = z
  .enum(["flag", "cohort"])
  .default("flag")
  .describe("Over the whole flag, or each cohort by itself; a halt then takes that cohort off green.");
const event = signalName.optional().describe("Of this custom event instead of requests.");
const within = seconds(30 * DAY)
  .optional()
  .describe("Only in the first so many seconds of a release, the last of them included.");
const guarded = z
  .boolean()
  .default(false)
  .describe(
    "Met only with evidence of at least 100 that green is worse than blue at all: a limit alone is crossed by chance.",
  );
const onSharedOutage = z
  .enum(["hold", "halt", "ignore"])
  .default("hold")
  .describe(
    "Of halt rules over requests. When blue is beyond the limit too and evidence against green is below 20: hold the rollout, halt anyway, or take it as no fault of green's.",
  );

export const RATES = ["error_rate", "success_rate", "timeout_rate"] as const;
export const LATENCIES = ["latency_p50", "latency_p75", "latency_p95", "latency_p99"] as const;
export const VALUES = ["value_p50", "value_p75", "value_p95", "value_p99"] as const;
export const COUNTS = ["requests", "visitors", "event_count"] as const;

/** The forms of conditions, before what is checked across their fields. `standard`: the window of those that name none. */
export function formsOf(standard: number | "stage") {
  const over = { window: window.default(standard) };
  const counted = { ...comparison, ...over, for: lasting, minRequests, scope, within };
  return {
    rate: z
      .strictObject({
        metric: z.enum(RATES),
        event,
        ...counted,
        minVisitors,
        guarded,
        onSharedOutage,
      })
      .describe(
        "Rates of requests or of an event, ratios from 0 to 1. A success is an event's outcome, or an answer below 400.",
      ),
    latency: z
      .strictObject({ metric: z.enum(LATENCIES), event, ...counted, guarded, onSharedOutage })
      .describe("Quantiles of milliseconds until headers, or of an event's `ms`."),
    value: z
      .strictObject({ metric: z.enum(VALUES), event: signalName, ...counted })
      .describe("Quantiles of an event's `value`, 0.001 to 64."),
    inARow: z
      .strictObject({
        metric: z.literal("consecutive_errors"),
        ...comparison,
        ...over,
        minRequests,
        minVisitors,
        scope,
        within,
        onSharedOutage,
      })
      .describe("Failures in a row: of one isolate, or of all together with no success in the window."),
    count: z
      .strictObject({ metric: z.enum(COUNTS), event, ...counted })
      .describe(
        "How many: requests meant for green, distinct visitors of green (of an event: those that sent it), or events.",
      ),
    adoption: z
      .strictObject({ metric: z.literal("adoption"), event, ...counted })
      .describe(
        "Distinct visitors of green as a ratio of all distinct visitors; with `event` those that sent it as a ratio of green's.",
      ),
    gauge: z
      .strictObject({
        metric: z.literal("gauge"),
        gauge: signalName,
        ...comparison,
        for: lasting,
        within,
      })
      .describe("A number that an origin pushes or that is fetched."),
    health: z
      .strictObject({ metric: z.literal("health_check"), ...comparison, for: lasting, within })
      .describe("Failed health checks of green in a row."),
    alerts: z
      .strictObject({
        metric: z.literal("alerts"),
        labels: z.record(z.string().min(1).max(128), z.string().max(256)).default({}),
        ...comparison,
        for: lasting,
        within,
      })
      .describe("How many alerts fire now, as an Alertmanager sends them: those with all of these labels."),
    slos: z
      .strictObject({
        metric: z.literal("slos"),
        set: signalName,
        are: z.enum(["met", "breached"]),
        for: lasting,
        within,
      })
      .describe("A named set of objectives: all of them met, or any of them breached."),
    smoke: z
      .strictObject({ metric: z.literal("smoke_test"), is: z.enum(["passed", "failed"]) })
      .describe("The stage's list of requests against green."),
    nonInferiority: z
      .strictObject({
        metric: z.literal("non_inferiority"),
        margin: z.number().positive().max(1).describe("What green may fail more than blue, as a ratio."),
        alpha: z.number().min(1e-6).max(0.5).default(0.05).describe("Probability that a worse green passes."),
      })
      .describe("Evidence that green fails at most so much more than blue. Gates only."),
  };
}

/** What is checked of a condition across its fields, whatever else it has. */
export function checkCondition(given: unknown, ctx: z.RefinementCtx): void {
  for (const { path, message } of faultsOf(given as Draft))
    ctx.addIssue({ code: "custom", path: [...path], message });
}

const gateForms = formsOf("stage");
/** A condition that a gate may have. */
export const condition = z.discriminatedUnion("metric", [
  gateForms.rate.superRefine(checkCondition),
  gateForms.latency.superRefine(checkCondition),
  gateForms.value.superRefine(checkCondition),
  gateForms.inARow.superRefine(checkCondition),
  gateForms.count.superRefine(checkCondition),
  gateForms.adoption.superRefine(checkCondition),
  gateForms.gauge.superRefine(checkCondition),
  gateForms.health.superRefine(checkCondition),
  gateForms.alerts.superRefine(checkCondition),
  gateForms.slos,
  gateForms.smoke,
  gateForms.nonInferiority,
]);

const objectiveForms = formsOf(RULE_WINDOW_SECONDS);
/** A condition of a set of service level objectives. */
export const objective = z.discriminatedUnion("metric", [
  objectiveForms.rate.superRefine(checkCondition),
  objectiveForms.latency.superRefine(checkCondition),
  objectiveForms.value.superRefine(checkCondition),
  objectiveForms.count.superRefine(checkCondition),
  objectiveForms.adoption.superRefine(checkCondition),
  objectiveForms.gauge.superRefine(checkCondition),
  objectiveForms.health.superRefine(checkCondition),
]);

type Forms = ReturnType<typeof formsOf>;
export type RateCondition = z.output<Forms["rate"]>;
export type LatencyCondition = z.output<Forms["latency"]>;
export type ValueCondition = z.output<Forms["value"]>;
export type InARowCondition = z.output<Forms["inARow"]>;
export type CountCondition = z.output<Forms["count"]>;
export type AdoptionCondition = z.output<Forms["adoption"]>;
export type GaugeCondition = z.output<Forms["gauge"]>;
export type HealthCondition = z.output<Forms["health"]>;
export type AlertsCondition = z.output<Forms["alerts"]>;
export type SlosCondition = z.output<Forms["slos"]>;
export type SmokeCondition = z.output<Forms["smoke"]>;
export type NonInferiorityCondition = z.output<Forms["nonInferiority"]>;
/** Conditions over counts. */
export type CountedCondition =
  | RateCondition
  | LatencyCondition
  | ValueCondition
  | InARowCondition
  | CountCondition
  | AdoptionCondition;
export type Condition = z.output<typeof condition>;
export type Objective = z.output<typeof objective>;

/** The event that a condition is about; undefined where it is about requests. */
export function eventOf(condition: { metric: string }): string | undefined {
  return "event" in condition && typeof condition.event === "string" ? condition.event : undefined;
}
