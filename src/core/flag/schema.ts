/**
 * The flag document: what operators write under KV key `flags`. One zod schema, from which the types, the JSON
 * Schema for editors (`npm run schema`) and every fault message come. Defaults are filled in here and nowhere else;
 * parsing what was parsed changes nothing.
 */
import * as z from "zod";
import { parseQuery } from "../notify/number-at.ts";
import { cohort } from "./cohort.ts";
import { objective, signalName } from "./condition.ts";
import { notify } from "./notify.ts";
import { percentage } from "./percentage.ts";
import { plan } from "./plan.ts";
import { readyMade } from "./plans.ts";
import { DEFAULT_RULES, type rule, rules } from "./rule.ts";

/** Names of flags, cohorts and releases go into counter keys, headers and URLs: no spaces, no `|`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;

/** A text of a given form. The words say what is expected, also where something else stands or nothing. */
const text = (form: RegExp, words: string) => z.string(words).regex(form, { error: words, abort: true });

/** What `isName` takes, in words. */
export const NAME_WORDS = "a name: at most 64 letters, digits and . _ + -, a letter or digit first";
const name = text(NAME, NAME_WORDS);

/** Release of a routed flag that names none. */
export const UNVERSIONED = "unversioned";

const seconds = (most: number) => z.number().positive().max(most);

const ORIGIN =
  "an origin such as https://blue.example.com, without path or credentials, or a binding such as service:BLUE";
