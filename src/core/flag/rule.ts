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
    "Distinct visitors that must have failed: one client in a retry loop is not green's fault. Not for comparisons, which always need 3, nor for latencies.",
  );
const action = z.enum(["rollback"]).default("rollback");
const ratio = z.number().min(0).max(1);

/** Schema of one rule: what is measured, against what, and from how many requests on. */
export const rule = z.union([
  z.strictObject({
    metric: z.literal("error_rate"),
    above: ratio.describe("Ratio, 0.05 is 5 %."),
    minRequests,
    minVisitors,
    window,
    action,
  }),
  z.strictObject({
    metric: z.literal("error_rate"),
    aboveBlueBy: ratio.describe("Points above blue's as a ratio, 0.02 is 2 points."),
    minRequests,
    window,
    action,
  }),
  z.strictObject({
    metric: z.literal("latency_p95"),
    above: z.number().positive().describe("Milliseconds."),
    minRequests,
    window,
    action,
  }),
  z.strictObject({
    metric: z.literal("latency_p95"),
    aboveBlueBy: z.number().positive().describe("Milliseconds above blue's."),
    minRequests,
    window,
    action,
  }),
  z.strictObject({
    metric: z.literal("latency_p95"),
    aboveBlueTimes: z.number().min(1).describe("Times blue's."),
    minRequests,
    window,
    action,
  }),
  z.strictObject({
    metric: z.literal("consecutive_errors"),
    count: z.int().min(1).max(10_000).describe("That many in a row, this one included."),
    minRequests,
    minVisitors,
    window,
    action,
  }),
]);

/** Default halt rules of a flag that names none. The product's own; a plan's named rules replace them. */
export const DEFAULT_RULES: z.input<typeof rule>[] = [
  { metric: "error_rate", aboveBlueBy: 0.05, minRequests: 50 },
  { metric: "error_rate", above: 0.5, minRequests: 20, minVisitors: 3 },
  { metric: "latency_p95", aboveBlueTimes: 3, minRequests: 200 },
];
