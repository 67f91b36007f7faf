import { expect, test } from "vitest";
import {
  beganRollback,
  checked,
  doneSentence,
  overdueSentence,
  ROLLBACK_QUIET_MS,
  sawGreen,
} from "../../../src/core/rollout/rollback-time.ts";

/** Begin of a tick. */
const T = 1_800_000_000_000;
/** In the middle of it. */
const AT = T + 600;
const budgetSeconds = 30;

test("it is not known while no isolate has reported since, however long that takes", () => {
  const state = beganRollback(AT);
  for (const heardAt of [undefined, AT - 1, AT]) {
    expect(checked(state, { now: AT + 3_600_000, heardAt, budgetSeconds })).toEqual({ state });
  }
});

test("it took nothing where green got no request after it", () => {
  const state = sawGreen(beganRollback(AT), T - 2000);
  const heardAt = AT + 1;
  expect(checked(state, { now: AT + ROLLBACK_QUIET_MS - 1, heardAt, budgetSeconds }).done).toBeUndefined();
  const { done, state: next } = checked(state, { now: AT + ROLLBACK_QUIET_MS, heardAt, budgetSeconds });
  expect(done).toBe(0);
  expect(next.tookMs).toBe(0);
});

test("it took until the end of the tick of green's last request, and 25 s without another one", () => {
  const state = [T, T + 4000, T + 2000].reduce(sawGreen, beganRollback(AT));
  const last = T + 6000;
  expect(checked(state, { now: last + 60_000, heardAt: last, budgetSeconds })).toEqual({ state });
  expect(checked(state, { now: last + 24_999, heardAt: last + 1, budgetSeconds })).toEqual({ state });
  expect(checked(state, { now: last + 25_000, heardAt: last + 1, budgetSeconds }).done).toBe(5400);
});

test("the tick in which it was decided counts: green may have been asked after it", () => {
  const { lastGreenAt } = sawGreen(beganRollback(AT), T);
  expect(lastGreenAt).toBe(T);
});

test("it is told once", () => {
  const { state, done } = checked(sawGreen(beganRollback(AT), T), {
    now: AT + 60_000,
    heardAt: AT + 30_000,
    budgetSeconds,
  });
  expect(done).toBe(1400);
  expect(checked(state, { now: AT + 90_000, heardAt: AT + 80_000, budgetSeconds })).toEqual({ state });
});

test("a time of exactly the budget is in it, one tick more is over it and told at once, and once", () => {
  const at = T;
  const within = sawGreen(beganRollback(at), T + 28_000);
  const look = { now: at + 31_000, heardAt: at + 31_000, budgetSeconds };
  expect(checked(within, look)).toEqual({ state: within });
  const { overdue, state } = checked(sawGreen(within, T + 30_000), look);
  expect(overdue).toBe(32_000);
  expect(checked(sawGreen(state, T + 40_000), look).overdue).toBeUndefined();
});

test("a batch that comes late mends the time, and alerts when it shows that the budget was exceeded", () => {
  const first = checked(beganRollback(AT), { now: AT + 30_000, heardAt: AT + 30_000, budgetSeconds });
  expect(first.done).toBe(0);
  const later = { now: AT + 200_000, heardAt: AT + 200_000, budgetSeconds };
  const mended = checked(sawGreen(first.state, T + 2000), later);
  expect(mended).toEqual({ state: { ...first.state, lastGreenAt: T + 2000, tookMs: 3400 } });
  const worse = checked(sawGreen(mended.state, T + 100_000), later);
  expect(worse.overdue).toBe(101_400);
  expect(worse.done).toBeUndefined();
  expect(worse.state.tookMs).toBe(101_400);
});

test("the sentences say the time and how exact it is", () => {
  const of = { flag: "checkout", release: "2.1.0" };
  expect(doneSentence({ ...of, tookMs: 1401 })).toBe(
    "Green of checkout 2.1.0 answered its last request at most 1.5 s after the rollback (counted in steps of 2 s)",
  );
  expect(doneSentence({ ...of, tookMs: 0 })).toBe(
    "Green of checkout 2.1.0 got no request after the rollback",
  );
  expect(overdueSentence({ ...of, afterMs: 32_000, budgetSeconds })).toBe(
    "Green of checkout 2.1.0 still got requests up to 32 s after the rollback (counted in steps of 2 s); its budget is 30 s",
  );
});
