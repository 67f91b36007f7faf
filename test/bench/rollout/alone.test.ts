/** Promise: a green that has everybody and breaks is halted, also where its failing visitors fail again and again. */
import { expect, test, vi } from "vitest";
import { simulate } from "../../../bench/rollout/simulate.ts";
import { documentWith, FLAG, START } from "../../../bench/rollout/stories.ts";
import { type Minute, withBadGreen } from "../../../bench/rollout/trace.ts";

vi.spyOn(console, "log").mockImplementation(() => {});

test("a green of much traffic that breaks at 100 % is halted by evidence against its own past", async () => {
  const busy: Minute = { requests: 12_000, blueFailures: 1, greenFailures: 1, ms: 80 };
  const trace = withBadGreen(
    Array.from({ length: 45 }, () => busy),
    40,
    0.06,
  );
  const plan = { stages: [{ percentage: 50, duration: 60 }, { percentage: 100 }] };
  const text = documentWith({ plan });
  const { decisions } = await simulate({
    flag: FLAG,
    text,
    trace,
    from: 0,
    to: 45,
    start: START,
    stepMs: 60_000,
  });
  const last = decisions.filter(({ action }) => action === "rollback");
  expect(last).toHaveLength(1);
  expect(last[0]!.minute).toBeLessThanOrEqual(43);
  expect(last[0]!.reason).toMatch(/green fails 6\.\d+ % of .* before 0\.01 %: evidence/);
});
