/** Promises of the error signal: whatever both sides share is no gain, and only green's failures are one. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ODDS, ODDS_WEIGHTS, oddsGains, oddsGainsAgainst } from "../../../src/core/analysis/odds.ts";

/** A hair more than nothing: sums of a few dozen doubles. */
const ROUNDING = 1e-9;

function gains(blue: [requests: number, errors: number], green: [requests: number, errors: number]) {
  const into = new Float64Array(ODDS.length);
  const side = ([requests, errors]: [number, number]) => ({ requests, errors });
  oddsGains(side(blue), side(green), into);
  return into;
}

/** n over k. */
function choose(n: number, k: number): number {
  if (k < 0 || k > n) return 0;
  let ways = 1;
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i;
  return ways;
}

const binomial = (n: number, k: number, p: number) => choose(n, k) * p ** k * (1 - p) ** (n - k);

/** Mean of what each bet is multiplied with; `weight` of green's failures and blue's. */
function means(nB: number, nG: number, weight: (kB: number, kG: number) => number): number[] {
  const sums = ODDS.map(() => 0);
  for (let kB = 0; kB <= nB; kB++) {
    for (let kG = 0; kG <= nG; kG++) {
      const w = weight(kB, kG);
      if (w === 0) continue;
      const gained = gains([nB, kB], [nG, kG]);
      for (let i = 0; i < sums.length; i++) sums[i]! += w * Math.exp(gained[i]!);
    }
  }
  return sums;
}

describe("while both sides fail alike, no bet gains on average", () => {
  const requests = fc.integer({ min: 1, max: 12 });

  test("however many failures there are, and whatever green's share", () => {
    fc.assert(
      fc.property(requests, requests, fc.nat(24), (nB, nG, failures) => {
        const k = Math.min(failures, nB + nG);
        const hypergeometric = (kB: number, kG: number) =>
          kB + kG === k ? (choose(nB, kB) * choose(nG, kG)) / choose(nB + nG, k) : 0;
        for (const mean of means(nB, nG, hypergeometric)) expect(mean).toBeLessThanOrEqual(1 + ROUNDING);
      }),
    );
  });

  test("whatever the rate that they have in common", () => {
    const rate = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(requests, requests, rate, (nB, nG, p) => {
        const both = (kB: number, kG: number) => binomial(nB, kB, p) * binomial(nG, kG, p);
        for (const mean of means(nB, nG, both)) expect(mean).toBeLessThanOrEqual(1 + ROUNDING);
      }),
    );
  });

  test("nor when green is better than blue", () => {
    const rate = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(requests, requests, rate, rate, (nB, nG, p, part) => {
        const both = (kB: number, kG: number) => binomial(nB, kB, p) * binomial(nG, kG, p * part);
        for (const mean of means(nB, nG, both)) expect(mean).toBeLessThanOrEqual(1 + ROUNDING);
      }),
    );
  });

  test("nor against a rate that is known, when green fails no oftener than that", () => {
    const rate = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), rate, rate, (n, known, part) => {
        const sums = ODDS.map(() => 0);
        const into = new Float64Array(ODDS.length);
        for (let k = 0; k <= n; k++) {
          oddsGainsAgainst(known, { requests: n, errors: k }, into);
          for (let i = 0; i < ODDS.length; i++) sums[i]! += binomial(n, k, known * part) * Math.exp(into[i]!);
        }
        for (const mean of sums) expect(mean).toBeLessThanOrEqual(1 + ROUNDING);
      }),
    );
  });
});

const side = fc
  .tuple(fc.integer({ min: 1, max: 1e6 }), fc.nat(1e6))
  .map(([n, k]): [number, number] => [n, Math.min(n, k)]);

test("where nothing fails, nothing is said", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (nB, nG) => {
      for (const gain of gains([nB, 0], [nG, 0])) expect(gain).toBeCloseTo(0, 12);
    }),
  );
});

test("blue's failures speak for green", () => {
  fc.assert(
    fc.property(side, fc.integer({ min: 1, max: 1e6 }), ([nB, kB], nG) => {
      fc.pre(kB > 0);
      for (const gain of gains([nB, kB], [nG, 0])) expect(gain).toBeLessThan(0);
    }),
  );
});

test("a failure that is green's instead of blue's raises every bet", () => {
  fc.assert(
    fc.property(side, side, ([nB, kB], [nG, kG]) => {
      fc.pre(kB > 0 && kG < nG);
      const before = gains([nB, kB], [nG, kG]);
      gains([nB, kB - 1], [nG, kG + 1]).forEach((gain, i) => {
        expect(gain).toBeGreaterThan(before[i]!);
      });
    }),
  );
});

test("one more failure of green never lowers a bet, one more of blue never raises it", () => {
  fc.assert(
    fc.property(side, side, ([nB, kB], [nG, kG]) => {
      fc.pre(kB < nB && kG < nG);
      const before = gains([nB, kB], [nG, kG]);
      const greener = gains([nB, kB], [nG, kG + 1]);
      const bluer = gains([nB, kB + 1], [nG, kG]);
      for (let i = 0; i < ODDS.length; i++) {
        expect(greener[i]!).toBeGreaterThanOrEqual(before[i]!);
        expect(bluer[i]!).toBeLessThanOrEqual(before[i]!);
      }
    }),
  );
});

test("the stakes add up to the whole, and no bet is on a green that is better", () => {
  expect(ODDS_WEIGHTS).toHaveLength(ODDS.length);
  expect(ODDS_WEIGHTS.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  for (const odds of ODDS) expect(odds).toBeGreaterThan(1);
});
