import { describe, expect, it } from "vitest";
import { bucketOf } from "../../src/core/analysis/histogram.ts";
import type { PlanInput } from "../../src/core/flag/plan.ts";
import { controller } from "./parts.ts";
import {
  actions,
  audit,
  isolatesServe,
  LONG_MS,
  order,
  PLAN,
  planned,
  playsInFrozenTime,
  put,
  run,
  runDeaf,
  sentences,
  view,
  where,
} from "./rollout-parts.ts";

playsInFrozenTime();

const stage = { duration: 60, minRequests: 20, maxErrorRate: 0.05 };
const refused = (reason: string) => ({ ok: false, reason });

describe("an approval", { timeout: LONG_MS }, () => {
  const manual: PlanInput = {
    stages: [
      { ...stage, percentage: 50, approval: "manual", bake: 120 },
      { ...stage, percentage: 100 },
    ],
  };

  it("is asked for once when everything else has passed; then the bake runs, and the rollout goes on", async () => {
    await put(planned({ plan: manual }));
    await run(40);
    expect(await order({ name: "approve" })).toMatchObject(refused("not-awaiting-approval"));
    await run(20);
    expect(await where()).toMatchObject({ phase: "awaitingApproval", stage: 0, served: 50 });
    await run(300);
    expect(await where()).toMatchObject({ phase: "awaitingApproval", stage: 0, served: 50 });
    expect(await sentences("approval")).toHaveLength(1);
    expect(await order({ name: "approve" }, "bob", "looks good")).toMatchObject({
      ok: true,
      rollout: { phase: "progressing", stage: 0 },
    });
    expect((await audit()).at(-1)).toMatchObject({
      action: "approve",
      who: "bob",
      how: "cli",
      reason: "looks good",
      previous: "awaitingApproval 50 %",
      next: "progressing 50 %",
      percentage: 50,
    });
    await run(20);
    expect(await view()).toMatchObject({ stage: 0, baked: 0, bake: 120 });
    await run(119);
    expect(await view()).toMatchObject({ stage: 0, baked: 119 });
    await run(1);
    expect(await where()).toMatchObject({ phase: "progressing", stage: 1, served: 100 });
  });

  it("is refused while a gate no longer holds, and without telemetry", async () => {
    const gated: PlanInput = {
      stages: [{ ...stage, percentage: 50, approval: "manual", exit: [GATE] }, { percentage: 100 }],
    };
    await put(planned({ plan: gated }));
    await run(60, { requests: 20, latency: FAST });
    expect(await where()).toMatchObject({ phase: "awaitingApproval" });
    await run(20, { requests: 200, latency: SLOW });
    const late = await order({ name: "approve" });
    expect(late).toMatchObject(refused("gates-not-passed"));
    expect((late as { sentence: string }).sentence).toContain("Green's p95");
    await run(20, { requests: 9000, latency: { [bucketOf(20)]: 9000 } });
    await runDeaf(120);
    expect(await order({ name: "approve" })).toMatchObject(refused("gates-not-passed"));
    await run(20);
    expect(await order({ name: "approve" })).toMatchObject({ ok: true });
    expect((await actions()).filter((action) => action === "approve")).toHaveLength(1);
  });
});

/** Latencies of some milliseconds, and of some seconds. */
const FAST = { [bucketOf(20)]: 20 };
const SLOW = { [bucketOf(3000)]: 200 };
const GATE = { metric: "latency_p95", below: 1000 } as const;

