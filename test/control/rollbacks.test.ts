import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { FlagInput } from "../../src/core/flag/schema.ts";
import { controller } from "./parts.ts";
import {
  actions,
  isolatesServe,
  LONG_MS,
  order,
  PLAN,
  planned,
  playsInFrozenTime,
  put,
  ring,
  run,
  runDeaf,
  runQuiet,
  START,
  send,
  sentences,
  topics,
  view,
  where,
} from "./rollout-parts.ts";

playsInFrozenTime();

const refused = (reason: string) => ({ ok: false, reason });
/** Half an hour at 10 %, and what takes green out of it. */
const beyond = { requests: 20, errors: 3 };
const ruled = (more: Partial<FlagInput> = {}) =>
  planned({
    plan: { stages: [{ percentage: 10, duration: 1800 }] },
    rules: [{ metric: "error_rate", above: 0.1, minRequests: 20 }],
    ...more,
  });

describe("a rollback", { timeout: LONG_MS }, () => {
  it("at once takes green to 0 until resume, and is told with its reason", async () => {
    await put(planned());
    await run(20);
    expect(await order({ name: "rollback", mode: "immediate" }, "bob", "odd numbers")).toMatchObject({
      ok: true,
      rollout: { phase: "halted", served: 0, halts: [{ release: "2.0", action: "rollback" }] },
    });
    expect(await isolatesServe()).toMatchObject({ percent: 0, stop: "halt" });
    expect(await order({ name: "rollback", mode: "gradual" })).toMatchObject(refused("already-rolled-back"));
    expect(await order({ name: "advance" })).toMatchObject(refused("halted"));
    expect((await topics()).slice(3, 5)).toEqual(["rollback", "failed"]);
    expect((await sentences("rollback"))[0]).toContain("immediate rollback by bob: odd numbers");
    const [past] = await controller().history({ flag: "shop", limit: 1 });
    expect(past).toMatchObject({ outcome: "rolledBack", reason: "immediate rollback by bob: odd numbers" });
    await order({ name: "resume" });
    await put(planned({ state: "off" }));
    const [off] = await controller().history({ flag: "shop", limit: 1 });
    expect(off).toMatchObject({ outcome: "rolledBack", reason: "the spec says off" });
  });

  it("by degrees halves and watches, and stays where green recovers", async () => {
    await put(planned({ plan: { ...PLAN, rollback: { watch: 60, halvings: 3 } } }));
    await run(70);
    await order({ name: "rollback", mode: "gradual" });
    expect(await where()).toMatchObject({ phase: "rollingBack", served: 25 });
    expect((await view()).waitsFor[0]).toContain("1 min of 1 min of watching at 25 %");
    expect((await isolatesServe()).percent).toBe(25);
    await run(59);
    expect(await where()).toMatchObject({ phase: "rollingBack", served: 25 });
    await run(1);
    expect(await where()).toMatchObject({ phase: "paused", served: 25 });
    expect(await order({ name: "resume" })).toMatchObject({ ok: true });
    await run(60);
    expect(await where()).toMatchObject({ phase: "progressing", stage: 1, served: 50 });
  });

  it("by degrees goes on down while nobody can say that green is well, and ends at 0", async () => {
    await put(planned({ plan: { ...PLAN, rollback: { watch: 60, halvings: 2 } } }));
    await run(70);
    await order({ name: "rollback", mode: "gradual" });
    const seen: number[] = [];
    for (let i = 0; i < 3; i++) {
      seen.push((await where()).served);
      await runQuiet(60);
    }
    expect(seen).toEqual([25, 12.5, 0]);
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    expect(await isolatesServe()).toMatchObject({ percent: 0, stop: "halt" });
  });

  it("at once goes only as fast as blue can take it where the flag says so; a halt for errors does not wait", async () => {
    await put(planned({ blueCapacity: { pointsPerMinute: 10 } }));
    await run(70);
    await order({ name: "rollback", mode: "immediate" });
    expect(await where()).toMatchObject({ phase: "rollingBack", served: 50 });
    await run(60);
    expect(await where()).toMatchObject({ phase: "rollingBack", served: 40 });
    await run(20, { requests: 100, errors: 100 });
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
  });

  it("as a kill holds for every release, until resume", async () => {
    await put(planned());
    await run(20);
    expect(await order({ name: "rollback", mode: "kill" })).toMatchObject({
      ok: true,
      rollout: { phase: "halted", served: 0, halts: [{ release: "*", action: "kill" }] },
    });
    expect(await isolatesServe()).toMatchObject({ percent: 0, stop: "kill" });
    await put(planned({ release: "2.1" }));
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    expect(await order({ name: "start" })).toMatchObject(refused("flag-stopped"));
    expect(await order({ name: "promote", force: true })).toMatchObject(refused("flag-stopped"));
    expect(await order({ name: "resume" })).toMatchObject({ ok: true });
    expect(await where()).toMatchObject({ phase: "progressing", stage: 0, served: 10 });
    expect((await topics()).filter((topic) => topic === "kill")).toHaveLength(1);
  });

  it("holds over a crash of everything and an old document put back", async () => {
    await put(planned());
    await run(20);
    await order({ name: "rollback", mode: "immediate" });
    await put(planned({ notes: "somebody edits" }));
    await abortAllDurableObjects();
    await put(planned());
    expect(await isolatesServe()).toMatchObject({ percent: 0, stop: "halt" });
  });
});

