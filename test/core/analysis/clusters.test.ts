/** Promises of the clusters: failures that come together in a slice weaken evidence, what befalls all slices does not. */
import { describe, expect, test } from "vitest";
import type { Side } from "../../../src/core/analysis/comparing.ts";
import { Forgiveness } from "../../../src/core/analysis/forgiveness.ts";
import { SLICES } from "../../../src/core/analysis/tally.ts";
import { chance, Even, HOUR_TICKS, NONE, Random, Run, STRENGTHS, strengthsAfter } from "./ticks.ts";

const REQUESTS = 95;

/** Clusters alone are presumed. */
const known = () => new Forgiveness({ clusters: true, noise: 0, wander: 0, bursts: 0 });

/** Now and then a visitor fails `size` times within a tick; one failure in a hundred requests in all. */
function clustered(size: number, seed = 0, rate = 0.01): () => Side {
  const random = new Random("clustered", seed);
  return () => {
    const slices = new Uint16Array(SLICES);
    if (random.uniform() < (REQUESTS * rate) / size) slices[Math.floor(random.uniform() * SLICES)] = size;
    return { requests: REQUESTS, errors: slices.reduce((a, b) => a + b), slices };
  };
}

function plain(seed: number, rate: (tick: number) => number = () => 0.01): (tick: number) => Side {
  const random = new Random("plain", seed);
  return (tick) => chance(random, REQUESTS, rate(tick));
}

describe("six hours of blue", () => {
  test("whose failures come in clusters weaken every bet, the more the larger the clusters", () => {
    const [small, large] = [3, 9].map((size) => strengthsAfter(known(), 6 * HOUR_TICKS, clustered(size)));
    small!.forEach((strength, i) => {
      expect(strength).toBeLessThan(1);
      expect(large![i]!).toBeLessThan(strength);
    });
  });

  test("weaken bets on large odds no less, for clusters have long tails", () => {
    const strengths = strengthsAfter(known(), 6 * HOUR_TICKS, clustered(4));
    expect(strengths).toEqual(strengths.toSorted((a, b) => b - a));
  });

  test("whose failures are by chance leave evidence at full strength, but for bad luck", () => {
    const weakest = [0, 1, 2, 3, 4].map((seed) =>
      Math.min(...strengthsAfter(known(), 6 * HOUR_TICKS, plain(seed))),
    );
    expect(weakest.toSorted((a, b) => a - b)[2]).toBe(1);
    expect(Math.min(...weakest)).toBeGreaterThan(0.5);
  });

  test("whose failures come more evenly than chance leave it there, too", () => {
    const even = new Even();
    const strengths = strengthsAfter(known(), 6 * HOUR_TICKS, () => even.side(100, 0.01));
    expect(strengths).toEqual(strengths.map(() => 1));
  });

  test("with an outage that fell on all slices, and on green, are no clusters", () => {
    const rate = (tick: number) => (tick > 3 * HOUR_TICKS && tick < 3 * HOUR_TICKS + 300 ? 0.3 : 0.01);
    const weakest = Math.min(
      ...strengthsAfter(known(), 6 * HOUR_TICKS, plain(5, rate), { green: plain(6, rate) }),
    );
    expect(weakest).toBeGreaterThan(0.5);
  });

  test("without slices tell clusters from moment to moment", () => {
    const bare = (source: (tick: number) => Side) => (tick: number) => {
      const { requests, errors } = source(tick);
      return { requests, errors };
    };
    const calm = [0, 1, 2].map((seed) =>
      Math.min(...strengthsAfter(known(), 6 * HOUR_TICKS, bare(plain(seed)))),
    );
    expect(calm.toSorted()[1]).toBe(1);
    for (const strength of strengthsAfter(known(), 6 * HOUR_TICKS, bare(clustered(6))))
      expect(strength).toBeLessThan(0.5);
  });

  test("with a few large clusters among many single failures weaken evidence as far as one of them would go", () => {
    const random = new Random("rare clusters", 0);
    const single = plain(7);
    const rare = (tick: number): Side => {
      const side = single(tick);
      const slices = Array.from(side.slices ?? []);
      // Once in 20 minutes one visitor fails forty times.
      if (random.uniform() < 1 / 600) slices[Math.floor(random.uniform() * SLICES)]! += 40;
      return { ...side, errors: slices.reduce((a, b) => a + b, 0), slices };
    };
    const strengths = strengthsAfter(known(), 6 * HOUR_TICKS, rare);
    // 40 failures at odds of 30 would be worth 136 nats.
    expect(strengths.at(-1)!).toBeLessThanOrEqual(0.07);
  });
});

test("before blue was watched, clusters are presumed", () => {
  for (const strength of strengthsAfter(known(), 0, () => NONE)) {
    expect(strength).toBeGreaterThan(0);
    expect(strength).toBeLessThan(1);
  }
});

test("clusters that are over are forgotten within days", () => {
  const after = known();
  const before = Math.min(...strengthsAfter(after, 3 * HOUR_TICKS, clustered(5)));
  const random = new Random("over", 0);
  const later = 72 * HOUR_TICKS;
  for (let tick = 3 * HOUR_TICKS + 1; tick <= 3 * HOUR_TICKS + later; tick++)
    after.observe(tick * 2000, 2000, chance(random, 20, 0.01), undefined);
  expect(Math.min(...strengthsAfter(after, 0, () => NONE))).toBeGreaterThan(before);
});

describe("the strength that a comparison shows", () => {
  /** Hours of a blue, and one tick with green. */
  function shown(hours: number, blue: (tick: number) => Side): number {
    const run = new Run({ signals: ["errors"] });
    for (let tick = 1; tick <= hours * HOUR_TICKS; tick++) run.tick(blue(tick));
    run.stage(0.05);
    return run.tick(blue(0), { requests: 5, errors: 0 }).strength;
  }

  test("is one of those that are kept, and less for clusters than for chance", () => {
    const [alone, together] = [shown(6, plain(1)), shown(6, clustered(6))];
    expect(STRENGTHS).toContain(alone);
    expect(STRENGTHS).toContain(together);
    expect(together).toBeLessThan(alone);
  });

  test("does not hang on what green does within the first minute", () => {
    const [calm, bad] = [0, 40].map((errors) => {
      const run = new Run({ signals: ["errors"] });
      const blue = plain(2);
      for (let tick = 1; tick <= HOUR_TICKS; tick++) run.tick(blue(tick));
      run.stage(0.3);
      let strength = Number.NaN;
      for (let i = 0; i < 20; i++) strength = run.tick(blue(0), { requests: 40, errors }).strength;
      return strength;
    });
    expect(bad).toBe(calm);
  });
});
