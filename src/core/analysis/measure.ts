/**
 * Measuring a condition over counts: its value, its limit, and on which side of it the value is. Absolute limits look at
 * everyone and count what breakers diverted as failed green requests (intention to treat). Against blue only visitors
 * placed by the hash are compared, errors and latencies of requests by visitor-minutes.
 */
import { type AdoptionCondition, eventOf } from "../flag/condition.ts";
import { decimal, type Ratio, ratio, toNumber } from "./exact.ts";
import { fromBaseline, limitOf, meets, overWords, show } from "./limits.ts";
import { type Measure, unsaid } from "./measured.ts";
import { meantFor, type Quantity, quantity, type ReadCondition, unitOf } from "./quantity.ts";
import type { Reading } from "./reading.ts";
import { history } from "./sigma.ts";
import { distinctIn } from "./sketch.ts";
import type { Tally } from "./tally.ts";
import { count, percent } from "./words.ts";

/** Measures a condition on the counts of one side, against its limit. */
export function measure(condition: ReadCondition, reading: Reading): Measure {
  const green = reading.of("green", "all");
  if (!green) return notKept(condition);
  const few = tooFew(condition, green);
  if (few) return few;
  const { limit } = limitOf(condition);
  if (typeof limit === "number") return absolute(condition, limit, green);
  if ("sigma" in limit) return history(condition, limit.sigma, reading);
  switch (limit.baseline) {
    case "blue":
      return againstBlue(condition, limit, reading);
    case "before":
      return againstPast(condition, limit, green, reading.before(), BEFORE);
    case "last_week":
      return againstLastWeek(condition, limit, green, reading);
  }
}

/** Distinct visitors as a share of others: with an event those of green that sent it, else those of green of all. */
export function adoption(condition: AdoptionCondition, reading: Reading): Measure {
  const { event } = condition;
  const [part, whole] = event
    ? [reading.of("green", "all"), reading.visitors()]
    : [reading.of("green", "all"), reading.both()];
  if (!part || !whole) return notKept(condition);
  const few = tooFew(condition, event ? whole : part, true);
  if (few) return few;
  const [n, of] = [distinctIn(part.sketch), distinctIn(whole.sketch)];
  if (of === 0) return unsaid("few", `Nobody came ${overWords(condition.window)}`);
  const value = ratio(n, of);
  const { operator, limit } = limitOf(condition);
  const ask = typeof limit === "number" ? limit : 1;
  const who = event
    ? `of green's ${count(of, "visitor")} sent ${event}`
    : `of ${count(of, "visitor")} were on green`;
  return {
    state: meets(operator, value, decimal(ask)) ? "met" : "unmet",
    measured: `${percent(n / of)} ${who} ${overWords(condition.window)}`,
    limit: percent(ask),
    figures: { visitors: n, of, rate: n / of, limit: ask },
  };
}

function absolute(condition: ReadCondition, limit: number, green: Tally): Measure {
  const found = quantity(condition, green);
  if (!found) return nothingYet(condition);
  return compared(condition, found, decimal(limit), `${found.said} ${overWords(condition.window)}`, {
    requests: meantFor(green),
    ...named(condition, "green", found),
  });
}

const BEFORE = "before the stage";

type Relative = { plus: number } | { times: number };

function againstBlue(condition: ReadCondition, limit: Relative, reading: Reading): Measure {
  const own = reading.own();
  if (own !== "blue") {
    const all = reading.of("green", "all");
    return all
      ? againstPast(condition, limit, all, own, `${BEFORE}; blue has no traffic`)
      : notKept(condition);
  }
  const event = eventOf(condition);
  // What origins tell of has no placement of its own.
  const placement = event === undefined ? "hash" : "all";
  const by = byUnits(condition, event) ? "units" : "requests";
  const [green, blue] = [reading.of("green", placement), reading.of("blue", placement)];
  if (!green || !blue) return notKept(condition);
  const found = quantity(condition, green, by);
  if (!found) return unsaid("few", "Green has no visitors that can be compared yet");
  const other = quantity(condition, blue, by);
  if (!other) return unsaid("few", "Blue has no visitors to compare with");
  const figures = {
    requests: meantFor(green),
    failingVisitors: green.visitors.length,
    ...named(condition, "green", found),
    ...named(condition, "blue", other),
  };
  const said = `${found.said}, blue ${other.shown}, ${overWords(condition.window)}`;
  return compared(condition, found, fromBaseline(limit, other.value), said, figures);
}

