/**
 * Makes the week that the benches of rollouts play: `node bench/rollout/make-trace.ts`. The week is SYNTHETIC: drawn
 * once from the laws below with a seed, and kept as a file so that every run and every later version sees the same.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binomial, Poisson } from "../halt/counts.ts";
import { Random } from "../halt/random.ts";
import { type Trace, withBadGreen, withGap, writeTrace } from "./trace.ts";

const HOUR = 60;
const DAY = 24 * HOUR;
/** Minutes from Monday, 00:00. */
const LENGTH = 7 * DAY;
/** Requests a minute in the busiest hour of a workday, and in the quietest. */
const BUSIEST = 12_000;
const QUIETEST = 900;
/** Of a workday's traffic on a Saturday or a Sunday. */
const WEEKEND = 0.45;
/** The busiest hour of the day. */
const NOON = 14;
/** Traffic wanders by so much around the hour's mean, from minute to minute with this memory. */
const WANDER = 0.08;
const MEMORY = 0.95;
/** Share of requests that fail on either side when nothing is the matter. */
const FAILING = 0.0001;
/** Median milliseconds at night, and how many more when it is busy. */
const QUICK_MS = 70;
const BUSY_MS = 45;

/** Tuesday, 10:00 to 11:00: nothing is reported. */
const GAP = { from: DAY + 10 * HOUR, to: DAY + 11 * HOUR };
/** Thursday, 14:00 to 15:00: a dependency of both sides fails, and slows them down. */
const OUTAGE = { from: 3 * DAY + 14 * HOUR, to: 3 * DAY + 15 * HOUR, failing: 0.06, slower: 1.6 };
/** Saturday, 00:00 to 05:00: hardly anybody. */
const QUIET = { from: 5 * DAY, to: 5 * DAY + 5 * HOUR, requests: 0.4 };

const REMARKS = [
  "SYNTHETIC traffic of a week, drawn once by bench/rollout/make-trace.ts; no real visitor is in it.",
  "A line is a minute from Monday 00:00 on: requests, how many fail on blue, how many fail on green, median ms.",
  "Failures are those of all requests on that side: whoever plays it takes green's share of them. - : no telemetry.",
];

function within(minute: number, { from, to }: { from: number; to: number }): boolean {
  return minute >= from && minute < to;
}

function weekOf(random: Random): Trace {
  const poisson = new Poisson();
  let wander = 0;
  return Array.from({ length: LENGTH }, (_, minute) => {
    wander = MEMORY * wander + Math.sqrt(1 - MEMORY ** 2) * random.normal();
    const phase = (2 * Math.PI * (minute - NOON * HOUR)) / DAY;
    const busy = ((1 + Math.cos(phase)) / 2) ** 1.5;
    const weekend = minute >= 5 * DAY ? WEEKEND : 1;
    const usual = (QUIETEST + (BUSIEST - QUIETEST) * busy) * weekend * Math.exp(WANDER * wander);
    const requests = poisson.draw(random, within(minute, QUIET) ? QUIET.requests : usual);
    const bad = within(minute, OUTAGE);
    const failing = bad ? OUTAGE.failing : FAILING;
    const blueFailures = binomial(random, requests, failing);
    const greenFailures = binomial(random, requests, failing);
    const ms = Math.round(
      (QUICK_MS + BUSY_MS * busy) * (bad ? OUTAGE.slower : 1) * Math.exp(0.03 * random.normal()),
    );
    return within(minute, GAP) ? undefined : { requests, blueFailures, greenFailures, ms };
  });
}

/** Monday, 9:00 to 10:00, with four minutes of silence and a green that goes bad near the end. */
function hourOf(week: Trace): Trace {
  const hour = week.slice(9 * HOUR, 10 * HOUR);
  return withBadGreen(withGap(hour, 14, 18), 50, 0.08);
}

const folder = join(import.meta.dirname, "../../fixtures/traces");
mkdirSync(folder, { recursive: true });
const week = weekOf(new Random("week", 1));
writeFileSync(join(folder, "week.csv"), writeTrace(week, REMARKS));
const cut =
  "Monday 9:00 to 10:00 of week.csv, without telemetry in minutes 14 to 17, green 8 % worse from minute 50 on.";
writeFileSync(join(folder, "hour.csv"), writeTrace(hourOf(week), [...REMARKS, cut]));
