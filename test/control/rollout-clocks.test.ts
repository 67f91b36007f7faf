import { describe, expect, it } from "vitest";
import type { FlagInput } from "../../src/core/flag/schema.ts";
import { bindings, controller } from "./parts.ts";
import {
  clock,
  isolatesServe,
  LONG_MS,
  PLAN,
  pass,
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
  told,
  topics,
  until,
  view,
  where,
} from "./rollout-parts.ts";

const DAY_SECONDS = 86_400;

playsInFrozenTime();

const stalling = { ...PLAN, stalledAfter: 300 };
const long = { ...PLAN, stages: PLAN.stages.map((stage) => ({ ...stage, duration: 600 })) };
const stalledAt = async () =>
  (await told()).filter(({ topic }) => topic === "stalled").map(({ at }) => (at - START) / 1000);

describe("without traffic", { timeout: LONG_MS }, () => {
  it("a stage is held, which is told once after the plan's time, and goes on when traffic comes", async () => {
    await put(planned({ plan: stalling }));
    await runQuiet(340);
    expect(await stalledAt()).toEqual([]);
    await runQuiet(60);
    expect(await stalledAt()).toEqual([360]);
    expect((await sentences("stalled"))[0]).toContain("0 of 20 requests have come");
    await runQuiet(120);
    expect(await stalledAt()).toEqual([360]);
    expect(await view()).toMatchObject({ phase: "progressing", stage: 0, served: 10, elapsed: 520 });
    await run(20, { requests: 19 });
    expect(await where()).toMatchObject({ stage: 0, served: 10 });
    await run(20, { requests: 1 });
    expect(await where()).toMatchObject({ phase: "progressing", stage: 1, served: 50 });
  });

  it("too few requests are no success either, also after the last stage's time", async () => {
    await put(planned({ plan: { ...stalling, stages: [PLAN.stages[2]!] } }));
    await run(120, { requests: 3 });
    expect(await where()).toMatchObject({ phase: "progressing", stage: 0, percentage: 100 });
    await run(20, { requests: 2 });
    expect(await where()).toMatchObject({ phase: "completed", percentage: 100 });
  });
});

describe("without telemetry", { timeout: LONG_MS }, () => {
  it("no stage counts its time nor goes on; it is told once, and goes on when isolates are back", async () => {
    await put(planned({ plan: stalling }));
    await runDeaf(280);
    expect(await stalledAt()).toEqual([]);
    await runDeaf(120);
    expect(await stalledAt()).toEqual([300]);
    expect((await sentences("stalled"))[0]).toContain("No isolate has reported yet");
    expect(await view()).toMatchObject({ phase: "progressing", stage: 0, served: 10, elapsed: 0 });
    expect((await controller().status()).flags[0]!.verdict).toMatchObject({ verdict: "unmeasured" });
    await run(59);
    expect(await where()).toMatchObject({ stage: 0, served: 10 });
    await run(1);
    expect(await where()).toMatchObject({ stage: 1, served: 50 });
    expect(await stalledAt()).toEqual([300]);
  });

  it("lost after a healthy start holds the stage too, however good its counts were", async () => {
    await put(planned({ plan: long }));
    await run(40);
    // A minute of silence is no loss yet: isolates without traffic report every 20 s.
    await runDeaf(600);
    expect(await view()).toMatchObject({ phase: "progressing", stage: 0, elapsed: 100 });
    expect(await topics()).toEqual(["started", "stage", "percentage"]);
    await run(499);
    expect(await where()).toMatchObject({ stage: 0, served: 10 });
    await run(1);
    expect(await where()).toMatchObject({ stage: 1, served: 50 });
  });
});

