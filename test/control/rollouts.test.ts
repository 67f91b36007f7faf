import { describe, expect, it } from "vitest";
import { controller } from "./parts.ts";
import {
  actions,
  audit,
  clock,
  isolatesServe,
  LONG_MS,
  PLAN,
  planned,
  playsInFrozenTime,
  put,
  run,
  runQuiet,
  START,
  send,
  sentences,
  told,
  topics,
  view,
  where,
} from "./rollout-parts.ts";

playsInFrozenTime();

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
        requests: 80,
        failures: 0,
      })),
    );
    const inStage = ["stage", "percentage"];
    expect(await topics()).toEqual(["started", ...inStage, ...inStage, ...inStage, "completed"]);
    const shares = (await told()).filter(({ topic }) => topic === "percentage").map(({ share }) => share);
    expect(shares).toEqual([10_000, 50_000, 100_000]);
    expect(await actions()).toEqual(["adopt", "spec", "rollout", "stage", "stage", "stage", "completed"]);
    const entries = await audit();
    expect(entries.slice(3, 6).map(({ previous, next, who }) => [previous, next, who])).toEqual([
      ["idle 0 %", "progressing 10 %", "kv"],
      ["progressing 10 %", "progressing 50 %", "controller"],
      ["progressing 50 %", "progressing 100 %", "controller"],
    ]);
  });
});

describe("an error rate of a stage", { timeout: LONG_MS }, () => {
  it("may be what the plan says, and no failure more: then green is out, and everybody hears of it once", async () => {
    await put(planned());
    await run(10, { requests: 100, errors: 5 });
    expect(await where()).toMatchObject({ phase: "progressing", served: 10 });
    await run(10, { requests: 1, errors: 1 });
    const reason = "Green failed 5.94 % of 101 requests since the stage began; the limit is 5 %";
    expect(await where()).toMatchObject({ phase: "halted", stage: 0, served: 0 });
    expect(await isolatesServe()).toMatchObject({ percent: 0, stop: "halt" });
    expect((await view()).halts).toMatchObject([
      { release: "2.0", action: "rollback", rule: "error_rate > 0.05", reason, at: START + 20_000 },
    ]);
    await send({ requests: 5, errors: 5 });
    await runQuiet(40);
    expect((await topics()).slice(3)).toEqual(["halt", "failed", "percentage", "rollback-time"]);
    expect((await told()).slice(3, 6).map(({ share }) => share)).toEqual([0, 0, 0]);
    expect((await actions()).slice(4)).toEqual(["rollback", "rolled-back"]);
    expect((await audit())[4]).toMatchObject({
      who: "controller",
      previous: "progressing 10 %",
      next: "halted 0 %",
      percentage: 0,
      figures: { rule: "error_rate > 0.05", requests: 101, failures: 6 },
    });
    const history = await controller().history({ flag: "shop", limit: 10 });
    expect(history).toMatchObject([
      { outcome: "halted", reason, stages: [{ leftAt: START + 20_000, requests: 101, failures: 6 }] },
    ]);
  });

  it("says nothing before the stage's minimum of requests, nor lets it go on", async () => {
    await put(planned());
    await run(60, { requests: 6, errors: 6 });
    expect(await where()).toMatchObject({ phase: "progressing", stage: 0, served: 10 });
    await run(10, { requests: 1, errors: 1 });
    expect(await where()).toMatchObject({ phase: "progressing", stage: 0, served: 10 });
    await run(10, { requests: 1 });
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
  });

  it("counts what breakers kept from green as failed", async () => {
    await put(planned());
    await run(10, { requests: 19, diverted: 1, visitors: [1] });
    expect(await where()).toMatchObject({ phase: "progressing", served: 10 });
    await run(10, { diverted: 1, visitors: [2] });
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    expect((await topics()).filter((topic) => topic === "breaker")).toHaveLength(1);
  });
});

