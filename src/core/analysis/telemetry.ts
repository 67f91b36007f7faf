/**
 * All that a condition can be measured from, at one moment. The controller keeps it, tests and simulators make it up;
 * what looks at it cannot tell them apart.
 */
import type { Tally, Variant } from "./tally.ts";

/** Which counts are meant. */
export interface Span {
  variant: Variant;
  /** `all` placements, or only visitors placed by the hash. */
  placement: "all" | "hash";
  /** Of one cohort; undefined: of all. */
  cohort: string | undefined;
  /**
   * Of a custom event; undefined: of requests. An event's tally has its failures in `errors`, and in `latency` its `ms`
   * or its `value` times 1000: an event has one of them. `distinctIn(tally.sketch)` says how many visitors it has.
   */
  event: string | undefined;
  /** Requests that started in [from, to), milliseconds since the epoch. Until now: `to` is now + 1. */
  from: number;
  to: number;
}

/** A gauge as it was set last. `value` of a pushed used/max pair is their quotient. */
export interface GaugeReading {
  value: number;
  /** When it was measured, milliseconds since the epoch. */
  at: number;
}

/** An alert that fires. */
export interface FiringAlert {
  name: string;
  labels: Record<string, string>;
  /** When it began, milliseconds since the epoch. */
  startsAt: number;
}

/** Health checks of one origin. */
export interface HealthReading {
  /** Failures in a row; 0 after a success. */
  failedInARow: number;
  /** The last check, milliseconds since the epoch. */
  at: number;
  /** What was wrong last. */
  sentence: string;
}

export interface Telemetry {
  /** Milliseconds since the epoch. */
  now: number;
  /** When any isolate was last heard from, ms since the epoch. */
  heardAt: number;
  /** When the release began to get traffic, and when the stage began, ms since the epoch. */
  releaseAt: number;
  stageAt: number;
  /**
   * Counts of a span, of the flag's present release for green, of whatever release for blue; undefined where nothing was
   * kept for (part of) that time: it was too long ago, or before counting began. An empty tally means: nobody came.
   * Counting began with the controller's first spec; only where its store was lost it began later. A span until now of
   * at most a minute, or since the stage or the release began, is answered with what is known of it, always. How exact
   * a span is: series.ts.
   */
  counts(span: Span): Tally | undefined;
  /** Cohorts of green with counts. */
  cohorts(): string[];
  /**
   * Values of earlier windows of the same length for `sigma`, oldest first, as many as are kept: failures and number of
   * each. Windows without any count are left out.
   */
  earlier(span: Span, most: number): { count: number; failures: number }[];
  gauge(name: string): GaugeReading | undefined;
  /** Alerts that fire; undefined while no Alertmanager has ever reported. */
  alerts(): FiringAlert[] | undefined;
  /** Health checks of green; undefined before the first. */
  health(variant: Variant): HealthReading | undefined;
  /** How the stage's list of requests went. */
  smoke(): "none" | "waiting" | "passed" | "failed";
  /** Evidence of the gate of this margin and alpha; undefined while nothing is compared. */
  nonInferiority(margin: number, alpha: number): { evidence: number; passed: boolean } | undefined;
}
