import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimal, isAbove, plus, ratio } from "../../../src/core/analysis/exact.ts";

describe("exact comparison", () => {
  it("takes a decimal as it was written", () => {
    expect(decimal(0.05)).toEqual({ upper: 5n, lower: 100n });
    expect(decimal(3)).toEqual({ upper: 3n, lower: 1n });
    expect(decimal(1e-7)).toEqual({ upper: 1n, lower: 10_000_000n });
    expect(decimal(1e21)).toEqual({ upper: 10n ** 21n, lower: 1n });
  });

  it("is never above itself, and above anything smaller by one part in a million", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), (n) => {
        const limit = decimal(n / 1_000_000);
        expect(isAbove(ratio(n, 1_000_000), limit)).toBe(false);
        expect(isAbove(ratio(n + 1, 1_000_000), limit)).toBe(true);
      }),
    );
  });

  it("adds without a rounding error", () => {
    expect(isAbove(decimal(0.3), plus(decimal(0.1), decimal(0.2)))).toBe(false);
  });
});
