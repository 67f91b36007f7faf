/** The plan of a rollout: stages with what they wait for, as written in the flag document. */
import * as z from "zod";
import { condition, objective, signalName } from "./condition.ts";
import { percentage } from "./percentage.ts";
import { rules } from "./rule.ts";

const DAY = 86_400;
/** No stage lasts longer than a quarter, seconds. */
const LONGEST_STAGE = 92 * DAY;

const stageSeconds = z.number().min(0).max(LONGEST_STAGE);

/** Somebody's word: it stands until the stage is left, and who gave it when is in the audit log. */
const signOff = z.strictObject({
  signOff: z.string().min(1).max(64).describe("Role whose word is needed: `product_owner`."),
  what: z.string().min(1).max(200).describe("What is signed off: `Product owner approval`."),
});

/** Something that must hold before a stage opens or is left. */
export const gate = z.union([condition, signOff]);

const expectation = z.strictObject({
  path: z
    .string()
    .regex(/^\/\S*$/, "a path that begins with /")
    .max(2048),
  method: z.enum(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]).default("GET"),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().max(10_000).optional(),
  status: z.union([z.int().min(100).max(599), z.array(z.int().min(100).max(599)).min(1)]).default(200),
  match: z.string().max(500).optional().describe("Text that the answer's first 64 kB must hold."),
  timeout: z.number().positive().max(30).default(5).describe("Seconds."),
});

/** Schema of one stage. */
export const stage = z.strictObject({
  name: signalName.optional(),
  percentage: percentage.optional().describe("Share of visitors on green from this stage on."),
  cohort: signalName
    .optional()
    .describe("Cohort that is on green from this stage on; those of the stages before stay."),
  shadow: z.boolean().default(false).describe("Green gets copies only; nobody is on it."),
  duration: stageSeconds
    .default(0)
    .describe("Seconds, measured and not halted, before the stage can be left."),
  maxDuration: stageSeconds.optional().describe("Seconds after which the rollout pauses and says so."),
  minRequests: z.int().min(0).default(0).describe("Requests meant for green in this stage."),
  maxErrorRate: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Error rate of green in this stage; above it, from minRequests on, green is rolled back."),
  entry: z.array(gate).max(32).default([]).describe("Must hold before the stage opens."),
  exit: z.array(gate).max(32).default([]).describe("Must hold before the stage is left."),
  validate: z
    .array(expectation)
    .max(50)
    .default([])
    .describe("Requests that green must answer as expected before the stage opens."),
  rules: rules.optional().describe("Halt rules of this stage, beside those of the flag."),
  approval: z
    .enum(["auto", "manual"])
    .default("auto")
    .describe("manual: somebody approves before the stage is left."),
  bake: stageSeconds
    .default(0)
    .describe("Seconds after gates and approval before it goes on or is complete."),
});

/** Schema of a plan. */
export const plan = z
  .strictObject({
    name: signalName.optional(),
    stages: z.array(stage).min(1).max(100),
    start: z
      .enum(["auto", "manual"])
      .default("auto")
      .describe("auto: a new release starts as soon as it is in the spec; manual: by the command start."),
    stalledAfter: stageSeconds
      .default(3600)
      .describe("Seconds that a stage is held for want of requests or telemetry before it alerts."),
    rules: rules.optional().describe("Halt rules where the flag has none of its own."),
    slos: z.record(signalName, z.array(objective).min(1).max(32)).default({}),
    rollback: z
      .strictObject({
        watch: z.number().min(10).max(DAY).default(1800).describe("Seconds to watch after each halving."),
        halvings: z.int().min(1).max(16).default(3).describe("Halvings before green is taken to 0."),
      })
      .prefault({})
      .describe("How a gradual rollback goes."),
  })
  .superRefine(({ stages }, ctx) => {
    let highest = -1;
    stages.forEach((s, i) => {
      if (s.percentage === undefined && s.cohort === undefined && !s.shadow)
        ctx.addIssue({
          code: "custom",
          path: ["stages", i],
          message: "a stage with a percentage, a cohort or shadow",
        });
      if (s.shadow && (s.percentage ?? 0) > 0)
        ctx.addIssue({ code: "custom", path: ["stages", i, "percentage"], message: "0 in a shadow stage" });
      if (s.percentage !== undefined && s.percentage < highest)
        ctx.addIssue({
          code: "custom",
          path: ["stages", i, "percentage"],
          message: `at least the ${highest} of the stages before`,
        });
      highest = Math.max(highest, s.percentage ?? 0);
      if (s.maxDuration !== undefined && s.maxDuration < s.duration)
        ctx.addIssue({
          code: "custom",
          path: ["stages", i, "maxDuration"],
          message: "at least the duration",
        });
    });
  });

export type Gate = z.output<typeof gate>;
export type Stage = z.output<typeof stage>;
export type Plan = z.output<typeof plan>;
export type PlanInput = z.input<typeof plan>;
export type Expectation = z.output<typeof expectation>;
