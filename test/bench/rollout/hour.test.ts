/** Promise: the simulator decides what is written down of the hour, and test/control/trace.test.ts what the object does. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hourStory } from "../../../bench/rollout/hour.ts";
import { simulate } from "../../../bench/rollout/simulate.ts";

const TRACES = join(import.meta.dirname, "../../../fixtures/traces");

/** `npx vitest run -u --project core test/bench/rollout/hour.test.ts` writes down what is decided now. */
test("what is decided in the hour is what is written down of it", async () => {
  const { decisions, history } = await simulate(hourStory(readFileSync(join(TRACES, "hour.csv"), "utf8")));
  const text = `${JSON.stringify({ decisions, history }, null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(join(TRACES, "hour-decisions.json"));
});
