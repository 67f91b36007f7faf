/**
 * The flag document: what operators write under KV key `flags`. One zod schema, from which the types, the JSON
 * Schema for editors (`npm run schema`) and every fault message come. Defaults are filled in here and nowhere else;
 * parsing what was parsed changes nothing.
 */
import * as z from "zod";
import { cohort } from "./cohort.ts";
import { objective, signalName } from "./condition.ts";
import { name, text } from "./name.ts";
import { notify } from "./notify.ts";
import { type override, overridesOf, value } from "./own.ts";
import { percentage } from "./percentage.ts";
import { plan } from "./plan.ts";
import { readyMade } from "./plans.ts";
import { healthCheck, pull, route, source } from "./route.ts";
import { DEFAULT_RULES, type rule, rules } from "./rule.ts";

export { isName, NAME_WORDS } from "./name.ts";
export { isWithin, type Value } from "./own.ts";

/** Release of a routed flag that names none. */
export const UNVERSIONED = "unversioned";

const time = z.iso
  .datetime({ offset: true, error: "a time with its zone such as 2030-01-31T12:00:00Z" })
  .or(z.iso.date());

/** The fields of a flag. */
export const flagFields = z.strictObject({
  description: z.string().optional(),
  notes: z.string().optional().describe("Operator notes. Editing them moves nobody."),
  owner: z.string().optional(),
  kind: z
    .enum(["release", "experiment", "operational", "kill-switch", "permission"])
    .default("release")
    .describe("What it is for. Shown, and `greenlight doctor` reminds of release flags that are done."),
  playbook: z
    .string()
    .optional()
    .describe("What to do when it goes wrong: text or a link; shown with halts."),
  createdAt: time.optional(),
  reviewedAt: time.optional().describe("When a person last looked whether it is still right."),
  removeBy: time.optional().describe("When it should be gone. `greenlight doctor` says so when it is not."),
  metadata: z
    .record(z.string().min(1).max(64), z.union([z.string().max(10_000), z.number(), z.boolean()]))
    .default({})
    .describe("Kept and shown; Greenlight does not use it."),
  variants: z
    .record(name, value)
    .optional()
    .describe(
      "What a plain flag answers, by name, all of one type. Default: `on` is true, `off` is false. A routed flag has blue and green.",
    ),
  onVariant: name.default("on").describe("Variant for those for whom a plain flag is on."),
  offVariant: name.default("off").describe("Variant for all others."),
  environments: z
    .array(text(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "a name of an environment"))
    .max(32)
    .default([])
    .describe(
      "Where it counts, by the variable ENVIRONMENT of the Worker; elsewhere it is off. Empty: everywhere.",
    ),
  dependencies: z
    .array(name)
    .max(32)
    .default([])
    .describe("Flags that have to be on for the same targeting key, or this one is off for it."),
  overrides: z
    .strictObject({
      users: overridesOf("By targeting key."),
      tenants: overridesOf("By the visitor's tenant (`context.tenant`)."),
    })
    .prefault({})
    .describe("Answers of their own for single users and tenants; a user's goes before their tenant's."),
  state: z.enum(["off", "shadow", "canary", "on", "kill"]),
  percentage: percentage.default(0),
  release: name.default(UNVERSIONED).describe("The version that green runs. A halt sticks to it."),
  stickBy: z
    .union([source.transform((s) => [s]), z.array(source).min(1)])
    .prefault("visitor")
    .describe("Where the targeting key comes from; the first one that is there counts."),
  salt: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe("Hashed with the targeting key; default the flag's name."),
  fallback: z.enum(["blue", "green"]).default("blue").describe("Variant when no spec can be read at all."),
  context: z
    .record(text(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, "a name of an attribute"), source)
    .default({})
    .describe(
      "Where attributes of the visitor come from, by name: `tenant: header:x-tenant-id`, `group: jwt:groups`. Like ids they match cohorts only where the route says who vouches for them.",
    ),
  rotate: z
    .enum(["never", "release"])
    .default("never")
    .describe("release: other visitors are first at each release."),
  cohorts: z
    .record(name, cohort)
    .default({})
    .describe("In order: a visitor is in the first cohort that admits them."),
  plan: z
    .union([plan, signalName.transform(readyMade)])
    .optional()
    .describe("Stages that it goes through by itself; written out, or the name of a plan."),
  rules: rules
    .optional()
    .describe(
      "Halt rules. Default: those of the plan if it has any, else evidence and more than half failed.",
    ),
  slos: z
    .record(signalName, z.array(objective).min(1).max(32))
    .default({})
    .describe("Named sets of conditions, for rules and gates with the metric slos."),
  healthCheck: healthCheck.optional().describe("Requests that both origins are asked on an interval."),
  pulls: z.record(signalName, pull).default({}).describe("Gauges that are fetched."),
  rollbackTimeSeconds: z
    .number()
    .positive()
    .max(86_400)
    .default(30)
    .describe("Until the last answer of green after a rollback; longer alerts."),
  blueCapacity: z
    .strictObject({
      pointsPerMinute: z.number().positive().max(100).describe("Percentage points that blue can take back."),
    })
    .optional()
    .describe("How fast blue can take traffic back. A halt for errors and a kill do not wait for it."),
  appendNotes: z.boolean().default(false).describe("Each change of the percentage is appended to notes."),
  dryRun: z.boolean().default(false).describe("Judge green and say what would be done, but never halt it."),
  route: route.optional(),
});

/** Schema of one flag: its fields, and what has to fit together. What needs the document is checked in `parse.ts`. */
export const flagSchema = flagFields
  .refine((f) => !(f.state === "shadow" && f.percentage > 0), {
    path: ["percentage"],
    message: "0 while the state is shadow",
    // Also beside other faults: all of them are found in one pass.
    when: ({ value }) => typeof value === "object" && value !== null,
  })
  .transform((f) => ({ ...f, rules: f.rules ?? f.plan?.rules ?? rules.parse(DEFAULT_RULES) }));

/** One flag in its parsed form, defaults filled in. */
export type Flag = z.output<typeof flagSchema>;
/** One flag as an operator writes it. */
export type FlagInput = z.input<typeof flagSchema>;
export type Route = z.output<typeof route>;
export type Rule = z.output<typeof rule>;
export type State = Flag["state"];
export type Override = z.output<typeof override>;

/** Most members of a group, and most ids of a cohort's list with the members of its groups put in. */
export const MAX_MEMBERS = 10_000;

/** Schema of one group of the document. */
export const groupSchema = z.array(z.string().min(1).max(256)).max(MAX_MEMBERS);

/** Schema of the whole document, for editors; `parseDocument` validates each flag alone. */
export const documentSchema = z.strictObject({
  $schema: z.string().optional(),
  enabled: z.boolean().default(true).describe("Global switch: false sends everything to blue."),
  groups: z
    .record(name, groupSchema)
    .default({})
    .describe(
      "Named lists of targeting keys, for `users` and `segments` of cohorts; a group may name others.",
    ),
  plans: z.record(name, plan).default({}).describe("Named plans, beside the ready-made ones."),
  notify: notify.prefault({}).describe("Who is told what."),
  flags: z.record(name, flagSchema),
});

/** The document as an operator writes it. */
export type DocumentInput = z.input<typeof documentSchema>;
