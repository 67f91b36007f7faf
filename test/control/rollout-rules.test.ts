import { describe, expect, it } from "vitest";
import type { FlagInput } from "../../src/core/flag/schema.ts";
import { controller } from "./parts.ts";
import {
  actions,
  api,
  isolatesServe,
  LONG_MS,
  order,
  PLAN,
  pass,
  planned,
  playsInFrozenTime,
  put,
  run,
  START,
  sentences,
  topics,
  view,
  where,
} from "./rollout-parts.ts";

type RuleInput = NonNullable<FlagInput["rules"]>[number];

playsInFrozenTime();

/** Stages of half an hour that ask for nothing, and these rules. */
const stages = [10, 50, 100].map((percentage) => ({ percentage, duration: 1800 }));
const ruled = (rules: RuleInput[], more: Partial<FlagInput> = {}) =>
  planned({ plan: { ...PLAN, stages }, rules, ...more });
const errors = (action: RuleInput["action"]): RuleInput => ({
  metric: "error_rate",
  above: 0.1,
  minRequests: 20,
  action,
});
const limit = { requests: 20, errors: 2 };
const beyond = { requests: 20, errors: 3 };

describe("a rule whose action is", { timeout: LONG_MS }, () => {
  it("alert is told once, again after it was quiet, and keeps nothing from going on", async () => {
    const minutes = stages.map((stage) => ({ ...stage, duration: 60 }));
    await put(ruled([errors("alert")], { plan: { stages: minutes } }));
    await run(20, limit);
    expect(await sentences("alert")).toEqual([]);
    await run(40, beyond);
    expect(await sentences("alert")).toHaveLength(1);
    expect(await where()).toMatchObject({ phase: "progressing", stage: 1, served: 50 });
    await run(100);
    await run(20, { requests: 20, errors: 20 });
    expect(await sentences("alert")).toEqual([
      "Green failed 12.5 % of 40 requests in 60 s; the limit is 10 %",
      "Green failed 33.33 % of 60 requests in 60 s; the limit is 10 %",
    ]);
    expect(await where()).toMatchObject({ phase: "completed", served: 100 });
  });

  it("pause keeps the percentage and stops the stage until the command resume", async () => {
    await put(ruled([errors("pause")]));
    await run(20, limit);
    expect(await where()).toMatchObject({ phase: "progressing" });
    await run(20, beyond);
    expect(await view()).toMatchObject({ phase: "paused", percentage: 10, served: 10, elapsed: 20 });
    expect((await isolatesServe()).percent).toBe(10);
    await run(100, beyond);
    expect((await view()).halts).toMatchObject([{ action: "pause", rule: "error_rate > 0.1" }]);
    await run(60);
    expect(await order({ name: "resume" })).toMatchObject({ ok: true, rollout: { phase: "progressing" } });
    await run(20);
    expect(await view()).toMatchObject({ phase: "progressing", served: 10, elapsed: 40, halts: [] });
    expect((await topics()).slice(3)).toEqual(["pause"]);
  });

  it("reduce halves what isolates serve, and again, and takes green out below one percent", async () => {
    await put(ruled([errors("reduce")]));
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      await run(20, limit);
      await run(20, beyond);
      seen.push((await isolatesServe()).percent);
    }
    expect(seen).toEqual([5, 2.5, 1.25, 0]);
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    expect((await actions()).filter((action) => ["reduce", "rollback"].includes(action))).toEqual([
      "reduce",
      "reduce",
      "reduce",
      "rollback",
    ]);
  });

  it("rollback wins over a weaker one that fires with it", async () => {
    await put(ruled([errors("pause"), errors("reduce"), errors("rollback")]));
    await run(20, beyond);
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    expect((await view()).halts.map(({ action }) => action)).toEqual(["rollback"]);
  });

  it("rollback is only noted in a dry run, which goes on", async () => {
    await put(ruled([errors("rollback")], { dryRun: true, plan: PLAN }));
    await run(59, beyond);
    expect(await view()).toMatchObject({ phase: "progressing", served: 10, halts: [] });
    await run(1, beyond);
    expect(await view()).toMatchObject({ phase: "progressing", served: 50, halts: [] });
    expect((await actions()).filter((action) => action === "would-halt")).toHaveLength(2);
  });
});

