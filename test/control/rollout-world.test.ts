import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { PlanInput } from "../../src/core/flag/plan.ts";
import type { Snapshot } from "../../src/core/rollout/snapshot.ts";
import { RECEIVERS, received, script } from "./outbox-parts.ts";
import { bindings, controller } from "./parts.ts";
import {
  actions,
  audit,
  isolatesServe,
  LONG_MS,
  order,
  PLAN,
  pass,
  planned,
  playsInFrozenTime,
  put,
  ring,
  run,
  sentences,
  until,
  view,
  where,
} from "./rollout-parts.ts";

playsInFrozenTime();

describe("requests that green must answer before a stage opens", { timeout: LONG_MS }, () => {
  const stage = { duration: 60, minRequests: 20 };
  const path = `/validated-${crypto.randomUUID()}`;
  const plan: PlanInput = {
    stages: [
      { ...stage, percentage: 10 },
      { ...stage, percentage: 50, validate: [{ path: `${path}/smoke`, match: "well" }] },
    ],
  };
  const route = { hosts: ["shop.example"], blue: RECEIVERS, green: RECEIVERS };

  it("are tried when all else has passed; a failure pauses, and resume tries them again", async () => {
    await script(`${path}/smoke`, { status: 200, body: "ill" }, { status: 200, body: "well" });
    await put(planned({ plan, route }));
    await run(40);
    expect(await received(path)).toEqual([]);
    await run(20);
    await until(async () => expect(await where()).toMatchObject({ phase: "paused", stage: 0, served: 10 }));
    expect((await view()).why).toContain("the requests before the stage of 50 % have failed");
    expect(await received(path)).toHaveLength(1);
    expect(await order({ name: "resume" })).toMatchObject({ ok: true });
    await until(async () => expect(await view()).toMatchObject({ validation: "passed", served: 10 }));
    await run(20);
    expect(await where()).toMatchObject({ phase: "progressing", stage: 1, served: 50 });
    expect(await received(path)).toHaveLength(2);
  });

  it("are not taken for answered by what the outbox found before, nor by the same finding again", async () => {
    await script(`${path}/smoke`, "hang");
    await put(planned({ plan, route }));
    await run(60);
    expect(await view()).toMatchObject({ validation: "waiting", stage: 0 });
    const found = { type: "validated", flag: "shop", passed: true, sentence: "all well" } as const;
    const wrong = { ...found, seq: 1, at: Date.now(), key: `shop/${Date.now()}/1/1/validate/1` };
    expect(await controller().observe([wrong])).toEqual({ have: 1 });
    expect(await view()).toMatchObject({ validation: "waiting", stage: 0 });
    await run(60);
    expect(await where()).toMatchObject({ stage: 0, served: 10 });
  });
});

describe("a flag whose notes keep its percentages", { timeout: LONG_MS }, () => {
  it("has a line for each change, once the document was quiet, and the rollout does not feel it", async () => {
    await put(planned({ appendNotes: true, notes: "by hand" }));
    await run(60);
    const text = async () => (await bindings.FLAGS.get("flags")) ?? "";
    expect(await text()).not.toContain("UTC]");
    await run(200);
    await until(async () => {
      const { notes } = (JSON.parse(await text()) as { flags: { shop: { notes: string } } }).flags.shop;
      const lines = notes.split("\n").map((line) => line.replace(/^\[.*?\] /, ""));
      expect(lines).toEqual([
        "by hand",
        expect.stringContaining("Green went from 0 % to 10 %"),
        expect.stringContaining("Green went from 10 % to 50 %"),
        expect.stringContaining("Green went from 50 % to 100 %"),
      ]);
    });
    expect(await where()).toMatchObject({ phase: "completed", stage: 2, served: 100 });
    const [edit] = (await audit()).filter(({ action, how }) => action === "adopt" && how === "controller");
    expect(edit).toMatchObject({ reason: "percentage changes appended to notes" });
  });
});

describe("a controller that has lost its store", { timeout: LONG_MS }, () => {
  /** Loses everything that the controller has written down, once KV has what was published. */
  async function lose(): Promise<void> {
    const revision = (await controller().current())!.revision;
    await until(async () => {
      const published = await bindings.FLAGS.get<Snapshot>("snapshot", "json");
      expect(published?.revision).toBe(revision);
    });
    await runInDurableObject(controller(), (_, { storage }) => storage.deleteAll());
    await abortAllDurableObjects();
  }

  it("goes on in the same stage, which begins anew, and leaves it when its time and traffic have come", async () => {
    await put(planned());
    await run(100);
    expect(await where()).toMatchObject({ stage: 1, served: 50 });
    await lose();
    await ring();
    expect(await view()).toMatchObject({ phase: "progressing", stage: 1, served: 50, requests: 0 });
    expect((await isolatesServe()).percent).toBe(50);
    await run(59);
    expect(await where()).toMatchObject({ stage: 1, served: 50 });
    await run(1);
    expect(await where()).toMatchObject({ stage: 2, served: 100 });
    expect(await actions()).toContain("recover");
  });

  it("keeps a halt until the command resume", async () => {
    await put(planned());
    await run(20, { requests: 20, errors: 20 });
    await lose();
    await ring();
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    expect(await isolatesServe()).toMatchObject({ percent: 0, stop: "halt" });
    expect(await order({ name: "resume" })).toMatchObject({ ok: true });
    expect(await where()).toMatchObject({ phase: "progressing", served: 10 });
  });

  it("keeps a pause, and what a reduction has left", async () => {
    const rules = [{ metric: "error_rate", above: 0.1, minRequests: 20, action: "reduce" } as const];
    await put(
      planned({
        plan: { stages: PLAN.stages.map(({ percentage }) => ({ percentage, duration: 60 })) },
        rules,
      }),
    );
    await run(20, { requests: 20, errors: 20 });
    await lose();
    await ring();
    expect(await where()).toMatchObject({ phase: "paused", served: 5 });
    await run(120);
    expect(await where()).toMatchObject({ phase: "paused", served: 5 });
    expect((await sentences("percentage")).at(-1)).toContain("from 10 % to 5 %");
  });
});

describe("a receiver that is given up", { timeout: LONG_MS }, () => {
  it("is told of to those who want to know, once an hour however much it misses", async () => {
    await put(planned());
    const found = {
      type: "undelivered",
      receiver: "pager",
      sentence: "given up after 1 try: it answered 404",
    };
    const missed = (seq: number) => ({
      ...found,
      type: "undelivered" as const,
      seq,
      at: Date.now(),
      key: `k${seq}`,
    });
    await controller().observe([missed(1), missed(2)]);
    expect(await sentences("delivery")).toEqual([
      "Receiver pager did not get a message, given up after 1 try: it answered 404; what else it misses within the hour is in the log",
    ]);
    pass(3600);
    await controller().observe([missed(3)]);
    expect(await sentences("delivery")).toHaveLength(2);
  });
});
