import { reset } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { controller } from "./parts.ts";
import {
  actions,
  audit,
  clock,
  freeze,
  isolatesServe,
  LONG_MS,
  planned,
  put,
  run,
  START,
  told,
  topics,
  view,
  where,
} from "./rollout-parts.ts";

beforeEach(() => {
  // The receiver of these tests cannot be told yet, and says so.
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  freeze();
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

describe("a plan that somebody puts into KV", { timeout: LONG_MS }, () => {
  it("goes stage by stage at exactly its durations, and everyone can see where it is", async () => {
    await put(planned());
    const stages: [number, number, number][] = [];
    for (const percent of [10, 50, 100]) {
      stages.push([clock(), (await view()).stage, (await isolatesServe()).percent]);
      await run(59);
      expect(await where()).toMatchObject({ phase: "progressing", percentage: percent, served: percent });
      await run(1);
    }
    expect(stages).toEqual([
      [0, 0, 10],
      [60, 1, 50],
      [120, 2, 100],
    ]);
    expect(await where()).toEqual({ phase: "completed", stage: 2, percentage: 100, served: 100 });
    expect(await isolatesServe()).toMatchObject({ percent: 100, stop: undefined });
    const [past, ...others] = await controller().history({ flag: "shop", limit: 10 });
    expect(others).toEqual([]);
    expect(past).toMatchObject({
      rollout: 1,
      release: "2.0",
      plan: "thirds",
      who: "kv",
      startedAt: START,
      endedAt: START + 180_000,
      outcome: "completed",
    });
    expect(past!.stages).toMatchObject(
      [10_000, 50_000, 100_000].map((share, i) => ({
        stage: i,
        share,
        enteredAt: START + i * 60_000,
        leftAt: START + (i + 1) * 60_000,
        requests: 70,
        failures: 0,
      })),
    );
    const inStage = ["stage", "percentage"];
    expect(await topics()).toEqual(["started", ...inStage, ...inStage, ...inStage, "completed"]);
    expect((await told()).filter(({ topic }) => topic === "percentage").map(({ share }) => share)).toEqual([
      10_000, 50_000, 100_000,
    ]);
    expect(await actions()).toEqual(["adopt", "spec", "rollout", "stage", "stage", "stage", "completed"]);
    const entries = await audit();
    expect(entries.slice(3, 6).map(({ previous, next, who }) => [previous, next, who])).toEqual([
      ["idle 0 %", "progressing 10 %", "kv"],
      ["progressing 10 %", "progressing 50 %", "controller"],
      ["progressing 50 %", "progressing 100 %", "controller"],
    ]);
  });
});
