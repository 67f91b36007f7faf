/** Promises of the figures behind a sentence: they count from where evidence began to rise, for each signal by itself. */
import { expect, test } from "vitest";
import { bucketOf } from "../../../src/core/analysis/histogram.ts";
import { Since } from "../../../src/core/analysis/since.ts";
import { buckets } from "./ticks.ts";

const BLUE = { requests: 90, errors: 1 };
const GREEN = { requests: 10, errors: 2 };

test("counts both sides while a signal rises, and begins anew when it does not", () => {
  const since = new Since();
  since.observe(BLUE, GREEN, undefined, true, false);
  since.observe(BLUE, GREEN, undefined, true, true);
  expect(since.counts("errors")).toEqual({
    blue: { requests: 180, errors: 2 },
    green: { requests: 20, errors: 4 },
  });
  expect(since.counts("latency")).toEqual({ blue: BLUE, green: GREEN });
  since.observe(BLUE, GREEN, undefined, false, true);
  expect(since.counts("errors").green).toEqual({ requests: 0, errors: 0 });
  expect(since.counts("latency").green).toEqual({ requests: 20, errors: 4 });
});

test("what it tells is a copy", () => {
  const since = new Since();
  since.observe(BLUE, GREEN, undefined, true, true);
  since.counts("errors").green.requests = 999;
  since.counts("errors").blue.errors = 999;
  expect(since.counts("errors")).toEqual({ blue: BLUE, green: GREEN });
});

test("names the quantile by which green is slowest, with both sides' milliseconds", () => {
  const since = new Since();
  const blue = buckets({ [bucketOf(100)]: 97, [bucketOf(200)]: 3 });
  const green = buckets({ [bucketOf(100)]: 91, [bucketOf(2000)]: 9 });
  since.observe(BLUE, GREEN, green, false, true);
  const slower = since.slower(blue)!;
  expect(slower.quantile).toBe(0.95);
  // Milliseconds of a bucket are right to 4.5 %.
  expect(slower.blueMs / 100).toBeCloseTo(1, 1);
  expect(slower.greenMs / 2000).toBeCloseTo(1, 1);
});

test("says nothing of latency where there is none", () => {
  const since = new Since();
  expect(since.slower(buckets({ 50: 100 }))).toBeUndefined();
  since.observe(BLUE, GREEN, buckets({ 50: 100 }), false, true);
  expect(since.slower(buckets({}))).toBeUndefined();
  since.observe(BLUE, GREEN, buckets({ 50: 100 }), false, false);
  expect(since.slower(buckets({ 50: 100 }))).toBeUndefined();
});

test("forgets all with the release", () => {
  const since = new Since();
  since.observe(BLUE, GREEN, buckets({ 50: 100 }), true, true);
  since.restart();
  for (const signal of ["errors", "latency"] as const)
    expect(since.counts(signal)).toEqual({
      blue: { requests: 0, errors: 0 },
      green: { requests: 0, errors: 0 },
    });
  expect(since.slower(buckets({ 50: 100 }))).toBeUndefined();
});
