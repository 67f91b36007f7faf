/** Promises of a rate's usual value: it is the rate, it follows the day, and a few minutes hardly move it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Usual } from "../../../src/core/analysis/usual.ts";

const STRETCH_S = 128;

/** Stretches of so many seconds with a rate that hangs on the time in seconds. */
function observed(seconds: number, rate: (s: number) => number): Usual {
  const usual = new Usual();
  for (let s = 0; s < seconds; s += STRETCH_S) usual.observe(STRETCH_S, 1000, 1000 * rate(s));
  return usual;
}

test("before anything was seen it is 0, and nothing is known", () => {
  const usual = new Usual();
  expect(usual.rate).toBe(0);
  expect(usual.weight).toBe(0);
  usual.observe(STRETCH_S, 0, 0);
  expect(usual.rate).toBe(0);
});

test("of a steady rate it is the rate, after the first stretch and after a day", () => {
  for (const seconds of [STRETCH_S, 3600, 86_400])
    expect(observed(seconds, () => 0.02).rate).toBeCloseTo(0.02, 10);
});

test("is better known with time", () => {
  const weights = [STRETCH_S, 3600, 6 * 3600, 86_400].map((seconds) => observed(seconds, () => 0.01).weight);
  expect(weights).toEqual(weights.toSorted((a, b) => a - b));
  expect(weights.at(-1)!).toBeCloseTo(1, 2);
});

test("a stretch counts by its requests", () => {
  const usual = observed(6 * 3600, () => 0.01);
  usual.observe(STRETCH_S, 1, 1);
  expect(usual.rate).toBeLessThan(0.0105);
});

test("ten minutes of an outage move it less than twofold after a night", () => {
  const usual = observed(12 * 3600, () => 0.01);
  for (let s = 0; s < 600; s += STRETCH_S) usual.observe(STRETCH_S, 1000, 30);
  expect(usual.rate).toBeGreaterThan(0.01);
  expect(usual.rate).toBeLessThan(0.02);
});

test("follows the daily swing more closely than the mean of the last hours would", () => {
  const daily = (s: number) => 0.01 * (1 + 0.4 * Math.sin((2 * Math.PI * s) / 86_400));
  let off = 0;
  let lagging = 0;
  let mean = 0.01;
  const usual = new Usual();
  for (let s = 0; s < 3 * 86_400; s += STRETCH_S) {
    usual.observe(STRETCH_S, 1000, 1000 * daily(s));
    mean += (daily(s) - mean) * (1 - Math.exp(-STRETCH_S / 7200));
    if (s < 86_400) continue;
    off = Math.max(off, Math.abs(usual.rate - daily(s)));
    lagging = Math.max(lagging, Math.abs(mean - daily(s)));
  }
  expect(off).toBeLessThan(lagging);
});

test("is a rate, whatever comes", () => {
  const stretch = fc.tuple(fc.integer({ min: 1, max: 10_000 }), fc.nat(1e6), fc.nat(1e6));
  fc.assert(
    fc.property(fc.array(stretch), (stretches) => {
      const usual = new Usual();
      for (const [seconds, items, events] of stretches) {
        usual.observe(seconds, items, items === 0 ? 0 : events);
        expect(Number.isFinite(usual.rate) && usual.rate >= 0, `the rate is ${usual.rate}`).toBe(true);
        expect(usual.weight).toBeLessThanOrEqual(1);
      }
    }),
  );
});
