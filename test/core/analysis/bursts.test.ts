/** Promises of the bursts: what blue does now and then is not held against green, what it never does is. */
import { describe, expect, test } from "vitest";
import type { Side } from "../../../src/core/analysis/comparing.ts";
import { Forgiveness } from "../../../src/core/analysis/forgiveness.ts";
import { chance, HOUR_TICKS, Random, STRENGTHS, strengthsAfter } from "./ticks.ts";

const RATE = 0.01;
const REQUESTS = 100;
/** Half a minute, in ticks. */
const BURST = 15;

/** Bursts alone are presumed. */
const known = (bursts = 0.1) => new Forgiveness({ clusters: false, noise: 0, wander: 0, bursts });

/** Blue with a burst of `times` its rate for half a minute, so many times an hour. */
function bursting(perHour: number, times: number, seed = 0): (tick: number) => Side {
  const random = new Random("bursting", seed);
  const every = perHour > 0 ? HOUR_TICKS / perHour : Number.POSITIVE_INFINITY;
  return (tick) => chance(random, REQUESTS, tick % every >= every - BURST ? times * RATE : RATE);
}

const sum = (values: number[]) => values.reduce((a, b) => a + b);
const SIX_HOURS = 6 * HOUR_TICKS;

describe("six hours of blue", () => {
  test("with bursts now and then weaken the bets that one of them in green would win", () => {
    const [never, now] = [bursting(0, 1), bursting(2, 20)].map((blue) =>
      strengthsAfter(known(), SIX_HOURS, blue),
    );
    expect(sum(now!)).toBeLessThan(sum(never!));
    for (let i = 0; i < now!.length; i++) expect(now![i]!).toBeLessThanOrEqual(never![i]!);
  });

  test("with larger bursts weaken them no less", () => {
    const [small, large] = [5, 40].map((times) =>
      sum(strengthsAfter(known(), SIX_HOURS, bursting(2, times))),
    );
    expect(large!).toBeLessThanOrEqual(small!);
  });

  test("with bursts that green shared weaken them less than with bursts of blue alone", () => {
    const alone = strengthsAfter(known(), SIX_HOURS, bursting(2, 20));
    const shared = strengthsAfter(known(), SIX_HOURS, bursting(2, 20), { green: bursting(2, 20, 1) });
    expect(sum(shared)).toBeGreaterThan(sum(alone));
  });

  test("in which there was one burst weaken them still", () => {
    const once = (random: Random, times: number) => (tick: number) =>
      chance(random, REQUESTS, tick >= HOUR_TICKS && tick < HOUR_TICKS + BURST ? times * RATE : RATE);
    const [none, one] = [1, 30].map((times) =>
      sum(strengthsAfter(known(), SIX_HOURS, once(new Random("once", 0), times))),
    );
    expect(one!).toBeLessThan(none!);
  });
});

test("bursts are presumed at first, and no longer after a night without any", () => {
  const [calm, wary] = [0, 1].map(
    (bursts) => (ticks: number) => sum(strengthsAfter(known(bursts), ticks, bursting(0, 1))),
  );
  expect(wary!(60)).toBeLessThan(calm!(60));
  expect(wary!(12 * HOUR_TICKS)).toBe(calm!(12 * HOUR_TICKS));
});

test("a blue that fails for the first time is no burst to a rate that is not known", () => {
  const first = (tick: number) => ({ requests: REQUESTS, errors: tick === 100 ? 50 : 0 });
  for (const strength of strengthsAfter(known(), 200, first)) expect(STRENGTHS).toContain(strength);
});
