/** Promises of the circuit breaker. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Admission, Breaker, type BreakerSettings } from "../../src/router/breaker.ts";

const SETTINGS: BreakerSettings = {
  failureThreshold: 5,
  monitoringPeriodMs: 120_000,
  resetTimeoutMs: 60_000,
  probeTimeoutMs: 30_000,
};

/** Sends one request: admitted or not, and settled at once. */
function send(breaker: Breaker, ok: boolean, visitor: number, now: number): Admission {
  const admission = breaker.admit(now);
  if (admission !== "divert") breaker.settle(admission, ok, visitor, now);
  return admission;
}

function opened(now = 0): Breaker {
  const breaker = new Breaker(SETTINGS);
  for (let i = 0; i < 5; i++) send(breaker, false, i, now);
  return breaker;
}

describe("it opens", () => {
  test("with the fifth failure of the period, not before", () => {
    const breaker = new Breaker(SETTINGS);
    for (let i = 0; i < 4; i++) send(breaker, false, i, i);
    expect(breaker.state(4)).toBe("closed");
    send(breaker, false, 4, 4);
    expect(breaker.state(4)).toBe("open");
    expect(breaker.admit(5)).toBe("divert");
  });

  test("for green that is down for its only visitor", () => {
    const breaker = new Breaker(SETTINGS);
    for (let i = 0; i < 5; i++) send(breaker, false, 7, i);
    expect(breaker.state(5)).toBe("open");
  });

  test("not on failures that are spread over more than the period", () => {
    const breaker = new Breaker(SETTINGS);
    for (let i = 0; i < 50; i++) send(breaker, false, i, i * 30_001);
    expect(breaker.state(50 * 30_001)).toBe("closed");
  });

  test("not for one client in a retry loop among healthy others", () => {
    const breaker = new Breaker(SETTINGS);
    for (let i = 0; i < 1000; i++) {
      send(breaker, true, i % 50, i * 10);
      for (let k = 0; k < 5; k++) send(breaker, false, 99, i * 10 + k);
    }
    expect(breaker.state(10_000)).toBe("closed");
  });

  test("never below seven failures among the last ten", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ ok: fc.boolean(), visitor: fc.nat(5), gap: fc.nat(2000) }), { maxLength: 300 }),
        (requests) => {
          const breaker = new Breaker(SETTINGS);
          const last: boolean[] = [];
          let now = 0;
          for (const { ok, visitor, gap } of requests) {
            now += gap;
            send(breaker, ok, visitor, now);
            last.push(ok);
            const ten = last.slice(-10);
            const failed = ten.filter((good) => !good).length;
            if (breaker.state(now) !== "closed") {
              expect(failed).toBeGreaterThanOrEqual(0.7 * ten.length);
              expect(failed).toBeGreaterThanOrEqual(5);
              return;
            }
          }
        },
      ),
    );
  });

  test("within ten requests of many visitors once all fail, whatever came before", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(100)), { maxLength: 100 }), (before) => {
        const breaker = new Breaker(SETTINGS);
        let now = 0;
        for (const [ok, visitor] of before) send(breaker, ok, visitor, now++);
        for (let i = 0; i < 10 && breaker.state(now) === "closed"; i++) send(breaker, false, 1000 + i, now++);
        expect(breaker.state(now)).toBe("open");
      }),
    );
  });
});

describe("open", () => {
  test("it lets nobody through until the reset timeout, then one at a time", () => {
    const breaker = opened();
    expect(breaker.admit(59_999)).toBe("divert");
    expect(breaker.admit(60_000)).toBe("probe");
    expect(breaker.state(60_000)).toBe("half-open");
    expect(breaker.admit(60_001)).toBe("divert");
  });

  test("a probe that succeeds closes it, and old failures are forgotten", () => {
    const breaker = opened();
    breaker.settle(breaker.admit(60_000), true, 1, 60_100);
    expect(breaker.state(60_100)).toBe("closed");
    for (let i = 0; i < 4; i++) send(breaker, false, i, 60_200);
    expect(breaker.state(60_200)).toBe("closed");
  });

  test("a probe that fails opens it for another reset timeout", () => {
    const breaker = opened();
    breaker.settle(breaker.admit(60_000), false, 1, 60_100);
    expect(breaker.admit(120_099)).toBe("divert");
    expect(breaker.admit(120_100)).toBe("probe");
  });

  test("a probe that never returns, or whose visitor left, makes way for the next", () => {
    const lost = opened();
    expect(lost.admit(60_000)).toBe("probe");
    expect(lost.admit(89_999)).toBe("divert");
    expect(lost.admit(90_000)).toBe("probe");
    const left = opened();
    left.release(left.admit(60_000));
    expect(left.admit(60_001)).toBe("probe");
  });

  test("late answers from before it opened change nothing", () => {
    const breaker = opened();
    for (let i = 0; i < 20; i++) breaker.settle("pass", true, i, 1);
    expect(breaker.state(1)).toBe("open");
  });
});
