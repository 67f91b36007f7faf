/** Promises of what rules remember: clocks that count breaches only, and whose failures are behind the evidence. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blameThrough, mostOf, newBlame } from "../../../src/core/analysis/blame.ts";
import { advance, gather, newMemory, type Timer } from "../../../src/core/analysis/rule-memory.ts";
import { newWindow, type Window } from "../../../src/core/analysis/window.ts";
import { TICK_MS } from "../../../src/core/wire/messages.ts";
import { add, NOW, windowOf } from "./counts.ts";

const GREEN = { variant: "green" } as const;

describe("the clock of a breach", () => {
  const looks = fc.array(
    fc.record({
      after: fc.nat(30_000),
      verdict: fc.constantFrom("healthy" as const, "unhealthy" as const, "insufficient" as const),
    }),
    { maxLength: 50 },
  );
  const WINDOW_MS = 20_000;

  it("counts from breach to breach, at most a window each time, from the last good look on", () => {
    fc.assert(
      fc.property(looks, (all) => {
        let timer: Timer | undefined;
        let now = NOW;
        let held = 0;
        let before: string | undefined;
        for (const { after, verdict } of all) {
          now += after;
          if (verdict === "healthy") held = 0;
          else if (verdict === "unhealthy" && before === verdict) held += Math.min(after, WINDOW_MS);
          before = verdict;
          timer = advance(timer, verdict, now, WINDOW_MS);
          expect(timer.heldMs).toBe(held);
        }
      }),
    );
  });
});

describe("blame", () => {
  const all = (window: Window) => blameThrough(newBlame(), window, Number.POSITIVE_INFINITY);

  it("never gives away more failures than there were", () => {
    const tick = fc.record({
      unitErrors: fc.nat(40),
      visitors: fc.uniqueArray(fc.nat(4095), { minLength: 1, maxLength: 32 }),
    });
    fc.assert(
      fc.property(fc.array(tick, { maxLength: 20 }), (ticks) => {
        const window = newWindow();
        for (const [i, tally] of ticks.entries()) add(window, GREEN, tally, i + 1);
        const { by, failures } = all(window);
        expect(Object.values(by).reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(failures + 1e-6);
        expect(Object.keys(by).length).toBeLessThanOrEqual(64);
      }),
    );
  });

  it("finds the one who is there again and again among those who fail once", () => {
    const window = newWindow();
    for (let i = 1; i <= 20; i++)
      add(window, GREEN, { unitErrors: i % 10 === 0 ? 2 : 1, visitors: [7, 100 + i] }, i);
    const { most, visitors } = mostOf(all(window));
    expect(visitors).toBe(21);
    // A visitor counts once a minute: in the other ticks the failure is the newcomer's.
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThan(4);
  });

  it("is the same whether it is put together in one look or in many", () => {
    const window = newWindow();
    for (let i = 1; i <= 20; i++) add(window, GREEN, { unitErrors: 2, visitors: [7, 100 + i] }, i);
    const [newest] = window.ticks.keys();
    let step = newBlame();
    for (let i = 20; i >= 0; i--) step = blameThrough(step, window, newest! - i);
    expect(step).toEqual(blameThrough(newBlame(), window, newest!));
  });
});

describe("the visitors behind the evidence", () => {
  it("are those of the last seconds while there is none, and are gathered while it grows", () => {
    const window = newWindow();
    add(window, GREEN, { unitErrors: 1, visitors: [1] }, 15);
    add(window, GREEN, { unitErrors: 1, visitors: [2] }, 2);
    const visitors = (evidence: number) =>
      Object.keys(gather(newMemory(), window, evidence, NOW).latest.by).map(Number);
    expect(visitors(1)).toEqual([2]);
    expect(visitors(1.01)).toEqual([1, 2]);
  });

  it("take in what comes late to a tick, as long as it may", () => {
    const window = windowOf([GREEN, { unitErrors: 1, visitors: [1] }]);
    const first = { ...newMemory(), ...gather(newMemory(), window, 5, NOW) };
    add(window, GREEN, { unitErrors: 1, visitors: [2] });
    const second = gather(first, window, 5, NOW + 2 * TICK_MS);
    expect(second.latest).toMatchObject({ failures: 2, by: { 1: 1, 2: 1 } });
  });
});
