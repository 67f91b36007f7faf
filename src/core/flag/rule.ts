/** Halt rules of a flag, as written in the flag document: when something is done to green of a release, and what. */
import * as z from "zod";
import { checkCondition, formsOf, RULE_WINDOW_SECONDS } from "./condition.ts";

const action = z
  .enum(["alert", "pause", "reduce", "rollback"])
  .default("rollback")
  .describe(
    "What is done when it is met: say so; keep the percentage and stop advancing; halve green; take green to 0.",
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

const evidence = z
  .strictObject({ metric: z.literal("evidence"), alpha, signals, action })
  .describe("Green against blue, by evidence.");

const forms = formsOf(RULE_WINDOW_SECONDS);
const acts = { action };

/** Schema of one rule: a condition and what is done when it is met, or the comparison by evidence. */
export const rule = z.discriminatedUnion("metric", [
  evidence,
  forms.rate.extend(acts).superRefine(checkCondition),
  forms.latency.extend(acts).superRefine(checkCondition),
  forms.value.extend(acts).superRefine(checkCondition),
  forms.inARow.extend(acts).superRefine(checkCondition),
  forms.count.extend(acts).superRefine(checkCondition),
  forms.adoption.extend(acts).superRefine(checkCondition),
  forms.gauge.extend(acts).superRefine(checkCondition),
  forms.health.extend(acts).superRefine(checkCondition),
  forms.alerts.extend(acts).superRefine(checkCondition),
  forms.slos.extend(acts),
  forms.smoke.extend(acts),
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
      const signal = literal.metric.startsWith("latency") ? "latency" : "errors";
      if (evidence.signals.includes(signal)) return;
      const message = `false while the rule evidence does not compare ${signal}`;
      ctx.addIssue({ code: "custom", path: [i, "guarded"], message });
    });
  });

export type Rule = z.output<typeof rule>;
export type RuleInput = z.input<typeof rule>;

/**
 * Default halt rules of a flag that names none. Evidence keeps its promise however often one looks; what fails more
 * often than not is out before evidence has its five seconds, and also where blue has no traffic.
 */
export const DEFAULT_RULES: RuleInput[] = [
  { metric: "evidence" },
  { metric: "error_rate", above: 0.5, minRequests: 20, minVisitors: 3 },
];
