/** Telemetry made up from a few words, and windows that hold the same: for the tests of rules and gates. */
import { Crowd } from "../../../src/core/analysis/sketch.ts";
import { emptyTally, type Tally } from "../../../src/core/analysis/tally.ts";
import type { Span, Telemetry } from "../../../src/core/analysis/telemetry.ts";
import { newWindow, type Window } from "../../../src/core/analysis/window.ts";
import { add, latencies, NOW } from "./counts.ts";

/** Counts of one side: requests and errors, or more of them. */
export type SideWords =
  | [requests: number, errors: number]
  | {
      requests: number;
      errors?: number;
      refused?: number;
      timeouts?: number;
      run?: number;
      /** So many visitors in all. */
      distinct?: number;
      /** How many took how many milliseconds. */
      ms?: [n: number, ms: number][];
      /** How many had which value. */
      values?: [n: number, value: number][];
    };

export interface Words {
  green?: SideWords;
  blue?: SideWords;
  /** Green's window before the stage; green and blue a week ago. */
  before?: SideWords;
  lastWeek?: SideWords;
  cohorts?: Record<string, SideWords>;
  events?: Record<string, { green?: SideWords; blue?: SideWords; before?: SideWords; lastWeek?: SideWords }>;
  earlier?: [count: number, failures: number][];
  gauges?: Record<string, number>;
  /** Seconds since gauges were measured and green's health was checked. */
  gaugeAge?: number;
  /** Alerts that fire, with the second of the release in which they began. */
  alerts?: { severity: string; at?: number }[];
  /** Failed health checks in a row. */
  health?: number;
  smoke?: "passed" | "failed" | "waiting";
  /** Age of the release, seconds. */
  age?: number;
  nonInferior?: boolean;
}

const WEEK_MS = 604_800_000;
/** Age of a release of which nothing is said, seconds. */
const OLD = 10 * 86_400;

/** Telemetry as it would be at `now`. What is not said of events is nobody; what is not said of the past is not kept. */
export function telemetryOf(words: Words, now = NOW): Telemetry {
  const releaseAt = now - (words.age ?? OLD) * 1000;
  const stageAt = Math.max(releaseAt, now - 86_400_000);
  const measuredAt = now - (words.gaugeAge ?? 0) * 1000;
  const sideOf = ({ variant, cohort, event, to }: Span): SideWords | undefined => {
    const known = event === undefined ? words : (words.events?.[event] ?? {});
    if (to === stageAt) return known.before;
    // Green and blue are asked for each by itself: all of that week was blue.
    if (to <= now - WEEK_MS + 1) return known.lastWeek && (variant === "blue" ? known.lastWeek : [0, 0]);
    if (cohort !== undefined && variant === "green") return words.cohorts?.[cohort] ?? [0, 0];
    return known[variant] ?? [0, 0];
  };
  return {
    now,
    heardAt: now,
    releaseAt,
    stageAt,
    counts: (span) => {
      const side = sideOf(span);
      return side && tallyOf(side);
    },
    cohorts: () => Object.keys(words.cohorts ?? {}),
    earlier: (_span, most) =>
      (words.earlier ?? []).slice(-most).map(([count, failures]) => ({ count, failures })),
    gauge: (name) => {
      const value = words.gauges?.[name];
      return value === undefined ? undefined : { value, at: measuredAt };
    },
    alerts: () =>
      words.alerts?.map(({ severity, at = 0 }) => ({
        name: "Checkout",
        labels: { severity },
        startsAt: releaseAt + at * 1000,
      })),
    health: () =>
      words.health === undefined
        ? undefined
        : { failedInARow: words.health, at: measuredAt, sentence: "status 500" },
    smoke: () => words.smoke ?? "none",
    nonInferiority: () =>
      words.nonInferior === undefined ? undefined : { evidence: 20, passed: words.nonInferior },
  };
}

/** The last minute, with the same counts. */
export function windowFor(words: Words, now = NOW): Window {
  const window = newWindow();
  for (const variant of ["green", "blue"] as const) {
    const side = words[variant];
    if (side) add(window, { variant }, tallyOf(side), 1, now);
  }
  return window;
}

/** Counts in which each failure is another visitor's. */
export function tallyOf(words: SideWords): Tally {
  const side = Array.isArray(words) ? { requests: words[0], errors: words[1] } : words;
  const { requests, errors = 0, refused = 0, timeouts = 0, run = 0, distinct = requests } = side;
  const latency = latencies(
    ...("ms" in side ? (side.ms ?? []) : []),
    ...("values" in side ? (side.values ?? []) : []).map(([n, value]): [number, number] => [n, value * 1000]),
  );
  const failed = errors + timeouts;
  const crowd = new Crowd();
  // Spread over all of the hash, so that no two fall together.
  for (let i = 0; i < distinct; i++) crowd.see((i * 2_654_435_761) >>> 0);
  return {
    ...emptyTally(),
    requests,
    errors,
    refused,
    timeouts,
    run,
    units: requests,
    unitErrors: failed,
    visitors: Array.from({ length: Math.min(failed, 32) }, (_, i) => i),
    sketch: crowd.pack(),
    latency,
    unitLatency: latency,
  };
}
