/** The scenarios of the bench, with what is asked of a detector in each. */
import type { Worse } from "./latency.ts";
import { HEAVY_TAIL, LOGNORMAL, TWO_HUMPS } from "./laws.ts";
import type { Change, Noise, Scenario } from "./scenario.ts";

/** What is counted: runs with a halt, or green's requests from the change to the halt (median). */
export type Measure = "halts" | "requests";

export interface Case extends Scenario {
  group: "null" | "noisy" | "cold" | "blip" | "detect" | "latency-null" | "latency";
  measure: Measure;
  /** Upper limits: a share of the runs (0..1), or requests. */
  atLeast?: number;
  aim?: number;
  /** Runs of the short and of the full form. */
  runs: readonly [number, number];
}

const WEEK = 168;
const DAY = 24;
/** History that the counters keep. */
const KNOWN = 6;
/** Runs that show a tenth of a percent, and what the short form can afford of weeks and of days. */
const FULL = 3000;
const WEEKS = [4, FULL] as const;
const DAYS = [10, FULL] as const;
/** Histograms cost ten times as much to draw and to judge. */
const LATENCY_DAYS = [2, 300] as const;
const DETECTIONS = [40, 500] as const;

const usual = { rate: 50, errorRate: 0.01, stages: [{ atHours: 0, share: 0.05 }], historyHours: KNOWN };

type Given = Partial<Scenario> & { name: string };

function quiet(scenario: Given, runs: readonly [number, number] = DAYS): Case {
  return {
    ...usual,
    hours: DAY,
    group: "null",
    measure: "halts",
    atLeast: 0.001,
    aim: 0.0005,
    runs,
    ...scenario,
  };
}

/** Green and blue are equal, nothing departs from what an ordinary test assumes but what the name says. */
const NULLS: Case[] = [
  quiet({ name: "a/a week 5 %", hours: WEEK }, WEEKS),
  quiet({ name: "a/a week 50 %", hours: WEEK, stages: [{ atHours: 0, share: 0.5 }] }, WEEKS),
  quiet({ name: "a/a week 1/s", hours: WEEK, rate: 1 }, WEEKS),
  // At night a fifth of the day's peak, as shops in one time zone have it; errors swing with a phase of their own.
  quiet({ name: "diurnal week", hours: WEEK, diurnal: { rate: 0.67, errors: 0.4 } }, WEEKS),
  quiet({
    name: "ramp",
    hours: 8,
    stages: [0.01, 0.05, 0.1, 0.25, 0.5].map((share, i) => ({ atHours: i, share })),
  }),
  quiet({
    name: "ramp 1/s",
    hours: 8,
    rate: 1,
    stages: [0.01, 0.05, 0.1, 0.25, 0.5].map((share, i) => ({ atHours: i, share })),
  }),
  // A tick of a cohort is one flush: the coarsest way of being late.
  quiet({ name: "late 10 %", late: { share: [0.1, 0.1], ticks: [1, 10], lost: 0.05 } }),
  quiet({ name: "late 30 %, green more", late: { share: [0.1, 0.3], ticks: [1, 10], lost: 0.1 } }),
  quiet({ name: "shared outages", outages: outages() }),
  quiet({
    name: "flapping outages",
    outages: outages(),
    flapping: { gap: { between: [4, 30] }, seconds: [4, 30], level: [0, 0] },
  }),
  quiet({
    name: "outages of a ramp",
    hours: 8,
    outages: outages(),
    stages: [0.05, 0.25, 0.5].map((share, i) => ({ atHours: 2 * i, share })),
  }),
  quiet({
    name: "outages, late 20 %",
    outages: outages(),
    late: { share: [0.2, 0.2], ticks: [1, 10], lost: 0.05 },
  }),
  quiet({ name: "10 % worse week", hours: WEEK, greenTimes: 1.1 }, WEEKS),
  // Probes and queues come evenly: less variance than Poisson.
  quiet({ name: "even arrivals", arrivals: "even" }),
];

/** Six a day on average, in blue's history too. */
function outages() {
  return { gap: { mean: 4 * 3600 }, seconds: [300, 1200], level: [0.05, 0.5] } as const;
}