describe("an alarm", { timeout: LONG_MS }, () => {
  it("that comes twice counts its time once", async () => {
    await put(planned({ plan: long }));
    await run(40);
    for (let i = 0; i < 5; i++) await ring();
    expect(await view()).toMatchObject({ stage: 0, elapsed: 40 });
  });

  it("that comes after a day of outage jumps nothing", async () => {
    await put(planned({ plan: long }));
    await run(40);
    pass(DAY_SECONDS);
    await ring();
    await ring();
    expect(await view()).toMatchObject({ phase: "progressing", stage: 0, served: 10, elapsed: 40 });
    await run(20);
    const { elapsed } = await view();
    expect(elapsed).toBeLessThanOrEqual(40 + 20 + 120);
    await run(600 - elapsed - 1);
    expect(await where()).toMatchObject({ stage: 0, served: 10 });
    await run(1);
    expect(await where()).toMatchObject({ stage: 1, served: 50 });
  });

  it("and batches that come after a day of outage take one step at most, and no stage at once after another", async () => {
    await put(planned());
    await run(40);
    pass(DAY_SECONDS);
    await send({ requests: 500 });
    await send({ requests: 500 });
    await ring();
    expect(await where()).toMatchObject({ stage: 1, served: 50 });
    const entered = clock();
    await run(59);
    expect(await where()).toMatchObject({ stage: 1, served: 50 });
    await run(1);
    expect(await view()).toMatchObject({ stage: 2, stageAt: START + (entered + 60) * 1000 });
  });

  it("is not waited for by a halt, and after one it does nothing more", async () => {
    await put(planned());
    pass(2);
    await send({ requests: 20, errors: 2 });
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    pass(DAY_SECONDS);
    await ring();
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
  });
});

describe("the kill key and the global switch", { timeout: LONG_MS }, () => {
  it("stop the stage's clock, and the rollout goes on where it was", async () => {
    await put(planned());
    await run(40);
    await put(planned({}, { enabled: false }));
    expect(await where()).toMatchObject({ percentage: 10, served: 0 });
    await run(120);
    expect(await view()).toMatchObject({ phase: "progressing", stage: 0, elapsed: 40 });
    await put(planned());
    expect(await where()).toMatchObject({ served: 10 });
    await run(20);
    expect(await where()).toMatchObject({ stage: 1, served: 50 });
  });

  it("are told once each way, and so is the state kill", async () => {
    for (const off of [planned({}, { enabled: false }), planned({ state: "kill" })]) {
      await put(planned());
      const before = (await sentences("percentage")).length;
      await put(off);
      await put(planned());
      const told = (await sentences("percentage")).slice(before);
      expect(told.map((sentence) => sentence.split(":")[0])).toEqual([
        "Green went from 10 % to 0 %",
        "Green went from 0 % to 10 %",
      ]);
    }
  });

  it("are told: the kill key once, as soon as the controller has read it", async () => {
    await put(planned());
    await run(20);
    await bindings.FLAGS.put("kill", "shop");
    pass(20);
    // Who looks at the status makes the controller read KV; else it does so every minute.
    await controller().status();
    await until(async () => expect(await where()).toMatchObject({ percentage: 10, served: 0 }));
    expect(await isolatesServe()).toMatchObject({ percent: 0, stop: "kill" });
    await run(200);
    expect(await view()).toMatchObject({ phase: "progressing", stage: 0, served: 0, elapsed: 20 });
    expect((await topics()).filter((topic) => topic === "kill")).toHaveLength(1);
    await bindings.FLAGS.put("kill", "");
    pass(20);
    await controller().status();
    await until(async () => expect(await where()).toMatchObject({ served: 10 }));
    expect(await view()).toMatchObject({ phase: "progressing", stage: 0, elapsed: 20 });
    await run(40);
    expect(await where()).toMatchObject({ stage: 1, served: 50 });
  });
});

describe("two rollouts", { timeout: LONG_MS }, () => {
  it("go their own ways: what halts one is nothing to the other", async () => {
    const cart: FlagInput = { state: "canary", release: "7", rules: [], plan: PLAN };
    await put(planned({}, { flags: { cart } }));
    const both = async (seconds: number, errors: number) => {
      pass(seconds);
      await send({ requests: 20, errors }, { flag: "cart", release: "7" });
      await send({ requests: 20 });
      await ring();
    };
    await both(30, 1);
    await both(29, 1);
    await both(1, 4);
    expect(await where()).toMatchObject({ phase: "progressing", stage: 1, served: 50 });
    expect(await controller().rollout("cart")).toMatchObject({ phase: "halted", stage: 0, served: 0 });
    expect((await isolatesServe("cart")).stop).toBe("halt");
    expect((await isolatesServe()).percent).toBe(50);
  });
});
