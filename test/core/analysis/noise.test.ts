/** Promises of the noise: a rate that wanders weakens evidence, small odds first; chance, days and outages do not. */
import { describe, expect, test } from "vitest";
import { Wander } from "../../../bench/halt/wander.ts";
import type { Side } from "../../../src/core/analysis/comparing.ts";
import { Forgiveness } from "../../../src/core/analysis/forgiveness.ts";
import { chance, HOUR_TICKS, NONE, Random, STRENGTHS, strengthsAfter, TICK_MS } from "./ticks.ts";

const RATE = 0.02;
const REQUESTS = 100;

/** Noise alone is presumed. */
const known = () => new Forgiveness({ clusters: false, noise: 0.5, wander: 0, bursts: 0 });

function blue(seed: number, rate: (tick: number) => number): (tick: number) => Side {
  const random = new Random("noise", seed);
  return (tick) => chance(random, REQUESTS, rate(tick));
}

/** A rate that wanders within minutes. */
function wandering(sd: number, seed: number): () => number {
  const wander = new Wander(sd, 300, new Random("wandering", seed));
  return () => Math.min(1, RATE * wander.advance(TICK_MS / 1000));
}

const sum = (values: number[]) => values.reduce((a, b) => a + b);

describe("half a day of blue", () => {
  const HALF_A_DAY = 12 * HOUR_TICKS;

  test("with a steady rate leaves every bet at full strength", () => {
    const strengths = strengthsAfter(
      known(),
      HALF_A_DAY,
      blue(0, () => RATE),
    );
    expect(strengths).toEqual(strengths.map(() => 1));
  });

  test("with a rate that wanders weakens the bets, on small odds first", () => {
    const strengths = strengthsAfter(known(), HALF_A_DAY, blue(1, wandering(0.4, 1)), { perSecond: 5 });
    expect(strengths[0]!).toBeLessThan(1);
    expect(strengths.at(-1)!).toBeGreaterThan(strengths[0]!);
    expect(strengths).toEqual(strengths.toSorted((a, b) => a - b));
  });

  test("weakens them the more, the more it wanders", () => {
    const [none, some, much] = [0.001, 0.3, 0.8].map((sd) =>
      sum(strengthsAfter(known(), HALF_A_DAY, blue(2, wandering(sd, 2)), { perSecond: 5 })),
    );
    expect(some!).toBeLessThan(none!);
    expect(much!).toBeLessThan(some!);
  });

  test("weakens them the more, the more requests green has: chance no longer hides the wandering", () => {
    const [few, many] = [1, 100].map((perSecond) =>
      sum(strengthsAfter(known(), HALF_A_DAY, blue(3, wandering(0.3, 3)), { perSecond })),
    );
    expect(many!).toBeLessThan(few!);
  });
});

test("a swing over the day weakens less than wandering as far within minutes", () => {
  const daily = (tick: number) => RATE * (1 + 0.5 * Math.sin((2 * Math.PI * tick) / (24 * HOUR_TICKS)));
  const swing = strengthsAfter(known(), 24 * HOUR_TICKS, blue(4, daily), { perSecond: 5 });
  const wild = strengthsAfter(known(), 24 * HOUR_TICKS, blue(5, wandering(0.35, 5)), { perSecond: 5 });
  expect(sum(swing)).toBeGreaterThan(sum(wild));
});

test("outages that green shared weaken less than the same in blue alone", () => {
  const outages = (tick: number) => (tick % 2700 > 2500 ? 10 * RATE : RATE);
  const [alone, shared] = [undefined, blue(7, outages)].map((green) =>
    sum(strengthsAfter(known(), 6 * HOUR_TICKS, blue(6, outages), green ? { green } : {})),
  );
  expect(shared!).toBeGreaterThan(alone!);
});

test("before blue was watched, some noise is presumed, and a steady blue clears itself of it", () => {
  const presumed = strengthsAfter(known(), 0, () => NONE, { perSecond: 1e5 });
  expect(presumed[0]!).toBeLessThan(1);
  const [early, late] = [60, 12 * HOUR_TICKS].map((ticks) =>
    sum(
      strengthsAfter(
        known(),
        ticks,
        blue(8, () => RATE),
      ),
    ),
  );
  expect(late!).toBeGreaterThan(early!);
});

test("whatever blue does, some strength is found", () => {
  for (const rate of [() => 0, () => 1, wandering(1, 9), (tick: number) => Number(tick % 600 === 0)])
    for (const perSecond of [0, 0.01, 1e6])
      for (const strength of strengthsAfter(known(), HOUR_TICKS, blue(9, rate), { perSecond }))
        expect(STRENGTHS).toContain(strength);
});
