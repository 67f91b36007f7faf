/** How others decide that a canary is bad, behind the same plug: what they are known for, good and bad. */

import { BUCKETS } from "../../src/core/analysis/histogram.ts";
import { type Create, type Detector, TICK_MS } from "./plug.ts";
import { rankSum } from "./rank-sum.ts";
import { Trailing } from "./trailing.ts";

const MINUTE_MS = 60_000;
const MINUTE_TICKS = MINUTE_MS / TICK_MS;
/** Normal quantiles: 5 % on one side, 1 % on both. */
const Z_5_ONE_SIDED = 1.645;
const Z_1_TWO_SIDED = 2.576;

/** The lower bound of bucket 80 is 1 s, and 8 buckets double. */
const BUCKETS_BELOW_1_S = 80;
const BUCKETS_PER_OCTAVE = 8;

interface Counts {
  requests: number;
  errors: number;
}

/** A rule that looks at both cohorts whenever green's counts of a tick are in. */
function each(tick: (tMs: number, blue: Counts, green: Counts) => boolean): Detector {
  const blue = { requests: 0, errors: 0 };
  const green = { requests: 0, errors: 0 };
  return {
    onStage: () => {},
    observe: (tMs, cohort, requests, errors) => {
      const counts = cohort === "blue" ? blue : green;
      counts.requests = requests;
      counts.errors = errors;
      return cohort === "green" && tick(tMs, blue, green) ? "halt" : "ok";
    },
  };
}

/** A rule that looks once a minute, at the counts of that minute. */
function minutely(look: (blue: Counts, green: Counts) => boolean): Detector {
  const minute = { blue: { requests: 0, errors: 0 }, green: { requests: 0, errors: 0 } };
  return each((tMs, blue, green) => {
    add(minute.blue, blue);
    add(minute.green, green);
    if (tMs % MINUTE_MS !== 0) return false;
    const bad = look(minute.blue, minute.green);
    clear(minute.blue);
    clear(minute.green);
    return bad;
  });
}

function add(to: Counts, counts: Counts): void {
  to.requests += counts.requests;
  to.errors += counts.errors;
}

function clear(counts: Counts): void {
  counts.requests = 0;
  counts.errors = 0;
}

function rate({ requests, errors }: Counts): number {
  return requests === 0 ? 0 : errors / requests;
}

/** Halts when the success rate of green was below `least` in `failures` minutes; they need not follow each other. */
function successRate(least: number, failures: number): Create {
  return () => {
    let failed = 0;
    return minutely((_blue, green) => {
      if (1 - rate(green) < least) failed += 1;
      return failed >= failures;
    });
  };
}

/** Flagger: `request-success-rate` of 99 % in its documents' example, a check a minute, rollback at 5 failed checks. */
const flagger = successRate(0.99, 5);

/** Argo Rollouts: `successCondition: result[0] >= 0.95` each minute, `failureLimit: 3`: the fourth failure aborts. */
const argo = successRate(0.95, 4);

/**
 * Kayenta, Spinnaker's canary judge: each hour a Mann-Whitney test of that hour's minutes, green's error rates
 * against blue's; it asks for 50 points. Level 1 % on both sides, halting on the upper: 14 good weeks in
 * 100. (Kayenta's own default is 2 %, together with a tolerance on the size of the effect.)
 */
const kayenta: Create = () => {
  const hour = 60;
  const blueRates: number[] = [];
  const greenRates: number[] = [];
  return minutely((blue, green) => {
    blueRates.push(rate(blue));
    greenRates.push(rate(green));
    if (greenRates.length < hour) return false;
    const z = rankSum(greenRates, blueRates);
    blueRates.length = 0;
    greenRates.length = 0;
    return z > Z_1_TWO_SIDED;
  });
};

/** What people write first: green's error rate of the last minute is 2 points above blue's, looked at each tick. */
const naive: Create = () => {
  const points = 0.02;
  const last = { blue: new Trailing(MINUTE_TICKS), green: new Trailing(MINUTE_TICKS) };
  return each((_tMs, blue, green) => {
    last.blue.add(blue.requests, blue.errors);
    last.green.add(green.requests, green.errors);
    return last.green.full && rate(last.green) > rate(last.blue) + points;
  });
};