describe("a sign-off", { timeout: LONG_MS }, () => {
  it("of each role that is asked for is waited for, and stands in the log with who gave it", async () => {
    const word = (signOff: string) => ({ signOff, what: `${signOff} approval` });
    const plan: PlanInput = {
      stages: [
        { ...stage, percentage: 10, exit: [word("product_owner")] },
        { ...stage, percentage: 100, entry: [word("security")] },
      ],
    };
    await put(planned({ plan }));
    await run(60);
    expect(await where()).toMatchObject({ phase: "progressing", stage: 0, served: 10 });
    expect(await sentences("approval")).toHaveLength(1);
    expect(await order({ name: "signOff", role: "janitor" })).toMatchObject(refused("no-such-role"));
    expect(await order({ name: "signOff", role: "product_owner" }, "pat")).toMatchObject({ ok: true });
    await run(20);
    expect(await where()).toMatchObject({ stage: 0, served: 10 });
    expect((await view()).entry).toMatchObject([{ verdict: "insufficient" }]);
    expect(await order({ name: "signOff", role: "security" }, "sam")).toMatchObject({ ok: true });
    expect((await view()).signOffs.map(({ role, who }) => [role, who])).toEqual([
      ["product_owner", "pat"],
      ["security", "sam"],
    ]);
    await run(20);
    expect(await where()).toMatchObject({ stage: 1, served: 100 });
    const given = (await audit()).filter(({ action }) => action === "sign-off");
    expect(given.map(({ who, figures }) => [who, figures.role])).toEqual([
      ["pat", "product_owner"],
      ["sam", "security"],
    ]);
  });
});

