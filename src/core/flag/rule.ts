/** Halt rules of a flag, as written in the flag document: when green of a release is taken out of traffic. */
import * as z from "zod";
import { MAX_VISITORS } from "../analysis/tally.ts";

const minRequests = z
  .int()
  .min(0)
  .default(0)
  .describe("Requests of green in the window below which the rule says nothing.");
const window = z.number().min(10).max(60).default(60).describe("Trailing window, seconds.");
const minVisitors = z
  .int()
  .min(0)
  .max(MAX_VISITORS)
  .default(0)
  .describe(
    "Distinct visitors that must have failed: one client in a retry loop is not green's fault, so an error rate is then beyond its limit without the visitor that failed most, too. Not for comparisons, which always need 3, nor for latencies.",
  );
const action = z.enum(["rollback"]).default("rollback");
const ratio = z.number().min(0).max(1);
const guarded = z
  .boolean()
  .default(false)
  .describe(
    "Fires only with evidence of at least 100 that green is worse than blue at all: a limit alone is crossed by chance.",
  );
const lasting = z
  .number()
  .min(0)
  .max(86_400)
  .default(0)
  .describe(
    "Seconds that the value must be beyond the limit without a break. Too little data holds the clock, a good window sets it back.",
  );
const onSharedOutage = z
  .enum(["hold", "halt", "ignore"])
  .default("hold")
  .describe(
    "When blue is beyond the limit too and evidence against green is below 20: hold the rollout, halt anyway, or take it as no fault of green's.",
  );
const signals = z
  .array(z.enum(["errors", "latency"]))
  .min(1)
  .max(2)
  .refine((list) => new Set(list).size === list.length, "a list that names each signal once")
  .default(["errors", "latency"])
  .describe("What is compared.");
const alpha = z
  .number()
  .min(1e-6)
  .max(0.05)
  .default(0.001)
  .describe(
    "Probability of halting a green that is no worse, over the whole rollout. Halts at evidence 1/alpha.",
  );

/** Schema of one rule: what is measured, against what, and from how many requests on. */
export const rule = z.union([
  z.strictObject({ metric: z.literal("evidence"), alpha, signals, action }),
  z.strictObject({
    metric: z.literal("error_rate"),
    above: ratio.describe("Ratio, 0.05 is 5 %."),
    guarded,
    minRequests,
    minVisitors,
    window,
    for: lasting,
    onSharedOutage,
    action,
  }),
  z.strictObject({
    metric: z.literal("error_rate"),
    aboveBlueBy: ratio.describe("Points above blue's as a ratio, 0.02 is 2 points."),
    guarded,
    minRequests,
    window,
    for: lasting,
    action,
  }),
  z.strictObject({
    metric: z.literal("latency_p95"),
    above: z.number().positive().describe("Milliseconds."),
    guarded,
    minRequests,
    window,
    for: lasting,
    onSharedOutage,
    action,
  }),
  z.strictObject({
    metric: z.literal("latency_p95"),
    aboveBlueBy: z.number().positive().describe("Milliseconds above blue's."),
    guarded,
    minRequests,
    window,
    for: lasting,
    action,
  }),
  z.strictObject({
    metric: z.literal("latency_p95"),
    aboveBlueTimes: z.number().min(1).describe("Times blue's."),
    guarded,
    minRequests,
    window,
    for: lasting,
    action,
  }),
  z.strictObject({
    metric: z.literal("consecutive_errors"),
    count: z.int().min(1).max(10_000).describe("That many in a row, this one included."),
    minRequests,
    minVisitors,
    window,
    onSharedOutage,
    action,
  }),
]);

/** Rules of one flag. Evidence has one threshold: two of them would halt with the sum of their false alarms. */
export const rules = z
  .array(rule)
  .max(32)
  .superRefine((list, ctx) => {
    const first = list.findIndex(({ metric }) => metric === "evidence");
    list.forEach(({ metric }, i) => {
      if (metric !== "evidence" || i === first) return;
      ctx.addIssue({ code: "custom", path: [i], message: "the only rule with the metric evidence" });
    });
    const evidence = list[first];
    if (evidence?.metric !== "evidence") return;
    list.forEach((literal, i) => {
      if (!("guarded" in literal) || !literal.guarded) return;
      const signal = literal.metric === "latency_p95" ? "latency" : "errors";
      if (evidence.signals.includes(signal)) return;
      const message = `false while the rule evidence does not compare ${signal}`;
      ctx.addIssue({ code: "custom", path: [i, "guarded"], message });
    });
  });

/**
 * Default halt rules of a flag that names none. Evidence keeps its promise however often one looks; what fails more
 * often than not is out before evidence has its five seconds, and also where blue has no traffic.
 */
export const DEFAULT_RULES: z.input<typeof rule>[] = [
  { metric: "evidence" },
  { metric: "error_rate", above: 0.5, minRequests: 20, minVisitors: 3 },
];
