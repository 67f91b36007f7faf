/** Promises of the simulated rollouts: drawn from the seed alone, consistent in themselves, as wild as they say. */
import { describe, expect, test } from "vitest";
import { bound } from "../../../bench/halt/bound.ts";
import { shares } from "../../../bench/halt/latency.ts";
import { Random } from "../../../bench/halt/random.ts";
import { rankSum } from "../../../bench/halt/rank-sum.ts";
import { ERROR_RIVALS } from "../../../bench/halt/rivals.ts";
import { CASES, type Case } from "../../../bench/halt/scenarios.ts";
import { simulate } from "../../../bench/halt/simulate.ts";
import { Stream } from "../../../bench/halt/streams.ts";
import { Wander } from "../../../bench/halt/wander.ts";
import { wilson } from "../../../bench/statistics.ts";

const named = (name: string): Case => CASES.find((one) => one.name === name)!;
const shortened = (one: Case): Case => ({ ...one, historyHours: Math.min(one.historyHours, 0.1) });
const sum = (counts: ArrayLike<number>) => {
  let all = 0;
  for (let i = 0; i < counts.length; i++) all += counts[i]!;
  return all;
};

/** Everything that a detector would see of the first ticks, as text. */
function seen(scenario: Case, run: number, ticks = 400): string {
  const stream = new Stream(scenario, run);
  const lines: string[] = [];
  for (let i = 0; i < ticks && stream.next(); i++) {
    const { endMs, share, blue, green } = stream;
    lines.push([endMs, share, blue.requests, blue.errors, blue.slices, green.requests, green.errors].join());
  }
  return lines.join("\n");
}

describe("each scenario", () => {
  test("has a name of its own, and wants no less than its aim", () => {
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
    expect(CASES.filter(({ atLeast, aim }) => (atLeast ?? 0) < (aim ?? 0))).toEqual([]);
  });

  test.each(CASES.map(shortened).map((one) => [one.name, one] as const))(
    "%s comes from its seed alone",
    (_name, one) => {
      const first = seen(one, 1);
      expect(seen(one, 2)).not.toBe(first);
      expect(seen(one, 1)).toBe(first);
    },
  );

  test.each(CASES.map(shortened).map((one) => [one.name, one] as const))("%s is consistent", (_name, one) => {
    const stream = new Stream(one, 0);
    const wrong: string[] = [];
    for (let tick = 0; tick < 1000 && stream.next(); tick++) {
      const { blue, green, endMs, startMs, share } = stream;
      if (endMs - startMs !== 2000) wrong.push(`tick ${tick} is no 2 s`);
      if (share > 0 !== endMs > 0) wrong.push(`tick ${tick}: green does not begin at 0`);
      if (sum(blue.slices) !== blue.errors) wrong.push(`tick ${tick}: slices are not the errors`);
      if (blue.errors > blue.requests || green.errors > green.requests)
        wrong.push(`tick ${tick}: errors only`);
      if (one.latency && sum(blue.latency) !== blue.requests)
        wrong.push(`tick ${tick}: latencies are not the requests`);
    }
    expect(wrong).toEqual([]);
  });
});

test("nothing late is counted twice, and what is lost is as much as the scenario says", () => {
  const counted = (scenario: Case) => {
    const stream = new Stream(scenario, 0);
    let requests = 0;
    while (stream.next()) requests += stream.blue.requests;
    return requests / (scenario.hours * 3600 * scenario.rate * 0.95);
  };
  const late = { ...named("late 30 %, green more"), historyHours: 0, hours: 8 };
  expect(counted({ ...late, late: { ...late.late!, lost: 0 } })).toBeCloseTo(1, 2);
  expect(counted({ ...late, late: { ...late.late!, lost: 1 } })).toBeCloseTo(0.9, 1);
});

test.each([
  ["beta each tick", 0.01],
  ["beta each minute, by slice", 0.01],
  ["clusters", 0.01],
  ["bursts of a slice", 0.01 + (32.5 / 1832.5) * (0.75 / 16)],
])("%s has the error rate it should", (name, rate) => {
  const stream = new Stream({ ...named(name), historyHours: 0, hours: 24 }, 0);
  let requests = 0;
  let errors = 0;
  while (stream.next()) {
    requests += stream.blue.requests;
    errors += stream.blue.errors;
  }
  expect(errors / requests / rate).toBeCloseTo(1, 1);
});

test("a wandering factor has mean 1 and the deviation it is asked for", () => {
  const wander = new Wander(0.3, 60, new Random("wander", 0));
  const factors = Array.from({ length: 100_000 }, () => wander.advance(10));
  const mean = sum(factors) / factors.length;
  const variance = sum(factors.map((f) => (f - mean) ** 2)) / factors.length;
  expect(mean).toBeCloseTo(1, 1);
  expect(Math.sqrt(variance)).toBeCloseTo(0.3, 1);
});

test("a bucket holds latencies up to 2^((i-79)/8) seconds", () => {
  for (const i of [0, 1, 79, 126, 127]) {
    const boundMs = 1000 * 2 ** ((i - 79) / 8);
    const just = shares([{ weight: 1, medianMs: boundMs * 0.999, sigma: 0 }], {});
    expect(just.indexOf(Math.max(...just))).toBe(i);
    const beyond = shares([{ weight: 1, medianMs: boundMs * 1.001, sigma: 0 }], {});
    expect(beyond.indexOf(Math.max(...beyond))).toBe(Math.min(127, i + 1));
  }
});

test.each([
  [0.02, 0.01, 0.05, 1885],
  [0.05, 0.01, 0.05, 184],
  [0.5, 0.01, 0.05, 5.55],
  [0.003, 0.001, 0.05, 5752],
  [0.02, 0.01, 0.5, 4006],
])("the bound of %d against %d at a share of %d is %d requests", (green, blue, w, requests) => {
  expect(bound([green, 1 - green], [blue, 1 - blue], w) / requests).toBeCloseTo(1, 2);
});

test("Wilson's interval and the rank sum give the values of the textbooks", () => {
  expect(wilson(0, 3000).high).toBeCloseTo(0.00128, 5);
  expect(wilson(10, 100).low).toBeCloseTo(0.0552, 4);
  expect(wilson(10, 100).high).toBeCloseTo(0.1744, 4);
  // Two of three above all: U = 9 of 9, standard deviation sqrt(9·7/12).
  expect(rankSum([4, 5, 6], [1, 2, 3])).toBeCloseTo(4.5 / Math.sqrt(5.25), 10);
  expect(rankSum([1, 1], [1, 1])).toBe(0);
});

test("the naive threshold halts every good week, as it does in life", () => {
  const halted = simulate(ERROR_RIVALS["+2 points"]!, named("a/a week 5 %"), 5).filter((o) => o.halted);
  expect(halted).toHaveLength(5);
});