const origin = text(/^(https?:\/\/[^/?#@\\\s]+|service:[A-Za-z_][A-Za-z0-9_]*)$/, ORIGIN)
  .refine((o) => o.startsWith("service:") || URL.canParse(o), ORIGIN)
  .describe("`https://host` or `service:BINDING`. Never taken from the request.");

const host = text(
  /^(\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*)$/,
  "a host in lower case without port: shop.example.com, *.example.com or *",
);
const pathPattern = text(
  /^\/([^/?#\s*]*\/)*(\*|[^/?#\s*]*)$/,
  "an exact path (/cart) or a prefix that ends in /* (/shop/*)",
);

/** Where a targeting key comes from. */
const source = text(
  /^(visitor|ip|(header|cookie|jwt):[A-Za-z0-9_.-]+)$/,
  "one of visitor, ip, header:NAME, cookie:NAME or jwt:CLAIM",
);

const breaker = z.strictObject({
  failureThreshold: z.int().min(1).max(1000).default(5).describe("Failures that open it."),
  monitoringPeriod: seconds(3600).default(120).describe("Seconds within which they must fall."),
  resetTimeout: seconds(3600)
    .default(60)
    .describe("Seconds that it stays open before one request may try again."),
});

const retry = z.strictObject({
  attempts: z.int().min(1).max(5).describe("Tries in all, the first one included, on the same origin."),
  baseDelay: z
    .number()
    .min(0)
    .max(10)
    .default(0.1)
    .describe("Seconds before the second try; doubles each time."),
  jitter: z.number().min(0).max(10).default(0.1).describe("Up to so many seconds are added at random."),
});

const route = z.strictObject({
  hosts: z
    .array(host)
    .min(1)
    .default(["*"])
    .describe("Public hosts. Exact names win over *.example.com, longer over shorter, * comes last."),
  paths: z
    .array(pathPattern)
    .min(1)
    .default(["/*"])
    .describe("Exact paths win over prefixes, longer prefixes over shorter."),
  blue: origin,
  green: origin,
  timeout: seconds(100)
    .default(30)
    .describe("Seconds until the headers must be there, from the end of the request body on."),
  slowAfter: seconds(100)
    .optional()
    .describe(
      "A visitor who leaves after so many seconds counts as a timeout; default blue's p99, at least 2 s.",
    ),
  rescue: z
    .enum(["unreachable", "any-5xx", "off"])
    .default("unreachable")
    .describe(
      "Which failures of green are answered from blue: connect errors, 502, 503, 504, 52x, 530 and timeouts; any 5xx; or none.",
    ),
  rescueAfter: seconds(30)
    .default(3)
    .describe("Seconds that green has for its headers when the request can be rescued."),
  errorStatuses: z
    .array(z.int().min(400).max(499))
    .default([])
    .describe("Statuses below 500 that count as errors too."),
  trusted: z
    .enum(["access", "mtls", "verified-jwt"])
    .optional()
    .describe(
      "Who vouches for header: and jwt: ids. Without it they place by bucket alone and stay out of cohorts and comparisons.",
    ),
  cookieDomain: text(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "a domain such as example.com")
    .optional()
    .describe("Domain of the visitor cookie, to span several hosts."),
  rewriteLocation: z
    .boolean()
    .default(true)
    .describe("Map Location headers and cookie domains that name the origin back to the public host."),
  wayOut: z.boolean().default(false).describe("Let green answer when blue cannot be reached."),
  breaker: breaker.prefault({}),
  retry: retry.optional(),
});

const healthCheck = z.strictObject({
  path: text(/^\/\S*$/, "a path that begins with /").default("/"),
  interval: z.number().min(5).max(3600).default(30).describe("Seconds between two checks of each origin."),
  timeout: z.number().positive().max(30).default(5).describe("Seconds."),
  status: z.union([z.int().min(100).max(599), z.array(z.int().min(100).max(599)).min(1)]).default(200),
  match: z.string().max(500).optional().describe("Text that the answer's first 64 kB must hold."),
});

const pull = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  path: z
    .string()
    .max(256)
    .refine((query) => parseQuery(query) !== undefined, "a query that names one value: $.data[0].score")
    .default("$")
    .describe("Where the number is in the JSON answer: `$.data[0].score`, RFC 9535 without filters."),
  interval: z.number().min(10).max(86_400).default(60).describe("Seconds between two fetches."),
  timeout: z.number().positive().max(30).default(5).describe("Seconds."),
  authorization: text(/^secret:[A-Z][A-Z0-9_]{0,63}$/, "secret:NAME, a secret of the Worker")
    .optional()
    .describe("Sent as Authorization header."),
});

const time = z.iso
  .datetime({ offset: true, error: "a time with its zone such as 2030-01-31T12:00:00Z" })
  .or(z.iso.date());

/** What a plain flag can answer: any JSON, one type in all variants of a flag. `object` is an object or a list. */
export type Value = string | number | boolean | null | object;

/** Deepest nesting of a value, so that whatever walks through one can call itself. */
const MAX_DEPTH = 32;

/** What is read comes from JSON, so that nothing but its depth has to be looked at. */
const value = z
  .unknown()
  .refine(
    (found) => isWithin(found, MAX_DEPTH),
    `JSON that is nested at most ${MAX_DEPTH} deep`,
  ) as z.ZodType<Value, Value>;

/** Is a value nested at most so many levels deep? */
export function isWithin(found: unknown, depth: number): boolean {
  if (typeof found !== "object" || found === null) return true;
  return depth > 0 && Object.values(found).every((inner) => isWithin(inner, depth - 1));
}

/** One user's or tenant's own answer, over percentages, cohorts and a hand-written `off`; never over a kill or halt. */
const override = z.strictObject({
  state: z.enum(["on", "off"]),
  variant: name.optional().describe("Of a plain flag: this variant instead of the one that `state` names."),
  expires: z.iso
    .datetime({ offset: true, error: "a time with its zone such as 2030-01-31T12:00:00Z" })
    .optional()
    .describe("It applies until just before this time."),
  reason: z.string().max(500).optional(),
});

/** Most overrides of a flag, users and tenants each. */
const MAX_OVERRIDES = 10_000;

const overridesOf = (whom: string) =>
  z
    .record(z.string().min(1).max(256), override)
    .refine((all) => Object.keys(all).length <= MAX_OVERRIDES, `at most ${MAX_OVERRIDES} overrides`)
    .default({})
    .describe(whom);

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

/** Is this a name that the schema takes? */
export function isName(s: string): boolean {
  return NAME.test(s);
}
