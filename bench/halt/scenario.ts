/**
 * A scenario: everything about a rollout that a stream is drawn from, as data. Troubles combine, but for outages with
 * a blip, and late counts with latencies.
 */
import type { Episodic } from "./episodes.ts";
import type { Law, Worse } from "./latency.ts";

export interface Stage {
  /** When it begins, hours from the start of the rollout; the first at 0. */
  atHours: number;
  /** Share of the traffic that green gets, 0..1. */
  share: number;
}

/** How errors depart from independent ones with a fixed rate; independent in blue and green. */
export type Noise =
  /** The rate is drawn anew every so many seconds, for blue as a whole or for each of its slices. */
  | { kind: "beta"; everyS: number; cv: number; perSlice?: true }
  /** A failing visitor tries again: a geometric number of errors, in one slice, this far apart on average. */
  | { kind: "clusters"; meanSize: number; gapS: number }
  /** The rate is level times as high for a while. */
  | { kind: "bursts"; episodes: Episodic }
  /** One slice of the users fails with probability level for a while. */
  | { kind: "slice-bursts"; episodes: Episodic }
  /** The logarithm of the rate is an Ornstein-Uhlenbeck process; sd relative to the mean. */
  | { kind: "wander"; sd: number; tauS: number };

export interface Late {
  /** Chance that a cohort's tick comes late: blue, green. */
  share: readonly [number, number];
  /** By how many ticks, uniform. */
  ticks: readonly [number, number];
  /** Chance that a late one never comes. */
  lost: number;
}

export interface Latency {
  law: Law;
  /** Green as it is from the start. */
  green?: Worse;
  /** Swing over the day: the factor goes between 1 - swing and 1 + swing. */
  swing?: number;
  /** The factor wanders, each cohort for itself: relative standard deviation, correlation time in seconds. */
  wander?: { sd: number; tauS: number };
  /** Both cohorts take level times as long. */
  shared?: Episodic;
}

/** Green gets worse. */
export interface Change {
  /** When, minutes from the start of the rollout; 0 for a green that is bad from its first request. */
  atMinutes: number;
  /** Green's error rate from then on. */
  errorRate?: number;
  latency?: Worse;
  /** At any moment of its tick, not at the start of it. */
  anyPhase?: true;
}

export interface Scenario {
  name: string;
  /** Requests a second, both cohorts together. */
  rate: number;
  /** Error rate of both cohorts while nothing is wrong. */
  errorRate: number;
  /** Green's error rate relative to blue's; 1 when absent. */
  greenTimes?: number;
  stages: readonly Stage[];
  /** Hours of blue alone before the first stage. */
  historyHours: number;
  /** Hours from the first stage to the end. */
  hours: number;
  /** Requests come as Poisson counts, or the same number every tick. */
  arrivals?: "poisson" | "even";
  /** Swing over a day, 0..1: the rate goes between 1 - swing and 1 + swing of the mean, the error rate too. */
  diurnal?: { rate: number; errors: number };
  noise?: Noise;
  /** Both cohorts fail with probability level. */
  outages?: Episodic;
  /** While an outage lasts, it is only on in these episodes (their level has no meaning). */
  flapping?: Episodic;
  /** Green alone fails with probability level; times from the start of the rollout. */
  blip?: Episodic;
  late?: Late;
  latency?: Latency;
  change?: Change;
}
