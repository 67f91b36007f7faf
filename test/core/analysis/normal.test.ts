/** Promises of the normal distribution: its quantiles are those of the tables, to the error that is stated. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { normalQuantile } from "../../../src/core/analysis/normal.ts";

/** What the docstring states. */
const ERROR = 4.5e-4;

test.each([
  [0.5, 0],
  [0.6, 0.253_347_103],
  [0.75, 0.674_489_75],
  [0.8413447460685429, 1],
  [0.9, 1.281_551_566],
  [0.975, 1.959_963_985],
  [0.99, 2.326_347_874],
  [0.999, 3.090_232_306],
  [0.9999, 3.719_016_485],
  [0.999_999, 4.753_424_309],
])("the quantile of %d is %d", (p, z) => {
  expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(ERROR);
  expect(Math.abs(normalQuantile(1 - p) + z)).toBeLessThan(ERROR);
});

test("half of the way is left of the middle, and more is never less", () => {
  const p = fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true });
  fc.assert(
    fc.property(p, p, (a, b) => {
      expect(normalQuantile(a)).toBeCloseTo(-normalQuantile(1 - a), 3);
      const [low, high] = a < b ? [a, b] : [b, a];
      // The two halves meet in the middle to within the error.
      if (high - low > 1e-3) expect(normalQuantile(low)).toBeLessThan(normalQuantile(high));
    }),
  );
});