describe("the time that a rollback takes", { timeout: LONG_MS }, () => {
  it("is told once isolates were quiet long enough, with what the counts show", async () => {
    await put(ruled());
    await run(20, beyond);
    await runQuiet(10);
    await send({ requests: 1 });
    await runQuiet(40);
    expect(await sentences("rollback-time")).toEqual([
      "Green of shop 2.0 answered its last request at most 10 s after the rollback (counted in steps of 2 s)",
    ]);
    expect((await view()).rollback).toMatchObject({ at: START + 20_000, tookMs: 10_000, overdue: false });
    await runQuiet(200);
    expect(await sentences("rollback-time")).toHaveLength(1);
    expect((await actions()).slice(-1)).toEqual(["rolled-back"]);
  });

  it("alerts once when it is over the budget, before it is known how long it takes in the end", async () => {
    await put(ruled({ rollbackTimeSeconds: 8 }));
    await run(20, beyond);
    await run(8, { requests: 1 });
    expect(await sentences("rollback-time")).toEqual([]);
    await run(10, { requests: 1 });
    const [late] = await sentences("rollback-time");
    expect(late).toContain("its budget is 8 s");
    await run(10, { requests: 1 });
    expect(await sentences("rollback-time")).toEqual([late]);
    await runQuiet(60);
    expect((await sentences("rollback-time")).length).toBe(2);
    expect((await actions()).slice(-2)).toEqual(["rollback-late", "rolled-back"]);
  });

  it("is nobody's where a cohort stays on green, or another release begins without it", async () => {
    const cohorts = { staff: { users: ["ada"] } };
    await put(planned({ cohorts, plan: undefined, percentage: 10 }));
    await put(planned({ cohorts, plan: undefined, percentage: 0 }));
    expect((await view()).rollback).toBeNull();
    await put(planned());
    await put(planned({ release: "3.0", plan: { ...PLAN, start: "manual" } }));
    expect(await where()).toMatchObject({ phase: "idle", served: 0 });
    expect((await view()).rollback).toBeNull();
  });

  it("is not known while no isolate reports", async () => {
    await put(ruled());
    await run(20, beyond);
    await runDeaf(300);
    expect(await sentences("rollback-time")).toEqual([]);
    await send({ requests: 1 }, { flag: "other" });
    await ring();
    expect(await sentences("rollback-time")).toHaveLength(1);
  });
});
