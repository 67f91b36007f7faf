/** The route of a flag: which requests it steers, to which origins, how they are asked, checked and measured. */
import * as z from "zod";
import { parseQuery } from "../notify/number-at.ts";
import { text } from "./name.ts";

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
export const source = text(
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

export const route = z.strictObject({
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

export const healthCheck = z.strictObject({
  path: text(/^\/\S*$/, "a path that begins with /").default("/"),
  interval: z.number().min(5).max(3600).default(30).describe("Seconds between two checks of each origin."),
  timeout: z.number().positive().max(30).default(5).describe("Seconds."),
  status: z.union([z.int().min(100).max(599), z.array(z.int().min(100).max(599)).min(1)]).default(200),
  match: z.string().max(500).optional().describe("Text that the answer's first 64 kB must hold."),
});

export const pull = z.strictObject({
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
