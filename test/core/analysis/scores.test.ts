/** Promises of the latency scores: slower is never worth less, green gets the margin, and thresholds leave room. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BUCKETS } from "../../../src/core/analysis/histogram.ts";
import { Scores, STEPS, TAILS, TILTS } from "../../../src/core/analysis/scores.ts";
import { buckets } from "./ticks.ts";

/** Blue's latencies of some minutes, of any shape. */
const latencies = fc
  .array(fc.tuple(fc.nat(BUCKETS - 1), fc.integer({ min: 1, max: 1e5 })), { minLength: 1, maxLength: 40 })
  .map((pairs) => buckets(Object.fromEntries(pairs)))
  .filter((counts) => sum(counts) >= 1000);

function sum(counts: Float64Array, from = 0): number {
  return counts.subarray(from).reduce((a, b) => a + b, 0);
}

function made(counts: Float64Array): Scores {
  const scores = new Scores();
  scores.make(counts);
  expect(scores.known).toBe(true);
  return scores;
}

/** Rounding of a double. */
const ROUNDING = 1e-12;

/** By how much the values fall at most from one bucket to the next; 0 if they never do. */
function fall(values: Float64Array): number {
  let most = 0;
  for (let i = 1; i < BUCKETS; i++) most = Math.max(most, values[i - 1]! - values[i]!);
  return most;
}

describe("for any latencies of blue", () => {
  test("a slower bucket is never worth less", () => {
    fc.assert(
      fc.property(latencies, (counts) => {
        const { z, blueTilts, greenTilts } = made(counts);
        for (const values of [z, ...blueTilts, ...greenTilts]) expect(fall(values)).toBeLessThan(ROUNDING);
      }),
    );
  });

  test("green's requests are worth no more than blue's in the same bucket, and no single one much", () => {
    fc.assert(
      fc.property(latencies, (counts) => {
        const { z, blueTilts, greenTilts } = made(counts);
        let dearer = 0;
        for (let t = 0; t < TILTS.length; t++)
          for (let i = 0; i < BUCKETS; i++)
            dearer = Math.max(dearer, greenTilts[t]![i]! / blueTilts[t]![i]! - 1);
        expect(dearer).toBeLessThan(ROUNDING);
        expect(Math.max(...z.map(Math.abs))).toBeLessThan(4);
      }),
    );
  });

  test("no more of blue lies beyond a quantile than should, but where the buckets end", () => {
    fc.assert(
      fc.property(latencies, (counts) => {
        const { steps, tails } = made(counts);
        const all = sum(counts);
        const limits = [
          ...STEPS.map(({ quantile }, s) => [steps[s]!, quantile] as const),
          ...TAILS.map((quantile, t) => [tails[t]!, quantile] as const),
        ];
        for (const [from, quantile] of limits) {
          if (from < BUCKETS - 1) expect(sum(counts, from)).toBeLessThanOrEqual(all * (1 - quantile) + 1e-6);
          // The next bucket would be too much.
          if (from > 0 && from < BUCKETS - 1)
            expect(sum(counts, from - 1)).toBeGreaterThan(all * (1 - quantile) - 1e-6);
        }
      }),
    );
  });

  test("there is some variance", () => {
    fc.assert(
      fc.property(latencies, (counts) => {
        expect(made(counts).variance).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

test("a handful of latencies says nothing", () => {
  const scores = new Scores();
  scores.make(buckets({ 50: 10 }));
  expect(scores.known).toBe(false);
  scores.make(buckets({}));
  expect(scores.known).toBe(false);
});

test("the median is worth about nothing, the margin apart", () => {
  const { z } = made(buckets(Object.fromEntries(Array.from({ length: 41 }, (_, i) => [40 + i, 100]))));
  expect(z[60]!).toBeLessThanOrEqual(0);
  expect(z[60]!).toBeGreaterThan(-0.1);
  expect(z[62]!).toBeGreaterThan(0);
});
