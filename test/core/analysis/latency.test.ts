/** Promises of the latency signal: whose the slow ones are is chance while both are alike, and slower greens are found. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { create } from "../../../bench/halt/detector.ts";
import { LOGNORMAL, TWO_HUMPS } from "../../../bench/halt/laws.ts";
import type { Scenario } from "../../../bench/halt/scenario.ts";
import { simulate } from "../../../bench/halt/simulate.ts";
import { BUCKETS } from "../../../src/core/analysis/histogram.ts";
import { LATENCY_WEIGHTS, Latency } from "../../../src/core/analysis/latency.ts";
import { buckets } from "./ticks.ts";

const ROUNDING = 1e-9;

/** Blue's latencies of some minutes. */
const history = fc
  .array(fc.tuple(fc.integer({ min: 20, max: 110 }), fc.integer({ min: 4, max: 100 })), {
    minLength: 1,
    maxLength: 15,
  })
  .map((pairs) => buckets(Object.fromEntries(pairs)));

/** A signal that knows blue. */
function knowing(blue: Float64Array): Latency {
  const latency = new Latency();
  for (let tick = 1; tick <= 200; tick++) latency.observe(tick * 2000, 2000, blue, undefined);
  return latency;
}

/** What each bet is multiplied with, or undefined where the block says nothing. */
function factors(latency: Latency, blue: Float64Array, green: Float64Array): number[] | undefined {
  const into = new Float64Array(LATENCY_WEIGHTS.length);
  return latency.gains(blue, green, into) ? [...into].map(Math.exp) : undefined;
}

test("the stakes add up to the whole", () => {
  expect(LATENCY_WEIGHTS.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
});

describe("given all latencies of a block", () => {
  test("no bet gains on average over whose they may be", () => {
    const block = fc.array(fc.integer({ min: 0, max: BUCKETS - 1 }), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(history, block, fc.nat(), (known, all, size) => {
        const latency = knowing(known);
        const greens = 1 + (size % (all.length - 1));
        const sums = LATENCY_WEIGHTS.map(() => 0);
        let ways = 0;
        for (let set = 0; set < 1 << all.length; set++) {
          const green = buckets({});
          const blue = buckets({});
          let n = 0;
          all.forEach((bucket, i) => {
            const isGreen = (set >> i) & 1;
            n += isGreen;
            (isGreen ? green : blue)[bucket]! += 1;
          });
          if (n !== greens) continue;
          ways += 1;
          factors(latency, blue, green)!.forEach((factor, i) => {
            sums[i]! += factor;
          });
        }
        for (const total of sums) expect(total / ways).toBeLessThanOrEqual(1 + ROUNDING);
      }),
      { numRuns: 60 },
    );
  });

  test("every bet gains where green is the slow half, and loses where it is the fast one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 60 }), fc.integer({ min: 1, max: 100 }), (from, n) => {
        // Blue is spread over a decade, so that its slowest thousandth lies below the slow half of the block.
        const latency = knowing(
          buckets(Object.fromEntries(Array.from({ length: 27 }, (_, i) => [from + i, 5]))),
        );
        const slow = buckets({ [from + 40]: n });
        const fast = buckets({ [from]: n });
        for (const factor of factors(latency, fast, slow)!) expect(factor).toBeGreaterThan(1);
        for (const factor of factors(latency, slow, fast)!) expect(factor).toBeLessThan(1);
      }),
    );
  });

  test("without either side, or without knowing blue, nothing is said", () => {
    const some = buckets({ 50: 10 });
    const none = buckets({});
    const latency = knowing(buckets({ 50: 10, 60: 10 }));
    expect(factors(latency, some, some)).toBeDefined();
    expect(factors(latency, none, some)).toBeUndefined();
    expect(factors(latency, some, none)).toBeUndefined();
    expect(factors(new Latency(), some, some)).toBeUndefined();
  });
});

describe("in a rollout", () => {
  const calm: Scenario = {
    name: "latency of a test",
    rate: 50,
    errorRate: 0.01,
    stages: [{ atHours: 0, share: 0.1 }],
    historyHours: 0.4,
    hours: 0.6,
    latency: { law: LOGNORMAL },
  };

  const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

  test("a green that takes half as long again is halted within 300 of its requests, mostly", () => {
    const change = { atMinutes: 0, latency: { times: 1.5 } };
    const outcomes = simulate(create, { ...calm, change }, 5);
    expect(outcomes.map(({ halted }) => halted)).toEqual([true, true, true, true, true]);
    expect(median(outcomes.map(({ greenRequests }) => greenRequests))).toBeLessThan(300);
  });

  test("one in twenty that takes two seconds longer is found", () => {
    const change = { atMinutes: 0, latency: { some: { share: 0.05, plusMs: 2000 } } };
    const outcomes = simulate(create, { ...calm, change }, 3);
    expect(outcomes.map(({ halted }) => halted)).toEqual([true, true, true]);
  });

  test.each<[string, Partial<NonNullable<Scenario["latency"]>>]>([
    ["nothing", {}],
    ["cached and uncached pages alike", { law: TWO_HUMPS }],
    [
      "both sides twice as slow for minutes",
      { shared: { gap: { mean: 900 }, seconds: [120, 300], level: [2, 2] } },
    ],
    ["a green that is slower by 5 %", { green: { times: 1.05 } }],
    ["a green that is faster", { green: { times: 0.5 } }],
  ])("%s halts nothing", (_name, latency) => {
    const scenario = { ...calm, latency: { law: LOGNORMAL, ...latency } };
    for (const { halted } of simulate(create, scenario, 2)) expect(halted).toBe(false);
  });
});
