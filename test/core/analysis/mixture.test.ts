/** Promises of the mixture of bets: it is worth 1 until something speaks, no moment makes it large, and chance rarely does. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Mixture, type MixtureConfig } from "../../../src/core/analysis/mixture.ts";
import { ODDS, ODDS_WEIGHTS, oddsGains } from "../../../src/core/analysis/odds.ts";
import { StateReader, StateWriter } from "../../../src/core/analysis/state-io.ts";
import { Random } from "./ticks.ts";

const THOUSAND = Math.log(1000);
const GUARD_S = 4.5;
const FULL = ODDS.map(() => 1);

function mixture(parts: Partial<MixtureConfig> = {}): Mixture {
  return new Mixture({
    weights: ODDS_WEIGHTS,
    strengths: [1],
    guardS: GUARD_S,
    threshold: THOUSAND,
    ...parts,
  });
}

const single = (parts: Partial<MixtureConfig> = {}) => mixture({ weights: [1], ...parts });

const seconds = fc.double({ min: 0.1, max: 30, noNaN: true });
const age = fc.double({ min: 0, max: 1e6, noNaN: true });
const gain = fc.oneof(
  fc.double({ min: -20, max: 20, noNaN: true }),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
);

describe("the stakes", () => {
  test("add up to 1, at any age, as long as nothing was said", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(seconds, age), { maxLength: 200 }), fc.boolean(), (steps, silent) => {
        const bets = mixture();
        for (const [s, a] of steps) bets.step(s, a, silent ? undefined : [0, 0, 0, 0]);
        expect(bets.evidence(FULL)).toBeCloseTo(1, 10);
      }),
    );
  });

  test("are 1 again after a restart, whatever was won or lost", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(seconds, age, gain), { maxLength: 50 }), (steps) => {
        const bets = mixture();
        for (const [s, a, g] of steps)
          bets.step(
            s,
            a,
            ODDS.map(() => g),
          );
        bets.restart();
        expect(bets.evidence(FULL)).toBeCloseTo(1, 10);
        bets.step(2, 2, [0, 0, 0, 0]);
        expect(bets.evidence(FULL)).toBeCloseTo(1, 10);
      }),
    );
  });

  test("leave something to bet with after a day in which all bets were lost", () => {
    const bets = single();
    for (let t = 2; t <= 86_400; t += 2) bets.step(2, t, [-1]);
    for (let t = 2; t <= 60; t += 2) bets.step(2, 86_400 + t, [3]);
    expect(bets.evidence([1])).toBeGreaterThan(1000);
  });
});

test("evidence is finite and at least 0, whatever is won or lost", () => {
  const steps = fc.array(fc.tuple(seconds, age, fc.array(gain, { minLength: 4, maxLength: 4 })), {
    maxLength: 100,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const bets = mixture();
      for (const [s, a, gains] of all) {
        bets.step(s, a, gains);
        const evidence = bets.evidence(FULL);
        expect(Number.isFinite(evidence) && evidence >= 0, `evidence is ${evidence}`).toBe(true);
      }
    }),
  );
});

describe("no moment halts", () => {
  /** What four seconds are cut into, seconds. */
  const cuts = fc
    .array(fc.double({ min: 0.05, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 })
    .map((parts) => parts.map((part) => (4 * part) / parts.reduce((a, b) => a + b)));
  const wins = fc.array(fc.oneof(fc.constant(1e6), fc.double({ min: 0, max: 40, noNaN: true })), {
    minLength: 8,
    maxLength: 8,
  });

  test("a bet does not get from its stake to the threshold in four seconds, whatever it wins", () => {
    fc.assert(
      fc.property(cuts, wins, (parts, gains) => {
        const bets = single();
        let t = 0;
        parts.forEach((s, i) => {
          t += s;
          bets.step(s, t, [gains[i]!]);
        });
        expect(bets.evidence([1])).toBeLessThan(1000);
      }),
    );
  });

  test("nor after hours in which it lost", () => {
    const before = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.double({ min: -3, max: 0, noNaN: true })),
      {
        minLength: 1,
        maxLength: 3,
      },
    );
    fc.assert(
      fc.property(before, cuts, wins, (calm, parts, gains) => {
        const bets = single();
        let t = 0;
        for (const [ticks, loss] of calm) {
          for (let i = 0; i < ticks; i++) {
            t += 2;
            bets.step(2, t, [loss]);
          }
        }
        parts.forEach((s, i) => {
          t += s;
          bets.step(s, t, [gains[i]!]);
        });
        expect(bets.evidence([1])).toBeLessThan(1000);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    [10, 0],
    [20, 3600],
    [20, 86_400],
  ])("but a torrent of failures is halted within %d seconds when it comes after %d", (within, age0) => {
    const bets = mixture();
    for (let t = 2; t <= age0; t += 2) bets.step(2, t, [-0.1, -0.2, -0.3, -0.5]);
    for (let t = 2; t <= within; t += 2) bets.step(2, age0 + t, [1e4, 1e4, 1e4, 1e4]);
    expect(bets.evidence(FULL)).toBeGreaterThan(1000);
  });
});

