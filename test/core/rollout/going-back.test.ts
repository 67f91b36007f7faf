import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plan } from "../../../src/core/flag/plan.ts";
import { type Former, lastDifferent, lastWith, withoutRaise } from "../../../src/core/rollout/going-back.ts";

const STATES = ["off", "shadow", "canary", "on", "kill"] as const;

const former: fc.Arbitrary<Former> = fc.record({
  state: fc.constantFrom(...STATES),
  percentage: fc.integer({ min: 0, max: 100 }),
  release: fc.constantFrom("1.0", "1.1", "2.0"),
  revision: fc.integer({ min: 0, max: 100 }),
  at: fc.constant(0),
});
const green = fc
  .record({ share: fc.integer({ min: 0, max: 100_000 }), isAny: fc.boolean() })
  .map(({ share, isAny }) => ({ share: isAny ? share : 0, isAny }));
const anyPlan = fc.constantFrom(
  undefined,
  plan.parse({ stages: [{ percentage: 25, duration: 60 }, { percentage: 100 }] }),
);

/** The most that visitors get of a state, in thousandths of a percent: whole ones, for binary fractions are none. */
function most({ state, percentage }: Pick<Former, "state" | "percentage">, hasPlan: boolean): number {
  if (state === "on") return 100_000;
  if (state !== "canary") return 0;
  return percentage === 0 && hasPlan ? 25_000 : Math.round(percentage * 1000);
}

describe("the way back", () => {
  it("to the last state has less of green than there is now, whatever was before", () => {
    fc.assert(
      fc.property(
        fc.array(former),
        fc.constantFrom(...STATES),
        green,
        anyPlan,
        (states, state, now, plan) => {
          const to = lastDifferent(states, state, now, plan);
          if (!to) return;
          expect(to.state).not.toBe(state);
          expect(now.isAny).toBe(true);
          expect(most(to, plan !== undefined)).toBeLessThanOrEqual(now.share);
        },
      ),
    );
  });

  it("to a release has no more of green than there is now, and all of what it had where that is less", () => {
    fc.assert(
      fc.property(fc.array(former, { minLength: 1 }), green, anyPlan, (states, now, plan) => {
        const then = lastWith(states, states[0]!.release)!;
        const to = withoutRaise(then, now, plan);
        expect(to.release).toBe(then.release);
        expect(most(to, plan !== undefined)).toBeLessThanOrEqual(now.share);
        if (!to.held) expect([to.state, to.percentage]).toEqual([then.state, then.percentage]);
      }),
    );
  });
});