describe("an edit of the document under way", { timeout: LONG_MS }, () => {
  const steps = {
    ...PLAN,
    stages: [5, 10, 25, 50].map((percentage) => ({ percentage, duration: 60, minRequests: 20 })),
  };

  it("to a percentage between two stages counts at once, and goes on at the first stage above", async () => {
    await put(planned({ plan: steps }));
    await run(30);
    await put(planned({ plan: steps, percentage: 7 }));
    expect(await where()).toMatchObject({ phase: "progressing", percentage: 7, served: 7 });
    await run(59);
    expect(await where()).toMatchObject({ served: 7 });
    await run(1);
    expect(await where()).toMatchObject({ stage: 1, served: 10 });
    await run(60);
    expect(await where()).toMatchObject({ stage: 2, served: 25 });
    expect(await sentences("percentage")).toContain(
      "Green went from 5 % to 7 %: set by hand; it goes on at 10 %",
    );
  });

  it("to its notes moves nothing: neither the share nor the clock", async () => {
    await put(planned());
    await run(30);
    const before = await view();
    await put(planned({ notes: "written in between" }));
    const { revision, ...after } = await view();
    expect({ ...after, revision: before.revision }).toEqual(before);
    expect(revision).toBeGreaterThan(before.revision);
    await run(30);
    expect(await where()).toMatchObject({ stage: 1, served: 50 });
    expect((await topics()).slice(3)).toEqual(["stage", "percentage"]);
  });

  it("to the plan goes on in the same stage, or in the highest at or below, and never raises green", async () => {
    const [first, ...others] = PLAN.stages;
    await put(planned());
    await run(70);
    await put(planned({ plan: { ...PLAN, stages: [{ ...first!, duration: 600 }, ...others] } }));
    expect(await view()).toMatchObject({ stage: 1, elapsed: 10, percentage: 50 });
    const lower = [10, 30, 80, 100].map((percentage) => ({ percentage, duration: 60, minRequests: 20 }));
    await put(planned({ plan: { stages: lower } }));
    expect(await view()).toMatchObject({ phase: "progressing", stage: 1, elapsed: 0, percentage: 30 });
    expect((await isolatesServe()).percent).toBe(30);
    expect((await sentences("stage")).at(-1)).toBe(
      "The plan was edited: the rollout goes on in stage 2 of 4 at 30 %",
    );
    await run(60);
    expect(await where()).toMatchObject({ stage: 2, served: 80 });
  });

  it("to off and back begins anew", async () => {
    await put(planned());
    await run(70);
    await put(planned({ state: "off" }));
    expect(await where()).toMatchObject({ phase: "idle", percentage: 0, served: 0 });
    expect((await isolatesServe()).percent).toBe(0);
    await put(planned());
    expect(await view()).toMatchObject({ phase: "progressing", stage: 0, served: 10, elapsed: 0 });
    const history = await controller().history({ flag: "shop", limit: 10 });
    expect(history.map(({ rollout, outcome }) => [rollout, outcome])).toEqual([
      [2, null],
      [1, "rolledBack"],
    ]);
  });

  it("to another release begins anew, and one that was halted stays so until the command resume", async () => {
    await put(planned());
    await run(70);
    await run(10, { requests: 50, errors: 50 });
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    await put(planned({ release: "2.1" }));
    expect(await view()).toMatchObject({ phase: "progressing", release: "2.1", stage: 0, served: 10 });
    expect((await isolatesServe()).percent).toBe(10);
    await run(10, { requests: 50 }, { release: "2.1" });
    await put(planned());
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    expect(await isolatesServe()).toMatchObject({ percent: 0, stop: "halt" });
    await put(planned({ percentage: 80 }));
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    const history = await controller().history({ flag: "shop", limit: 10 });
    expect(history.map(({ release, outcome }) => [release, outcome])).toEqual([
      ["2.1", "superseded"],
      ["2.0", "halted"],
    ]);
  });

  it("under a flag that is deleted ends its rollout, and a new flag of that name knows nothing of it", async () => {
    await put(planned());
    await run(10, { requests: 50, errors: 50 });
    await put(planned({}, { flags: {} }).replace('"shop"', '"cart"'));
    expect(await controller().rollout("shop")).toBeUndefined();
    await put(planned({ release: "3.0" }));
    expect(await view()).toMatchObject({ phase: "progressing", stage: 0, served: 10, requests: 0 });
  });
});