/** [name, noise, share of false halts that is allowed with history] */
const NOISES: readonly [string, Noise, number][] = [
  // As spread as an exponential from tick to tick: blue's counts have twice the variance of Poisson.
  ["beta each tick", { kind: "beta", everyS: 2, cv: 1 }, 0.01],
  // Blue's minutes have eight times the variance of Poisson, green's (150 requests) 1.4 times.
  ["beta each minute", { kind: "beta", everyS: 60, cv: 0.5 }, 0.01],
  ["beta each minute, by slice", { kind: "beta", everyS: 60, cv: 1, perSlice: true }, 0.01],
  ["clusters", { kind: "clusters", meanSize: 4.5, gapS: 1.5 }, 0.01],
  ["clusters, slow", { kind: "clusters", meanSize: 4.5, gapS: 5 }, 0.01],
  ["bursts 1/h", { kind: "bursts", episodes: bursts(3600) }, 0.03],
  ["bursts 2/h", { kind: "bursts", episodes: bursts(1800) }, 0.03],
  [
    "bursts of a slice",
    // All of a sixteenth of the users: some customer's broken integration.
    { kind: "slice-bursts", episodes: { gap: { mean: 1800 }, seconds: [5, 60], level: [0.5, 1] } },
    0.03,
  ],
  ["wander 15 %, 10 min", { kind: "wander", sd: 0.15, tauS: 600 }, 0.01],
  ["wander 15 %, 1 h", { kind: "wander", sd: 0.15, tauS: 3600 }, 0.01],
  ["wander 30 %, 10 min", { kind: "wander", sd: 0.3, tauS: 600 }, 0.05],
  ["wander 30 %, 1 h", { kind: "wander", sd: 0.3, tauS: 3600 }, 0.05],
];

function bursts(meanGapS: number) {
  return { gap: { mean: meanGapS }, seconds: [5, 60], level: [10, 20] } as const;
}

const NOISY: Case[] = NOISES.flatMap(([name, noise, atLeast]) => [
  quiet({ name, noise, group: "noisy", atLeast, aim: 0.001 } as Given),
  quiet({ name: `${name}, cold`, noise, historyHours: 0, group: "cold", atLeast: 0.05, aim: 0.01 } as Given),
]);

/** One blip in each run, ten minutes after the start. */
function blip(name: string, onceAt: readonly [number, number], historyHours: number): Case {
  return quiet({
    name,
    rate: 1000,
    hours: 0.5,
    historyHours,
    blip: { gap: { onceAt }, seconds: [4, 4], level: [0.5, 0.5] },
    group: "blip",
    atLeast: 0.01,
    aim: 0,
  } as Given);
}

const BLIPS: Case[] = [
  blip("4 s blip, on the tick", [600, 600], KNOWN),
  blip("4 s blip, any phase", [600, 602], KNOWN),
  blip("4 s blip, any phase, cold", [600, 602], 0),
  blip("4 s blip at the start", [2, 4], KNOWN),
];

interface Wanted {
  atLeast?: number;
  aim?: number;
  /** Hours after the change within which the halt is to come. */
  within?: number;
}

function worse(name: string, change: Change, wanted: Wanted, more: Partial<Scenario> = {}): Case {
  const { within = 6, ...asked } = wanted;
  return {
    ...usual,
    name,
    hours: change.atMinutes / 60 + within,
    group: "detect",
    measure: "requests",
    runs: DETECTIONS,
    change,
    ...asked,
    ...more,
  };
}

const from = (errorRate: number, atMinutes = 0): Change => ({ atMinutes, errorRate });
const half = { stages: [{ atHours: 0, share: 0.5 }] };
/** Both fail for ten minutes in the middle of the first half hour. */
const earlier = (level: number) =>
  ({ outages: { gap: { onceAt: [1200, 1200] }, seconds: [600, 600], level: [level, level] } }) as const;

