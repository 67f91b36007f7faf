import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Stream } from "../../../bench/halt/streams.ts";
import { NonInferiority } from "../../../src/core/analysis/non-inferiority.ts";
import { StateReader, StateWriter } from "../../../src/core/analysis/state-io.ts";

const HALF_A_POINT = { margin: 0.005, alpha: 0.05 };

/** Minutes until the gate opens, Infinity if it does not in six hours: 50 requests a second, 5 % on green, 1 % errors. */
function minutes(run: number, greenTimes: number): number {
  const usual = {
    rate: 50,
    errorRate: 0.01,
    stages: [{ atHours: 0, share: 0.05 }],
    historyHours: 1,
    hours: 6,
  };
  const stream = new Stream({ ...usual, name: `gate ${greenTimes}`, greenTimes }, run);
  const gate = new NonInferiority(HALF_A_POINT);
  while (stream.next()) {
    if (stream.share === 0) gate.learn(stream.blue);
    else gate.observe(stream.blue, stream.green);
    if (gate.passed) return stream.endMs / 60_000;
  }
  return Number.POSITIVE_INFINITY;
}

function chances(n: number, p: number): number[] {
  const all = [(1 - p) ** n];
  for (let k = 1; k <= n; k++) all.push((all[k - 1]! * (n - k + 1) * p) / (k * (1 - p)));
  return all;
}

describe("a gate", () => {
  test("opens for a green as good as blue within half an hour, as a median", () => {
    const times = Array.from({ length: 41 }, (_, run) => minutes(run, 1)).sort((a, b) => a - b);
    expect(times[20]).toBeLessThan(30);
    expect(times.filter((time) => time === Number.POSITIVE_INFINITY)).toEqual([]);
  });

  test("opens for a green that is worse by all that is allowed once in twenty times, about", () => {
    const opened = Array.from({ length: 60 }, (_, run) => minutes(run, 1.5)).filter(Number.isFinite);
    // 5 % of 60 are 3; 9 or more come once in 500.
    expect(opened.length).toBeLessThan(9);
  });

  test("never opens for a green that fails twice as often", () => {
    expect(Array.from({ length: 20 }, (_, run) => minutes(run, 2)).filter(Number.isFinite)).toEqual([]);
  });

  test("does not open for want of traffic", () => {
    const gate = new NonInferiority(HALF_A_POINT);
    for (let i = 0; i < 10_000; i++) gate.observe({ requests: 100, errors: 1 }, { requests: 0, errors: 0 });
    expect(gate.evidence).toBeCloseTo(1, 6);
  });

  test("once open stays so", () => {
    const gate = new NonInferiority({ margin: 0.2, alpha: 0.05 });
    for (let i = 0; i < 100; i++) gate.observe({ requests: 50, errors: 0 }, { requests: 50, errors: 0 });
    expect(gate.passed).toBe(true);
    gate.observe({ requests: 50, errors: 0 }, { requests: 50, errors: 50 });
    expect(gate.passed).toBe(true);
  });
});

test("a block is fair to every green that is worse by the margin or more, whatever blue's rate is", () => {
  const arbitrary = fc.record({
    blue: fc.integer({ min: 10, max: 40 }),
    green: fc.integer({ min: 10, max: 40 }),
    rate: fc.double({ min: 0.001, max: 0.6, noNaN: true }),
    margin: fc.double({ min: 0.001, max: 0.2, noNaN: true }),
    beyond: fc.double({ min: 0, max: 0.15, noNaN: true }),
    seen: fc.integer({ min: 0, max: 2000 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ blue, green, rate, margin, beyond, seen }) => {
      const ofBlue = chances(blue, rate);
      const ofGreen = chances(green, rate + margin + beyond);
      let mean = 0;
      for (let b = 0; b <= blue; b++)
        for (let g = 0; g <= green; g++) {
          const gate = new NonInferiority({ margin, alpha: 1e-9 });
          gate.learn({ requests: 10_000, errors: seen });
          gate.observe({ requests: blue, errors: b }, { requests: green, errors: g });
          mean += ofBlue[b]! * ofGreen[g]! * gate.evidence;
        }
      expect(mean).toBeLessThanOrEqual(1 + 1e-6);
    }),
    { numRuns: 40 },
  );
});

test("saved and read at any moment, a gate goes on to the last digit", () => {
  const side = fc.record({ requests: fc.nat(200), errors: fc.nat(5) });
  fc.assert(
    fc.property(fc.array(fc.tuple(side, side), { minLength: 2, maxLength: 30 }), (ticks) => {
      const unbroken = new NonInferiority(HALF_A_POINT);
      let broken = new NonInferiority(HALF_A_POINT);
      for (const [blue, green] of ticks) {
        unbroken.observe(blue, green);
        broken.observe(blue, green);
        const writer = new StateWriter();
        broken.visit(writer);
        broken = new NonInferiority(HALF_A_POINT);
        broken.visit(new StateReader(writer.text()));
        expect(broken.evidence).toBe(unbroken.evidence);
      }
    }),
  );
});