describe("a rule of each cohort", { timeout: LONG_MS }, () => {
  const cohorts = { internal: { users: ["ann"] }, friendly: { users: ["bob"] } };
  const plan = { stages: [{ cohort: "internal" }, { cohort: "friendly", duration: 600 }] };
  const inARow: RuleInput = { metric: "consecutive_errors", atLeast: 3, scope: "cohort" };

  it("takes the cohort off green that failed three times in a row, and nobody else", async () => {
    await put(ruled([inARow], { plan, cohorts }));
    await run(1, { requests: 1 }, { cohort: "internal", placement: "match" });
    await run(1, { requests: 1 }, { cohort: "friendly", placement: "match" });
    expect(await view()).toMatchObject({ stage: 1, cohorts: ["internal", "friendly"] });
    const off = async () =>
      (await isolatesServe()).layers[0]!.audiences.filter(({ stopped }) => stopped).map(
        ({ cohort }) => cohort,
      );
    await run(10, { requests: 3, errors: 2, run: 2 }, { cohort: "friendly", placement: "match" });
    expect(await off()).toEqual([]);
    await run(10, { requests: 1, errors: 1, run: 3 }, { cohort: "friendly", placement: "match" });
    expect(await off()).toEqual(["friendly"]);
    expect(await view()).toMatchObject({
      phase: "progressing",
      why: expect.stringMatching(/^Cohort friendly: Green failed/),
      halts: [{ cohort: "friendly", action: "rollback" }],
    });
    await run(10, { requests: 5, errors: 5, run: 8 }, { cohort: "friendly", placement: "match" });
    expect((await sentences("halt")).length).toBe(1);
    expect((await sentences("halt"))[0]).toMatch(/^Cohort friendly of 2.0 is off green: Green failed/);
    expect(await order({ name: "resume" })).toMatchObject({ ok: true });
    expect(await off()).toEqual([]);
  });
});

describe("what origins and their monitoring push", { timeout: LONG_MS }, () => {
  it("as a gauge fires a rule strictly above its limit", async () => {
    await put(ruled([{ metric: "gauge", gauge: "memory", above: 0.8, action: "pause" }]));
    await run(10);
    const push = (value: number) => api("POST", "/gauges", { flag: "shop", name: "memory", value, max: 100 });
    expect(await push(80)).toMatchObject({ status: 200, body: { taken: 1 } });
    expect(await where()).toMatchObject({ phase: "progressing" });
    await push(81);
    expect(await where()).toMatchObject({ phase: "paused", served: 10 });
    expect((await view()).why).toBe("Gauge memory is 0.81; the limit is 0.8");
  });

  const alert = (startsAt: number, labels = {}) =>
    api("POST", "/alerts", {
      version: "4",
      status: "firing",
      alerts: [
        {
          status: "firing",
          labels: { alertname: "Down", severity: "critical", flag: "shop", ...labels },
          startsAt: new Date(startsAt).toISOString(),
          fingerprint: String(startsAt),
        },
      ],
    });
  const critical: RuleInput = {
    metric: "alerts",
    labels: { severity: "critical" },
    atLeast: 1,
    within: 600,
    action: "rollback",
  };

  it("as an alert halts the release within its first ten minutes, at once and without traffic", async () => {
    await put(ruled([critical]));
    pass(600);
    expect(await alert(Date.now(), { severity: "warning" })).toMatchObject({ status: 200 });
    expect(await where()).toMatchObject({ phase: "progressing", served: 10 });
    await alert(Date.now());
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    expect((await isolatesServe()).stop).toBe("halt");
    expect((await topics()).filter((topic) => topic === "halt")).toHaveLength(1);
  });

  it("as an alert of later than that says nothing, nor one that fired before the release", async () => {
    await put(ruled([critical]));
    pass(60);
    await alert(START - 1000);
    expect(await where()).toMatchObject({ phase: "progressing", served: 10 });
    pass(541);
    await alert(Date.now());
    await run(10);
    expect(await where()).toMatchObject({ phase: "progressing", served: 10 });
  });

  it("as an alert that still fires halts again with the resume, before anybody is on green", async () => {
    await put(ruled([{ metric: "alerts", atLeast: 1, action: "rollback" }]));
    await alert(Date.now());
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    const { revision } = await controller().status();
    expect(await api("POST", "/flags/shop/resume", {})).toMatchObject({
      body: { phase: "halted", served: 0 },
    });
    expect((await controller().status()).revision).toBe(revision + 1);
  });

  it("as one single event halts, and only the flag that it is about", async () => {
    const rule: RuleInput = { metric: "event_count", event: "security", atLeast: 1, window: 300 };
    const other: FlagInput = { state: "canary", percentage: 10, release: "2.0", rules: [rule] };
    await put(planned({ plan: { ...PLAN, stages }, rules: [rule] }, { flags: { other } }));
    await run(10);
    const event = { flag: "shop", event: "security", outcome: "failure", key: "somebody" };
    expect(await api("POST", "/events", { id: "b1", events: [{ ...event, event: "sale" }] })).toMatchObject({
      status: 200,
    });
    expect(await where()).toMatchObject({ phase: "progressing", served: 10 });
    await api("POST", "/events", { id: "b2", events: [event] });
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    expect((await isolatesServe("other")).percent).toBe(10);
    expect(await controller().rollout("other")).toMatchObject({ served: 10, halts: [] });
  });
});
