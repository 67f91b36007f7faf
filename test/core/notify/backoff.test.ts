import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { backoffMs, CAP_MS, retryAfterMs, verdictOfStatus } from "../../../src/core/notify/backoff.ts";

describe("the wait before the next try", () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [9, 256_000],
    [10, 300_000],
    [5_000, 300_000],
  ])("after %i failures is anything below %i ms", (failures, bound) => {
    expect(backoffMs(failures, 0)).toBe(0);
    expect(backoffMs(failures, 0.5)).toBe(bound / 2);
    expect(backoffMs(failures, 1 - 2 ** -53)).toBe(bound - 1);
  });

  it("is never below 0 nor above its cap", () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.nat(), random, (failures, r) => {
        const ms = backoffMs(failures, r);
        return Number.isInteger(ms) && ms >= 0 && ms < CAP_MS;
      }),
    );
  });
});

test.each([
  ["0", undefined],
  ["1", 1_000],
  [" 120 ", 120_000],
  ["86400", 3_600_000],
  ["99999999999999999999", 3_600_000],
  ["-5", undefined],
  ["1.5", undefined],
  ["soon", undefined],
  ["Wed, 21 Oct 2026 07:28:30 GMT", 30_000],
  ["Wed, 21 Oct 2026 07:27:59 GMT", undefined],
  ["", undefined],
  [null, undefined],
])("Retry-After %j asks for %j ms", (header, ms) => {
  expect(retryAfterMs(header, Date.parse("2026-10-21T07:28:00Z"))).toBe(ms);
});

test.each([
  ["delivered", [200, 202, 204, 299]],
  ["again", [301, 302, 304, 408, 425, 429, 500, 501, 503, 530]],
  ["never", [400, 401, 403, 404, 410, 413, 422, 428, 430, 499]],
] as const)("the verdict is %s for %j", (verdict, statuses) => {
  for (const status of statuses) expect(verdictOfStatus(status), String(status)).toBe(verdict);
});