/**
 * A z-test of the difference of two proportions each minute, on all that was counted since the start, at 5 % on one
 * side, as if it were the only look. The level decides how often it halts a good week: at 5 % it is 45 in 100, at 0.1 %
 * about 3.
 */
const zTest: Create = () => {
  const all = { blue: { requests: 0, errors: 0 }, green: { requests: 0, errors: 0 } };
  return minutely((blue, green) => {
    add(all.blue, blue);
    add(all.green, green);
    const variance = variancePer(all.blue) + variancePer(all.green);
    return rate(all.green) - rate(all.blue) > Z_5_ONE_SIDED * Math.sqrt(variance);
  });
};

/** Variance of the rate. */
function variancePer(counts: Counts): number {
  return (rate(counts) * (1 - rate(counts))) / Math.max(1, counts.requests);
}

/**
 * Netflix: sequential test of counting processes (Lindon, Sanden, Shirikian, "Rapid Regression Detection in Software
 * Deployments through Sequential Testing", 2022). Of the errors, green's share is its share of the traffic; against
 * it stands a beta mixture around that share, worth this many errors.
 */
const netflix: Create = () => {
  const worth = 20;
  const alpha = 0.001;
  let share = 0;
  let logFactor = 0;
  let k = { blue: 0, green: 0 };
  return {
    onStage: (_tMs, greenShare) => {
      share = greenShare;
      k = { blue: 0, green: 0 };
    },
    observe: (_tMs, cohort, _requests, errors) => {
      if (share === 0) return "ok";
      const prior = cohort === "green" ? share : 1 - share;
      for (let i = 0; i < errors; i++) {
        logFactor += Math.log((worth * prior + k[cohort]) / (worth + k.blue + k.green) / prior);
        k[cohort] += 1;
      }
      const worse = k.green > share * (k.blue + k.green);
      return cohort === "green" && worse && logFactor >= -Math.log(alpha) ? "halt" : "ok";
    },
  };
};

/** The usual latency alert: each minute, was green's p95 of that minute above 1.5 times blue's? */
const p95: Create = () => {
  const times = 1.5;
  const minute = { blue: new Uint32Array(BUCKETS), green: new Uint32Array(BUCKETS) };
  let staged = false;
  return {
    onStage: () => {
      staged = true;
    },
    observe: (tMs, cohort, _requests, _errors, latency) => {
      if (!staged || latency === undefined) return "ok";
      const counts = minute[cohort];
      for (let i = 0; i < BUCKETS; i++) counts[i]! += latency[i]!;
      if (cohort === "blue" || tMs % MINUTE_MS !== 0) return "ok";
      const slow = quantileOf(minute.green, 0.95) > times * quantileOf(minute.blue, 0.95);
      minute.blue.fill(0);
      minute.green.fill(0);
      return slow ? "halt" : "ok";
    },
  };
};

/** The q-quantile (0..1) in seconds, geometric between the bounds of its bucket as Prometheus does; NaN when empty. */
function quantileOf(counts: Uint32Array, q: number): number {
  let left = q * counts.reduce((sum, count) => sum + count, 0);
  for (let i = 0; i < BUCKETS; i++) {
    const count = counts[i]!;
    if (count > 0 && left <= count) return 2 ** ((i - BUCKETS_BELOW_1_S + left / count) / BUCKETS_PER_OCTAVE);
    left -= count;
  }
  return Number.NaN;
}

/** By the name in the table; those that look at errors, and those that look at latency. */
export const ERROR_RIVALS: Readonly<Record<string, Create>> = {
  "+2 points": naive,
  "z-test": zTest,
  Flagger: flagger,
  Argo: argo,
  Kayenta: kayenta,
  Netflix: netflix,
};

export const LATENCY_RIVALS: Readonly<Record<string, Create>> = { "p95 x 1.5": p95 };