/** Only errors and latencies of requests are kept by visitor-minute. */
function byUnits({ metric }: ReadCondition, event: string | undefined): boolean {
  return event === undefined && (metric === "error_rate" || metric.startsWith("latency_"));
}

function againstPast(
  condition: ReadCondition,
  limit: Relative,
  green: Tally,
  past: Tally | undefined,
  when: string,
): Measure {
  if (!past) return unsaid("unmeasured", `No counts are kept of what was ${when}`);
  const found = quantity(condition, green);
  if (!found) return nothingYet(condition);
  const other = meantFor(past) > 0 || isCount(condition) ? quantity(condition, past) : undefined;
  if (!other) return unsaid("few", `There was nothing to compare with ${when}`);
  const said = `${found.said} ${overWords(condition.window)}, ${other.shown} ${when}`;
  return compared(condition, found, fromBaseline(limit, other.value), said, {
    requests: meantFor(green),
    ...named(condition, "green", found),
    baseline: toNumber(other.value),
  });
}

/**
 * A count is compared with what the whole flag did a week ago, so it is one of the whole flag now as well. Where more is
 * the fault it is taken from whole parts inside the window: rounded outwards, equal weeks would read as more.
 */
function againstLastWeek(condition: ReadCondition, limit: Relative, green: Tally, reading: Reading): Measure {
  const { operator } = limitOf(condition);
  const isFault = operator === "above" || operator === "atLeast";
  const both = () => (isFault ? reading.bothInside() : reading.both());
  const now = isCount(condition) ? both() : green;
  if (!now) return notKept(condition);
  return againstPast(condition, limit, now, reading.lastWeek(), "a week earlier");
}

function compared(
  condition: ReadCondition,
  { value }: Quantity,
  limit: Ratio,
  measured: string,
  figures: Record<string, number>,
): Measure {
  const asked = toNumber(limit);
  return {
    state: meets(limitOf(condition).operator, value, limit) ? "met" : "unmet",
    measured,
    limit: show(asked, unitOf(condition.metric)),
    figures: { ...figures, limit: asked },
  };
}

/** Figures by whose they are: `rate`, `greenRate`, `greenP95`. */
function named(condition: ReadCondition, side: "green" | "blue", found: Quantity): Record<string, number> {
  const { metric } = condition;
  if (metric.startsWith("latency_") || metric.startsWith("value_"))
    return { [`${side}P${metric.slice(-2)}`]: toNumber(found.value) };
  const { limit } = limitOf(condition);
  if (typeof limit === "number") return found.figures;
  const of = (name: string) => `${side}${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return Object.fromEntries(Object.entries(found.figures).map(([name, n]) => [of(name), n]));
}

function isCount({ metric }: ReadCondition): boolean {
  return metric === "requests" || metric === "event_count" || metric === "visitors";
}

interface Minimum {
  metric: string;
  event?: string | undefined;
  window: number | "stage";
  minRequests: number;
}

/** Too little for the condition to say anything; none is too little for whatever is no count. */
function tooFew(condition: Minimum, tally: Tally, ofRequests = false): Measure | undefined {
  const event = ofRequests ? undefined : condition.event;
  const n = meantFor(tally);
  const over = overWords(condition.window);
  const counts = ["requests", "event_count", "visitors"].includes(condition.metric);
  if (n === 0 && !counts)
    return unsaid("few", event ? `No event ${event} came ${over}` : `Green had no request ${over}`, {
      requests: 0,
    });
  if (n >= condition.minRequests) return undefined;
  const what = event ? `${count(n, "event")} ${event} came` : `Green had ${count(n, "request")}`;
  return unsaid("few", `${what} ${over}; ${condition.minRequests} are needed`, { requests: n });
}

function nothingYet({ window, ...condition }: ReadCondition): Measure {
  const event = eventOf(condition);
  const what = condition.metric.startsWith("latency_") ? "latencies" : "values";
  return unsaid("few", `${event ?? "Green"} has no ${what} ${overWords(window)}`);
}

function notKept({ window }: { window: number | "stage" }): Measure {
  return unsaid("unmeasured", `No counts are kept of all the time ${overWords(window)}`);
}
