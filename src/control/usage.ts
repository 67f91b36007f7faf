/** How a flag fared and how much it was used within a window of time, from what telemetry keeps. Reads only. */

import { meanMs, quantileMs } from "../core/analysis/histogram.ts";
import { distinctIn } from "../core/analysis/sketch.ts";
import { floorTo, HOUR_MS, MINUTE_MS, minutesSince } from "../core/analysis/spans.ts";
import { failures, type Tally } from "../core/analysis/tally.ts";
import type { MetricsView, UsageView, WindowView } from "../core/api/views.ts";
import type { Decisions } from "./decisions.ts";

/** A shorter window is told to the tick, milliseconds. */
const SHORT_MS = MINUTE_MS;
/** What origins tell of shadows is no use of a flag: nobody was answered. */
const ABOUT_SHADOWS = /^shadow/i;

/** Counts of both sides within the last `seconds`; undefined for a flag that the spec does not name. */
export function metricsOf(
  decisions: Decisions,
  { flag: name, seconds }: { flag: string; seconds: number },
  now: number,
): MetricsView | undefined {
  const flag = decisions.rollout.flags.get(name);
  if (!flag) return undefined;
  const telemetry = decisions.telemetryOf(name, now);
  const from = beginningOf(seconds, now);
  // What began at this very moment is in it.
  const span = { placement: "all", event: undefined, from, to: now + 1 } as const;
  const of = (variant: "blue" | "green", cohort: string | undefined) => {
    const tally = telemetry.counts({ ...span, variant, cohort });
    return tally && windowView(variant, cohort ?? null, tally);
  };
  const cohorts = telemetry.cohorts().filter((cohort) => cohort !== "");
  const about = { flag: name, release: flag.release, from, to: now };
  const [blue, green] = [of("blue", undefined), of("green", undefined)];
  if (!blue || !green) return { ...about, complete: false, rows: [] };
  const each = cohorts.flatMap((cohort) => of("green", cohort) ?? []).filter(isAny);
  return { ...about, complete: true, rows: [blue, green, ...(each.length > 1 ? each : [])] };
}

/** Use of one flag or of all within the last `seconds`, most used first. */
export function usageOf(
  decisions: Decisions,
  { flag, seconds }: { flag?: string; seconds: number },
  now: number,
): UsageView[] {
  const { flags } = decisions.rollout;
  const names = flag === undefined ? [...flags.keys()] : flags.has(flag) ? [flag] : [];
  const views = names.map((name) => usageView(decisions, name, beginningOf(seconds, now), now));
  return views.sort((a, b) => b.operations - a.operations || (a.flag < b.flag ? -1 : 1));
}

function usageView(decisions: Decisions, name: string, from: number, now: number): UsageView {
  const { stickBy, context } = decisions.rollout.flags.get(name)!;
  const used = decisions.telemetry.used(name, from, now, (event) => !ABOUT_SHADOWS.test(event));
  const empty = { keys: 0, tenants: null, operations: 0, meanLatency: null, successRate: null };
  if (!used) return { flag: name, from, to: now, complete: false, ...empty };
  const { requests, events } = used;
  const tally = events.requests > 0 ? events : requests;
  const ended = tally.requests - tally.censored;
  const keys = distinctIn(events.requests > 0 && events.sketch !== "" ? events.sketch : requests.sketch);
  return {
    flag: name,
    from,
    to: now,
    complete: true,
    keys,
    tenants: context.tenant !== undefined && stickBy[0] === context.tenant ? keys : null,
    operations: tally.requests,
    meanLatency: meanMs(tally.latency) ?? null,
    // A status below 400, or the event's own outcome: one without an outcome counts as no failure.
    successRate: ended > 0 ? Math.max(0, ended - failures(tally) - tally.refused) / ended : null,
  };
}

function windowView(variant: "blue" | "green", cohort: string | null, tally: Tally): WindowView {
  const { requests, censored, timeouts, diverted, rescued, latency, sketch } = tally;
  const ended = requests - censored;
  return {
    variant,
    cohort,
    requests,
    errors: tally.errors + tally.connect,
    errorRate: ended > 0 ? failures(tally) / ended : null,
    timeouts,
    diverted,
    rescued,
    mean: meanMs(latency) ?? null,
    p50: quantileMs(latency, 0.5) ?? null,
    p75: quantileMs(latency, 0.75) ?? null,
    p95: quantileMs(latency, 0.95) ?? null,
    p99: quantileMs(latency, 0.99) ?? null,
    visitors: distinctIn(sketch),
  };
}

function isAny({ requests, diverted }: WindowView): boolean {
  return requests + diverted > 0;
}

/** Where a window begins: at whole minutes, or hours where no minutes are kept, so that it is never too short. */
function beginningOf(seconds: number, now: number): number {
  const from = now - seconds * 1000;
  if (now - from <= SHORT_MS) return from;
  return floorTo(from, from < minutesSince(now) ? HOUR_MS : MINUTE_MS);
}
