/**
 * The flag document: what operators write under KV key `flags`. One zod schema, from which the types, the JSON
 * Schema for editors (`npm run schema`) and every fault message come. Defaults are filled in here and nowhere else;
 * parsing what was parsed changes nothing.
 */
import * as z from "zod";
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

/** Finest step of a percentage: 0.001 %. */
export const SHARE_PER_PERCENT = 1000;
/** All of traffic, in thousandths of a percent. */
export const FULL_SHARE = 100 * SHARE_PER_PERCENT;

/** Percentage to thousandths of a percent, exactly (never compare percentages as binary fractions). */
export function shareOf(percentage: number): number {
  return Math.round(percentage * SHARE_PER_PERCENT);
}

const percentage = z
  .number()
  .min(0)
  .max(100)
  .refine(
    (p) => Math.abs(p * SHARE_PER_PERCENT - shareOf(p)) < 1e-6,
    "a percentage with at most three decimals",
  )
  .describe("Share of visitors on green, 0 to 100, three decimals: 0.5 is half a percent.");

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

const cohort = z.strictObject({
  enabled: z.boolean().default(true),
  users: z
    .array(z.string().min(1).max(256))
    .default([])
    .describe("Targeting keys that are always in the cohort, and so on green while the flag is in canary."),
});

/** Schema of one flag. */
export const flagSchema = z
  .strictObject({
    description: z.string().optional(),
    notes: z.string().optional().describe("Operator notes. Editing them moves nobody."),
    owner: z.string().optional(),
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
    cohorts: z.record(name, cohort).default({}),
    rules: rules.prefault(DEFAULT_RULES),
    dryRun: z.boolean().default(false).describe("Judge green and say what would be done, but never halt it."),
    route: route.optional(),
  })
  .refine((f) => !(f.state === "shadow" && f.percentage > 0), {
    path: ["percentage"],
    message: "0 while the state is shadow",
    // Also beside other faults: all of them are found in one pass.
    when: ({ value }) => typeof value === "object" && value !== null,
  });

/** One flag in its parsed form, defaults filled in. */
export type Flag = z.output<typeof flagSchema>;
/** One flag as an operator writes it. */
export type FlagInput = z.input<typeof flagSchema>;
export type Route = z.output<typeof route>;
export type Rule = z.output<typeof rule>;
export type State = Flag["state"];

/** Schema of the whole document, for editors; `parseDocument` validates each flag alone. */
export const documentSchema = z.strictObject({
  $schema: z.string().optional(),
  enabled: z.boolean().default(true).describe("Global switch: false sends everything to blue."),
  flags: z.record(name, flagSchema),
});

/** The document as an operator writes it. */
export type DocumentInput = z.input<typeof documentSchema>;

/** Is this a name that the schema takes? */
export function isName(s: string): boolean {
  return NAME.test(s);
}
