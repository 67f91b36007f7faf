/** Promises of the rescue budget: a bad green does not become a bad blue. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { isRescued, RescueBudget } from "../../src/router/rescue.ts";

/** A time that looks like today's. */
const T = 1_790_000_000_000;

/** May one be rescued now, whether at once or after a wait? */
const takes = (budget: RescueBudget, now: number) => budget.take(now) !== undefined;

test("five rescues in ten seconds are always allowed, the sixth is not", () => {
  const budget = new RescueBudget();
  for (let i = 0; i < 5; i++) expect(takes(budget, T)).toBe(true);
  expect(takes(budget, T)).toBe(false);
  expect(takes(budget, T + 9_999 - (T % 1000))).toBe(false);
  expect(takes(budget, T + 10_000)).toBe(true);
});

test("more than that is one rescue for five requests of blue", () => {
  const budget = new RescueBudget();
  for (let i = 0; i < 100; i++) budget.noteRequest(T);
  let taken = 0;
  while (takes(budget, T)) taken++;
  expect(taken).toBe(20);
});

test("those that come together wait for their turn: in no second does blue get a fifth more than its own", () => {
  const budget = new RescueBudget();
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 100; i++) budget.noteRequest(T + second * 1000);
  }
  const now = T + 9_500;
  const waits: number[] = [];
  for (let wait = budget.take(now); wait !== undefined; wait = budget.take(now)) waits.push(wait);
  // A fifth of 100 a second for the three seconds that anyone is let wait, and five at once.
  expect(waits).toHaveLength(65);
  expect(waits.filter((wait) => wait === 0)).toHaveLength(5);
  expect(waits.filter((wait) => wait < 1000).length).toBeLessThanOrEqual(25);
  expect(Math.max(...waits)).toBeLessThanOrEqual(3000);
});

test("in no ten whole seconds more than a fifth of blue's requests, or five", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1500), fc.boolean()), { minLength: 1, maxLength: 400 }),
      (events) => {
        const budget = new RescueBudget();
        const requests: number[] = [];
        const rescues: number[] = [];
        let now = T;
        for (const [gap, isRequest] of events) {
          now += gap;
          if (isRequest) {
            budget.noteRequest(now);
            requests.push(now);
          } else if (takes(budget, now)) rescues.push(now);
          const since = (Math.floor(now / 1000) - 9) * 1000;
          const inWindow = (times: number[]) => times.filter((at) => at >= since).length;
          // Requests that have left the window since may have paid for a rescue that is still in it.
          expect(inWindow(rescues)).toBeLessThanOrEqual(Math.max(5, Math.floor(requests.length / 5)));
        }
      },
    ),
  );
});

test("after two failures in a row blue is left alone, until it has answered one of its own or ten seconds are over", () => {
  const failing = () => {
    const budget = new RescueBudget();
    for (let i = 0; i < 2; i++) {
      expect(takes(budget, T)).toBe(true);
      budget.settle(false, T);
    }
    return budget;
  };
  expect(takes(failing(), T + 1)).toBe(false);
  const healed = failing();
  healed.noteSuccess();
  expect(takes(healed, T + 1)).toBe(true);
  expect(takes(failing(), T + 10_000)).toBe(true);
});

test("a rescue that succeeded ends the row of failures", () => {
  const budget = new RescueBudget();
  for (const ok of [false, true, false]) {
    expect(takes(budget, T)).toBe(true);
    budget.settle(ok, T);
  }
  expect(takes(budget, T)).toBe(true);
});

test.each([
  ["unreachable", 500, false],
  ["unreachable", 502, true],
  ["unreachable", 503, true],
  ["unreachable", 504, true],
  ["unreachable", 505, false],
  ["unreachable", 520, true],
  ["unreachable", 529, true],
  ["unreachable", 530, true],
  ["unreachable", 531, false],
  ["any-5xx", 500, true],
  ["any-5xx", 499, false],
  ["off", 503, false],
] as const)("by the rule %s a %i is rescued: %s", (rule, status, expected) => {
  expect(isRescued(rule, status)).toBe(expected);
});
