/** The rollouts that the bench plays: each ready-made plan over the week, with what its gates are told meanwhile. */
import type { Ingest, PushedEvent } from "../../src/control/telemetry-api.ts";
import type { FlagInput } from "../../src/core/flag/schema.ts";
import type { Found, Story } from "./play.ts";
import { type Trace, withBadGreen, withLess } from "./trace.ts";

const HOUR = 60;
const DAY = 24 * HOUR;
export const FLAG = "shop";
/** When the trace begins: a Monday, far from any clock, milliseconds since the epoch. */
export const START = Date.UTC(2035, 0, 1);
/** Rollouts begin on Monday at nine. */
const NINE = 9 * HOUR;
/** A shard forwards each minute here, and the alarm rings each minute: the product does both more often. */
const STEP_MS = 60_000;
/** Gauges and alerts are reported each so many minutes; a gauge of more than 5 minutes ago says nothing. */
const REPORTED_EVERY = 4;
/** Events of each kind in a minute. */
const EVENTS = 4;
/** Of ten visitors who report something so many have used what is new. */
const ADOPTED = 3;

export interface NamedStory extends Story {
  name: string;
  /** What it shows. */
  about: string;
}

/** Every story over this trace. */
export function storiesOf(trace: Trace): NamedStory[] {
  const week = { flag: FLAG, trace, from: NINE, to: trace.length, start: START, stepMs: STEP_MS };
  const staffed = { approveAfter: HOUR, signOffAfter: HOUR / 2, pushes: wellFor, finds: alive };
  const canaryPlan = { ...week, ...staffed, text: documentWith({ plan: "canary-plan" }), distinct: true };
  const thorbis = { ...week, ...staffed, text: documentWith({ plan: "thorbis" }) };
  return [
    {
      ...canaryPlan,
      name: "canary-plan",
      about: "four cohorts in a week, with sign-offs, web vitals, and 48 h of objectives",
    },
    {
      ...week,
      ...staffed,
      name: "orca",
      about: "5/25/50/100, an approval, a day of bake",
      text: documentWith({ plan: "orca" }),
    },
    {
      ...week,
      name: "togetheros-custom",
      about: "5/25/50/100 in under an hour, by limits of errors alone",
      text: documentWith({ plan: "togetheros-custom" }),
    },
    { ...thorbis, name: "thorbis", about: "a day of shadow, two at 10 %, three at 50 %" },
    {
      ...canaryPlan,
      name: "canary-plan, bad on day 3",
      about: "green fails 3 % more from Wednesday 15:00 on",
      trace: withBadGreen(trace, 2 * DAY + 15 * HOUR, 0.03),
    },
    {
      ...thorbis,
      name: "thorbis, a hundredth of the traffic",
      about:
        "its limits have no least number of requests, so that one failure in a quiet minute is above 2 %",
      trace: withLess(trace, 100),
    },
  ];
}

/** A document with the one flag of a story. */
export function documentWith(flag: Partial<FlagInput>): string {
  const route = { hosts: ["shop.example"], blue: "https://blue.example", green: "https://green.example" };
  return JSON.stringify({ flags: { [FLAG]: { state: "canary", release: "2.1.0", route, ...flag } } });
}

/** What origins and people push in a minute in which nothing is the matter. */
function wellFor(minute: number): Ingest[] {
  const gauges = { db_connections: 0.4, memory: 0.6, cpu: 0.5, open_sev_1_2: 0, canary_diff: 0.001 };
  const scores = { trust_score: 88, csat: 97, support_ticket_increase: 2 };
  const known = Object.entries({ ...gauges, ...scores }).map(([name, value]) => ({
    flag: FLAG,
    name,
    value,
  }));
  const events = Array.from({ length: EVENTS }, (_, i) => eventsOf(minute * EVENTS + i)).flat();
  const pushed: Ingest[] = [{ kind: "events", id: `minute-${minute}`, events }];
  if (minute % REPORTED_EVERY !== 0) return pushed;
  return [{ kind: "gauges", gauges: known }, { kind: "alerts", alerts: [] }, ...pushed];
}

/** What visitor `i` reports. */
function eventsOf(i: number): PushedEvent[] {
  const visitor = Math.imul(i, 0x9e3779b1) >>> 0;
  const common = { flag: FLAG, visitor };
  const good = ["approval", "transaction", "feedback"].map(
    (event) => ({ ...common, event, outcome: "success" }) as const,
  );
  const vitals = [
    { ...common, event: "lcp", ms: 1400 + (i % 7) * 90 },
    { ...common, event: "inp", ms: 90 + (i % 5) * 12 },
    { ...common, event: "cls", value: 0.02 + (i % 4) * 0.01 },
  ];
  return [...good, ...vitals, ...(i % 10 < ADOPTED ? [{ ...common, event: "feature_used" }] : [])];
}

/** The health checks of a minute, passed. */
function alive(): Found[] {
  return (["blue", "green"] as const).map((variant) => ({
    type: "health",
    flag: FLAG,
    variant,
    passed: true,
    sentence: "200 within 40 ms",
  }));
}
