/** Promises of the bench's random numbers: right moments, the same ones from the same seed. */
import { describe, expect, test } from "vitest";
import { binomial, Poisson } from "../../../bench/halt/counts.ts";
import { Random } from "../../../bench/halt/random.ts";

const DRAWS = 40_000;
/** Standard errors that a moment may be off; a fixed seed makes the test the same every time. */
const SIGMAS = 4;

function expectMoments(draw: () => number, mean: number, variance: number, kurtosis = 3): void {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < DRAWS; i++) {
    const off = draw() - mean;
    sum += off;
    squares += off * off;
  }
  expect(Math.abs(sum / DRAWS)).toBeLessThan(SIGMAS * Math.sqrt(variance / DRAWS));
  const spread = variance * Math.sqrt((kurtosis - 1) / DRAWS);
  expect(Math.abs(squares / DRAWS - variance)).toBeLessThan(SIGMAS * spread);
}

test("a name and a run give the same numbers, another name or run others", () => {
  const draws = (name: string, run: number) => {
    const random = new Random(name, run);
    return Array.from({ length: 8 }, () => random.uniform());
  };
  expect(draws("a", 1)).toEqual(draws("a", 1));
  expect(draws("a", 1)).not.toEqual(draws("a", 2));
  expect(draws("a", 1)).not.toEqual(draws("b", 1));
});

describe("moments", () => {
  test.each([0.02, 0.9, 5, 11.9, 12.1, 94, 1890])("Poisson of mean %d, each time another mean", (mean) => {
    const random = new Random("poisson", 0);
    const poisson = new Poisson();
    let flip = 1;
    const draw = () => {
      flip = -flip;
      return poisson.draw(random, mean * (1 + flip * 1e-9));
    };
    expectMoments(draw, mean, mean, 3 + 1 / mean);
  });

  test.each([0.02, 0.9, 5, 11.9, 94, 1890])("Poisson of mean %d from its table", (mean) => {
    const random = new Random("poisson", 1);
    const poisson = new Poisson();
    expectMoments(() => poisson.draw(random, mean), mean, mean, 3 + 1 / mean);
  });

  test.each([
    [5, 0.01],
    [95, 0.01],
    [95, 0.6],
    [1900, 0.3],
  ])("binomial of %d trials with %d", (n, p) => {
    const random = new Random("binomial", 0);
    const variance = n * p * (1 - p);
    expectMoments(() => binomial(random, n, p), n * p, variance, 3 + (1 - 6 * p * (1 - p)) / variance);
  });

  test("normal, exponential, geometric", () => {
    const random = new Random("others", 0);
    expectMoments(() => random.normal(), 0, 1);
    expectMoments(() => random.exponential(3), 3, 9, 9);
    const success = 1 / 4.5;
    const variance = (1 - success) / success ** 2;
    expectMoments(() => random.geometric(4.5), 4.5, variance, 9 + success ** 2 / (1 - success));
  });

  test.each([1, 0.5])("beta of mean 1 % and variation %d", (cv) => {
    const random = new Random("beta", 0);
    expectMoments(() => random.beta(0.01, cv), 0.01, (0.01 * cv) ** 2, 9);
  });
});
