/** The rollouts that docs/halting.md shows: scenarios with a seed, and what part of them a picture shows. */
import { LOGNORMAL } from "./laws.ts";
import type { Scenario } from "./scenario.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export interface Story {
  /** Name of the file, without its end. */
  file: string;
  title: string;
  scenario: Scenario;
  /** Number of the run: the seed. Of the first eight the one whose halt is nearest to their median; 0 without a halt. */
  run: number;
  /** What is shown of it, milliseconds from the first stage. */
  fromMs: number;
  toMs: number;
  /** What people have on their dashboards, above the evidence, in steps of so many milliseconds. */
  shown: { metric: "failures" | "p95"; stepMs: number };
  /** A limit that someone might have set on it, in its unit (ratio or milliseconds), and what it is called. */
  limit?: { at: number; text: string };
  /** Where the trouble begins, milliseconds from the first stage, and what it is. */
  trouble?: { atMs: number; text: string };
  axis: { unitMs: number; title: string };
}

const usual = {
  rate: 50,
  errorRate: 0.01,
  stages: [{ atHours: 0, share: 0.05 }],
  historyHours: 6,
  latency: { law: LOGNORMAL },
};
const HOURS = { unitMs: HOUR_MS, title: "hours since the rollout began" };
const MINUTES = { unitMs: MINUTE_MS, title: "minutes since the rollout began" };

export const STORIES: readonly Story[] = [
  {
    file: "good",
    title: "A good green, one day: both sides fail 1 %",
    scenario: { ...usual, name: "picture: good", hours: 24 },
    run: 0,
    fromMs: 0,
    toMs: 24 * HOUR_MS,
    shown: { metric: "failures", stepMs: 1.5 * MINUTE_MS },
    limit: { at: 0.03, text: "blue + 2 points" },
    axis: HOURS,
  },
  {
    file: "bad",
    title: "A bad green: from 1 % to 5 % of the requests after an hour",
    scenario: {
      ...usual,
      name: "picture: bad",
      hours: 2,
      change: { atMinutes: 60, errorRate: 0.05 },
    },
    run: 3,
    fromMs: 45 * MINUTE_MS,
    toMs: 66 * MINUTE_MS,
    shown: { metric: "failures", stepMs: MINUTE_MS / 2 },
    trouble: { atMs: HOUR_MS, text: "green fails 5 %" },
    axis: MINUTES,
  },
  {
    file: "broken",
    title: "A broken green: half of the requests fail, after an hour",
    scenario: {
      ...usual,
      name: "picture: broken",
      hours: 2,
      change: { atMinutes: 60, errorRate: 0.5 },
    },
    run: 7,
    fromMs: HOUR_MS - 30_000,
    toMs: HOUR_MS + 20_000,
    shown: { metric: "failures", stepMs: 2000 },
    trouble: { atMs: HOUR_MS, text: "green fails 50 %" },
    axis: { unitMs: 1000, title: "seconds since the rollout began" },
  },
  {
    file: "outage",
    title: "An outage of something behind both: ten minutes at 30 %",
    scenario: {
      ...usual,
      name: "picture: outage",
      hours: 1,
      outages: {
        gap: { onceAt: [1200, 1200] },
        seconds: [600, 600],
        level: [0.3, 0.3],
      },
    },
    run: 0,
    fromMs: 0,
    toMs: HOUR_MS,
    shown: { metric: "failures", stepMs: MINUTE_MS / 2 },
    trouble: { atMs: 20 * MINUTE_MS, text: "both fail 30 %" },
    axis: MINUTES,
  },
  {
    file: "slow",
    title: "A slow green: everything takes 1.5 times as long after ten minutes",
    scenario: {
      ...usual,
      name: "picture: slow",
      hours: 1,
      change: { atMinutes: 10, latency: { times: 1.5 } },
    },
    run: 6,
    fromMs: 5 * MINUTE_MS,
    toMs: 13 * MINUTE_MS,
    shown: { metric: "p95", stepMs: 20_000 },
    trouble: { atMs: 10 * MINUTE_MS, text: "green is slower" },
    axis: MINUTES,
  },
];
