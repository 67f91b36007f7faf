/** Promise: the real object decides over a trace of traffic what the simulator decided, record by record. */
import { reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { decisionsOf } from "../../bench/rollout/decisions.ts";
import { hourStory } from "../../bench/rollout/hour.ts";
import { play, type Subject, type Where } from "../../bench/rollout/play.ts";
import hour from "../../fixtures/traces/hour.csv?raw";
import expected from "../../fixtures/traces/hour-decisions.json" with { type: "json" };
import { SHARE_PER_PERCENT } from "../../src/core/flag/percentage.ts";
import { encodeForward } from "../../src/core/wire/encode.ts";
import { controller } from "./parts.ts";

const LONG_MS = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

/** The object, at the times of the story. */
const object: Subject = {
  async adopt(text, now) {
    vi.setSystemTime(now);
    const put = await controller().putDocument({
      ifMatch: "*",
      text,
      who: "ann",
      how: "cli",
      reason: "as the story says",
    });
    expect(put.ok).toBe(true);
  },
  /** Time goes on in the turn in which the forward is taken: timers of the object see it only when it has been. */
  forward: (forward, now) =>
    runInDurableObject(controller(), async (instance) => {
      vi.setSystemTime(now);
      await instance.forward(encodeForward(forward));
    }),
  async alarm(now) {
    vi.setSystemTime(now);
    await runDurableObjectAlarm(controller());
  },
  async command(request, now) {
    vi.setSystemTime(now);
    return controller().command(request);
  },
  async ingest(push, now) {
    vi.setSystemTime(now);
    await controller().ingest(push);
  },
  async observe() {},
  async where(flag): Promise<Where> {
    const view = await controller().rollout(flag);
    const { phase, stage, served, signOffs } = view!;
    return {
      phase,
      stage,
      share: Math.round(served * SHARE_PER_PERCENT),
      signedOff: signOffs.map(({ role }) => role),
    };
  },
};

it("decides over an hour what the simulator decides, with the same history", {
  timeout: LONG_MS,
}, async () => {
  const story = hourStory(hour);
  await play(object, story);
  const entries = await controller().audit({ limit: 1000 });
  expect(decisionsOf(entries, story)).toEqual(expected.decisions);
  expect(await controller().history({ flag: story.flag, limit: 10 })).toEqual(expected.history);
});
