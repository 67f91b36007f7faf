/** Who is told what: receivers and routes of the flag document. Secrets are named, never written down. */
import * as z from "zod";

const secret = z
  .string()
  .regex(/^secret:[A-Z][A-Z0-9_]{0,63}$/, "secret:NAME, a secret of the Worker")
  .describe("Name of a secret of the Worker: `wrangler secret put NAME`.");

export const receiver = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("slack"),
    url: secret,
    channel: z.string().max(80).optional().describe("`#oncall`; sent along for receivers that take one."),
  }),
  z.strictObject({
    type: z.literal("pagerduty"),
    routingKey: secret,
    url: z.url({ protocol: /^https?$/ }).default("https://events.pagerduty.com/v2/enqueue"),
  }),
  z.strictObject({
    type: z.literal("webhook"),
    url: z.union([secret, z.url({ protocol: /^https?$/ })]),
    secret: secret.optional().describe("Signs with HMAC-SHA256."),
  }),
]);

/** What can be told. */
export const TOPICS = [
  "started", // a rollout has begun
  "percentage", // the share of green has changed
  "stage", // a stage has been entered
  "approval", // somebody has to approve or sign off
  "stalled", // too few requests, or no telemetry, for too long
  "alert", // a rule with the action alert has fired
  "pause", // paused, by a rule or a person
  "reduce", // halved
  "halt", // green of a release is out of traffic
  "breaker", // breakers keep visitors from green
  "kill", // killed
  "rollback", // rolled back by a person, or by degrees
  "rollback-time", // a rollback is done, or takes longer than its budget
  "failed", // a rollout has ended without success
  "completed",
  "health", // a health check has changed
  "delivery", // a receiver has been given up
] as const;

const route = z.strictObject({
  on: z.array(z.enum(TOPICS)).min(1).describe("What is told."),
  flags: z
    .array(z.string().max(64))
    .min(1)
    .default(["*"])
    .describe("Names; `*` is all, `pay*` those that begin so."),
  to: z.array(z.string()).min(1).describe("Receivers."),
  severity: z.enum(["P1", "P2", "P3", "info"]).optional().describe("Instead of the topic's own."),
});

export const notify = z
  .strictObject({
    receivers: z.record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, "a name"), receiver).default({}),
    routes: z.array(route).max(200).default([]),
    audit: z
      .strictObject({ url: z.union([secret, z.url({ protocol: /^https?$/ })]), secret: secret.optional() })
      .optional()
      .describe("Every record of the audit log is sent there as well."),
    dryRun: z.boolean().default(false).describe("Say in the log what would be sent, and send nothing."),
  })
  .superRefine(({ receivers, routes }, ctx) => {
    routes.forEach(({ to }, i) => {
      to.forEach((name, j) => {
        if (!Object.hasOwn(receivers, name))
          ctx.addIssue({
            code: "custom",
            path: ["routes", i, "to", j],
            message: "a receiver of this document",
          });
      });
    });
  });

export type Topic = (typeof TOPICS)[number];
export type Severity = "P1" | "P2" | "P3" | "info";
export type Receiver = z.output<typeof receiver>;
export type Notify = z.output<typeof notify>;