describe("the command", { timeout: LONG_MS }, () => {
  it("start begins a plan that waits for it", async () => {
    await put(planned({ plan: { ...PLAN, start: "manual" } }));
    await run(60);
    expect(await where()).toMatchObject({ phase: "idle", stage: -1, served: 0 });
    expect((await isolatesServe()).percent).toBe(0);
    expect(await order({ name: "start" })).toMatchObject({ ok: true });
    expect(await where()).toMatchObject({ phase: "progressing", stage: 0, served: 10 });
    expect(await order({ name: "start" })).toMatchObject(refused("already-running"));
  });

  it("pause keeps green where it is until resume, and the time between does not count", async () => {
    await put(planned());
    await run(40);
    expect(await order({ name: "pause" }, "bob")).toMatchObject({ ok: true, rollout: { phase: "paused" } });
    expect(await order({ name: "pause" })).toMatchObject(refused("not-running"));
    expect(await order({ name: "advance" })).toMatchObject(refused("not-running"));
    await run(200);
    expect(await view()).toMatchObject({ phase: "paused", served: 10, elapsed: 40 });
    expect((await isolatesServe()).percent).toBe(10);
    expect(await order({ name: "resume" })).toMatchObject({ ok: true });
    expect(await order({ name: "resume" })).toMatchObject(refused("not-paused"));
    await run(19);
    expect(await where()).toMatchObject({ stage: 0 });
    await run(1);
    expect(await where()).toMatchObject({ stage: 1, served: 50 });
    expect(await sentences("pause")).toEqual(["Paused at 10 %: pause by bob: the reason"]);
  });

  it("advance goes to the next stage now, but not through its entry gates", async () => {
    const entry = [{ metric: "requests", atLeast: 40 } as const];
    const plan = {
      stages: [
        { ...stage, percentage: 10 },
        { ...stage, percentage: 50, entry },
        { ...stage, percentage: 100 },
      ],
    };
    await put(planned({ plan }));
    await run(20);
    expect(await order({ name: "advance" })).toMatchObject(refused("gates-not-passed"));
    await run(20);
    expect(await order({ name: "advance" })).toMatchObject({ ok: true, rollout: { stage: 1, served: 50 } });
    expect((await isolatesServe()).percent).toBe(50);
    expect(await order({ name: "advance" })).toMatchObject({ ok: true, rollout: { stage: 2, served: 100 } });
    expect(await order({ name: "advance" })).toMatchObject(refused("no-next-stage"));
    expect(await where()).toMatchObject({ phase: "progressing", served: 100 });
  });

  it("promote goes to the end only when every gate left holds; with force it skips them, and the log says so", async () => {
    await put(
      planned({ plan: { stages: [{ ...stage, percentage: 10 }, { percentage: 50 }, { percentage: 100 }] } }),
    );
    await run(20, { requests: 19 });
    const early = await order({ name: "promote", force: false });
    expect(early).toMatchObject(refused("gates-not-passed"));
    expect((early as { sentence: string }).sentence).toContain("19 of 20 requests have come");
    await run(20, { requests: 1 });
    expect(await order({ name: "promote", force: false })).toMatchObject({
      ok: true,
      rollout: { stage: 2, served: 100 },
    });
    expect((await audit()).find(({ action }) => action === "promote")!.figures).toMatchObject({ forced: 0 });
    await put(planned({ release: "2.1" }));
    expect(await order({ name: "promote", force: true })).toMatchObject({
      ok: true,
      rollout: { stage: 2, served: 100 },
    });
    expect((await audit()).findLast(({ action }) => action === "promote")).toMatchObject({
      who: "ann",
      figures: { forced: 1 },
      previous: "progressing 10 %",
      next: "progressing 100 %",
    });
    expect((await isolatesServe()).percent).toBe(100);
  });

  it("instant takes everybody to green at once, whatever the plan says", async () => {
    await put(planned());
    expect(await order({ name: "instant" }, "ann", "hotfix")).toMatchObject({
      ok: true,
      rollout: { phase: "completed", served: 100 },
    });
    expect((await isolatesServe()).percent).toBe(100);
    expect(await order({ name: "instant" })).toMatchObject(refused("not-running"));
    expect(await actions()).toContain("instant");
    expect(await controller().history({ flag: "shop", limit: 1 })).toMatchObject([{ outcome: "completed" }]);
  });

  it("restart goes back to the first stage, also from a halt, whose rules begin anew", async () => {
    await put(planned());
    await run(70);
    expect(await order({ name: "restart" })).toMatchObject({ ok: true, rollout: { stage: 0, served: 10 } });
    await run(20, { requests: 20, errors: 20 });
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    expect(await order({ name: "restart" })).toMatchObject({
      ok: true,
      rollout: { phase: "progressing", stage: 0, served: 10, halts: [], requests: 0 },
    });
    await run(20);
    expect(await where()).toMatchObject({ phase: "progressing", served: 10 });
    expect((await isolatesServe()).percent).toBe(10);
    const history = await controller().history({ flag: "shop", limit: 10 });
    expect(history.map(({ rollout, outcome }) => [rollout, outcome])).toEqual([
      [3, null],
      [2, "halted"],
      [1, "superseded"],
    ]);
  });

  it("resume after a halt goes back to the stage in which it was halted, and begins it anew", async () => {
    await put(planned());
    await run(80);
    await run(20, { requests: 20, errors: 20 });
    expect(await where()).toMatchObject({ phase: "halted", served: 0 });
    expect(await order({ name: "resume" })).toMatchObject({ ok: true });
    expect(await view()).toMatchObject({ phase: "progressing", stage: 1, served: 50, elapsed: 0 });
    await run(20);
    expect(await where()).toMatchObject({ phase: "progressing", stage: 1, served: 50 });
  });
});

describe("a flag without a plan", { timeout: LONG_MS }, () => {
  it("refuses what needs one, and can be paused, rolled back and resumed", async () => {
    const bare = (percentage: number) =>
      planned({ percentage })
        .replace(/"plan":\{.*?\}\]\},?/, "")
        .replace(",}", "}");
    await put(bare(30));
    for (const name of ["start", "approve", "advance"] as const)
      expect(await order({ name })).toMatchObject(refused("no-plan"));
    expect(await order({ name: "pause" })).toMatchObject({ ok: true });
    await put(bare(60));
    expect((await isolatesServe()).percent).toBe(30);
    await order({ name: "resume" });
    expect((await isolatesServe()).percent).toBe(60);
    await order({ name: "rollback", mode: "immediate" });
    expect((await isolatesServe()).percent).toBe(0);
    await order({ name: "resume" });
    expect((await isolatesServe()).percent).toBe(60);
  });
});