const WARM: Case[] = [
  worse("1 to 2 %", from(0.02), { atLeast: 2800, aim: 2200 }),
  worse("1 to 5 %", from(0.05), { atLeast: 285, aim: 220, within: 1 }),
  worse("1 to 50 %", from(0.5), { atLeast: 20, aim: 12, within: 1 }),
  worse("0.1 to 0.3 %", from(0.003), { atLeast: 8300, aim: 6500, within: 12 }, { errorRate: 0.001 }),
  worse("1 to 2 % at half", from(0.02), { atLeast: 5900, aim: 4600 }, half),
  worse("1/s 1 to 5 %", from(0.05), { atLeast: 300, aim: 220, within: 24 }, { rate: 1 }),
  worse("1/s 1 to 50 %", from(0.5), { atLeast: 13, aim: 8, within: 6 }, { rate: 1 }),
  worse("1 to 2 % after 1 h", from(0.02, 60), { atLeast: 4300, aim: 3400 }),
  worse("1 to 5 % after 1 h", from(0.05, 60), { atLeast: 490, aim: 350, within: 2 }),
  worse("1 to 50 % after 1 h", from(0.5, 60), { atLeast: 33, aim: 15, within: 1 }),
  worse("1 to 50 % after 1 h, any phase", { ...from(0.5, 60), anyPhase: true }, { within: 1 }),
  worse("1 to 5 % after a day", from(0.05, 1440), { atLeast: 620, aim: 400, within: 2 }),
  worse(
    "1 to 5 % after an outage of 5 %",
    from(0.05, 60),
    { atLeast: 1250, aim: 500, within: 2 },
    earlier(0.05),
  ),
  worse("1 to 5 % after an outage of 30 %", from(0.05, 60), { within: 2 }, earlier(0.3)),
  worse("clusters 1 to 5 %", from(0.05), {}, { noise: { kind: "clusters", meanSize: 4.5, gapS: 1.5 } }),
  worse("wander 30 % 1 to 5 %", from(0.05), {}, { noise: { kind: "wander", sd: 0.3, tauS: 600 } }),
];

/** The same from a cold start; what is asked for is asked with history. */
const COLD: Case[] = WARM.map(({ atLeast: _atLeast, aim: _aim, ...known }) => ({
  ...known,
  name: `${known.name}, cold`,
  historyHours: 0,
}));

function timed(name: string, atLeast: number, aim: number, latency: Worse, atMinutes = 0): Case {
  return worse(name, { atMinutes, latency }, { atLeast, aim, within: 1 }, {
    group: "latency",
    historyHours: 1,
    latency: { law: LOGNORMAL },
  } as Partial<Scenario>);
}

const SLOWER: Case[] = [
  timed("latency x 1.5", 105, 60, { times: 1.5 }),
  timed("slowest 16 % x 1.5", 320, 200, { slowest: { share: 0.16, times: 1.5 } }),
  timed("5 % + 2 s", 185, 100, { some: { share: 0.05, plusMs: 2000 } }),
  timed("latency + 100 ms", 40, 25, { plusMs: 100 }),
  timed("latency x 1.5 after 1 h", 195, 120, { times: 1.5 }, 60),
];

/** Nothing is asked for on other bases; they show whether the figures hang on the lognormal. */
const SLOWER_ELSEWHERE: Case[] = [
  { ...SLOWER[0]!, name: "two humps x 1.5", latency: { law: TWO_HUMPS } },
  { ...SLOWER[0]!, name: "heavy tail x 1.5", latency: { law: HEAVY_TAIL } },
].map(({ atLeast: _atLeast, aim: _aim, ...rest }) => rest);

function even(
  name: string,
  latency: Scenario["latency"] & object,
  runs: readonly [number, number] = LATENCY_DAYS,
): Case {
  return quiet({ name, historyHours: 1, latency, group: "latency-null" } as Given, runs);
}

const EQUALLY_FAST: Case[] = [
  even("latency a/a", { law: LOGNORMAL }),
  even("latency a/a, two humps", { law: TWO_HUMPS }),
  even("latency a/a, heavy tail", { law: HEAVY_TAIL }),
  { ...even("latency a/a at half", { law: LOGNORMAL }), ...half },
  // Both twice as slow for minutes, six times a day.
  even("latency shared slow-down", {
    law: LOGNORMAL,
    shared: { gap: { mean: 4 * 3600 }, seconds: [120, 600], level: [2, 2] },
  }),
  even("latency diurnal", { law: LOGNORMAL, swing: 0.3 }),
  // Practically equal: less than a bucket.
  even("latency green 5 % slower", { law: LOGNORMAL, green: { times: 1.05 } }),
  even("latency wandering 5 %", { law: LOGNORMAL, wander: { sd: 0.05, tauS: 600 } }),
];

export const CASES: readonly Case[] = [
  ...NULLS,
  ...NOISY,
  ...BLIPS,
  ...WARM,
  ...COLD,
  ...EQUALLY_FAST,
  ...SLOWER,
  ...SLOWER_ELSEWHERE,
];