describe("in a fair game", () => {
  /** A bet that wins `odds` with probability q, and else loses as much as makes it fair. */
  const game = fc
    .tuple(fc.double({ min: 0.001, max: 0.9, noNaN: true }), fc.double({ min: 0, max: 0.999, noNaN: true }))
    .map(([q, daring]) => {
      const win = 1 + daring * (1 / q - 1);
      return { q, win: Math.log(win), lose: Math.log((1 - q * win) / (1 - q)) };
    });

  /** Held gains are let in for fresh stakes, too, which did not win them: it is worth less than this. */
  const HELD = 1e-3;

  test("the mean is 1 at most, over every course that it can take", () => {
    fc.assert(
      fc.property(fc.array(game, { maxLength: 7 }), seconds, age, (games, s, begun) => {
        let mean = 0;
        for (let course = 0; course < 1 << games.length; course++) {
          const bets = single({ threshold: Math.log(20) });
          let p = 1;
          games.forEach(({ q, win, lose }, i) => {
            const won = (course >> i) & 1;
            p *= won ? q : 1 - q;
            bets.step(s, begun + i * s, [won ? win : lose]);
          });
          mean += p * bets.evidence([1]);
        }
        expect(mean).toBeLessThanOrEqual(1 + HELD);
      }),
    );
  });

  test("it reaches 20 once in twenty times at most, and not for want of trying", () => {
    const random = new Random("fair game", 0);
    const RUNS = 1500;
    let reached = 0;
    const into = new Float64Array(ODDS.length);
    for (let run = 0; run < RUNS; run++) {
      const bets = mixture({ threshold: Math.log(20) });
      for (let t = 2; t <= 1200; t += 2) {
        const [blue, green] = [40, 10].map((requests) => {
          let errors = 0;
          // By gaps between failures: a draw for each failure, not for each request.
          for (let at = gap(random); at <= requests; at += gap(random)) errors += 1;
          return { requests, errors };
        }) as [{ requests: number; errors: number }, { requests: number; errors: number }];
        oddsGains(blue, green, into);
        bets.step(2, t, into);
        if (bets.evidence(FULL) < 20) continue;
        reached += 1;
        break;
      }
    }
    // Three standard errors.
    expect(reached / RUNS).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / RUNS));
    expect(reached).toBeGreaterThan(0);
  });
});

/** Requests to the next failure, at a rate of 2 %. */
function gap(random: Random): number {
  return Math.ceil(Math.log(1 - random.uniform()) / Math.log(1 - 0.02)) || 1;
}

test("a bet that may be taken at less strength wins less and loses less", () => {
  const bets = single({ strengths: [1, 0.5] });
  bets.step(2, 2, [1]);
  expect(bets.evidence([1])).toBeGreaterThan(bets.evidence([0.5]));
  expect(bets.evidence([0.5])).toBeGreaterThan(1);
  for (let t = 4; t <= 20; t += 2) bets.step(2, t, [-1]);
  expect(bets.evidence([1])).toBeLessThan(bets.evidence([0.5]));
});

test("saved and read at any moment, it goes on to the last digit", () => {
  const steps = fc.array(fc.tuple(seconds, age, fc.array(gain, { minLength: 4, maxLength: 4 })), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, fc.nat(40), (all, at) => {
      let bets = mixture();
      const unbroken = mixture();
      all.forEach(([s, a, gains], i) => {
        if (i === at % all.length) {
          const writer = new StateWriter();
          bets.visit(writer);
          bets = mixture();
          bets.visit(new StateReader(writer.text()));
        }
        bets.step(s, a, gains);
        unbroken.step(s, a, gains);
        expect(bets.evidence(FULL)).toBe(unbroken.evidence(FULL));
      });
    }),
  );
});
