import { beforeEach, describe, expect, it } from "vitest";
import { bucketOf } from "../../src/core/analysis/histogram.ts";
import { sketchOfOne } from "../../src/core/analysis/sketch.ts";
import type { Tally } from "../../src/core/analysis/tally.ts";
import { batch, cell, controller, shard } from "./parts.ts";
import { LONG_MS, pass, planned, playsInFrozenTime, put, START } from "./rollout-parts.ts";

playsInFrozenTime();

const who = { who: "ann", how: "api", reason: "" } as const;
const HOUR = 3600;
const DAY = 24 * HOUR;

let seq = 0;
/** An isolate tells of requests that began just before now. */
async function came(tally: Partial<Tally>, variant: "blue" | "green" = "green", more: object = {}) {
  const present = cell({ release: "2.0", variant, ...more }, tally);
  await shard().flush(batch("isolate", ++seq, [{ ...present, tick: present.tick - 1 }]));
  await shard().settle();
}

/** Hash of one of some visitors. */
const visitor = (i: number) => Math.imul(i, 0x9e3779b1) >>> 0;
const of = (seconds: number) => ({ flag: "shop", seconds });

describe("the metrics of a flag", { timeout: LONG_MS }, () => {
  it("are those of the window: errors, latencies to 4.5 %, visitors", async () => {
    await put(planned());
    pass(60);
    await came({ requests: 100, errors: 50, latency: { [bucketOf(1000)]: 100 } });
    pass(HOUR);
    const latency = { [bucketOf(10)]: 6, [bucketOf(100)]: 4 };
    await came({
      requests: 10,
      errors: 1,
      timeouts: 1,
      censored: 2,
      latency,
      sketch: sketchOfOne(visitor(7)),
    });
    await came({ requests: 20, latency: { [bucketOf(20)]: 20 } }, "blue");
    const metrics = (await controller().metrics(of(300)))!;
    expect(metrics).toMatchObject({ flag: "shop", release: "2.0", complete: true, to: START + 3660_000 });
    expect(metrics.from % 60_000).toBe(0);
    expect(metrics.rows.map(({ variant, cohort, requests }) => [variant, cohort, requests])).toEqual([
      ["blue", null, 20],
      ["green", null, 10],
    ]);
    const green = metrics.rows[1]!;
    expect(green).toMatchObject({ errors: 1, timeouts: 1, errorRate: 0.25, visitors: 1 });
    expect(Math.abs(green.mean! / 46 - 1)).toBeLessThan(0.045);
    expect(Math.abs(green.p50! / 10 - 1)).toBeLessThan(0.045);
    expect(Math.abs(green.p95! / 100 - 1)).toBeLessThan(0.045);
    const all = (await controller().metrics(of(2 * HOUR)))!;
    expect(all.rows[1]).toMatchObject({ requests: 110, errors: 51 });
  });

  it("are told for each cohort where there are several", async () => {
    await put(planned());
    pass(10);
    await came({ requests: 3 }, "green", { cohort: "beta", placement: "match" });
    await came({ requests: 4 });
    const { rows } = (await controller().metrics(of(60)))!;
    expect(rows.map(({ variant, cohort, requests }) => [variant, cohort, requests])).toEqual([
      ["blue", null, 0],
      ["green", null, 7],
      ["green", "beta", 3],
      ["green", "ga", 4],
    ]);
  });

  it("say so where a part of the time was not kept, and nothing of a flag that is not there", async () => {
    await put(planned());
    expect(await controller().metrics(of(30 * DAY))).toMatchObject({ complete: false, rows: [] });
    expect(await controller().metrics({ flag: "nobody", seconds: 60 })).toBeUndefined();
  });
});

describe("the use of flags", { timeout: LONG_MS }, () => {
  const tenants = { context: { tenant: "header:x-tenant-id" }, stickBy: "header:x-tenant-id" };

  beforeEach(async () => {
    await put(planned(tenants, { flags: { quiet: { state: "off" } } }));
    pass(60);
  });

  it("are requests where no origin tells of events, of both sides and all releases", async () => {
    await came({
      requests: 10,
      errors: 1,
      refused: 1,
      latency: { [bucketOf(50)]: 10 },
      sketch: sketchOfOne(visitor(1)),
    });
    await came({ requests: 10, sketch: sketchOfOne(visitor(2)) }, "blue");
    await put(planned({ ...tenants, release: "2.1" }, { flags: { quiet: { state: "off" } } }));
    pass(60);
    await came({ requests: 5, sketch: sketchOfOne(visitor(2)) }, "green", { release: "2.1" });
    pass(10 * 60);
    const [first, second] = await controller().usage({ seconds: DAY });
    expect([first?.flag, second?.flag]).toEqual(["shop", "quiet"]);
    expect(first).toMatchObject({
      complete: true,
      operations: 25,
      keys: 2,
      tenants: 2,
      successRate: 23 / 25,
    });
    expect(Math.abs(first!.meanLatency! / 50 - 1)).toBeLessThan(0.045);
    expect(second).toMatchObject({
      operations: 0,
      keys: 0,
      tenants: null,
      meanLatency: null,
      successRate: null,
    });
  });

  it("are events where origins push any, but for those about shadows", async () => {
    await came({ requests: 1000, sketch: sketchOfOne(visitor(9)) });
    const event = (name: string, outcome: "success" | "failure", who: number) => ({
      flag: "shop",
      event: name,
      outcome,
      ms: 200,
      visitor: visitor(who),
    });
    await controller().ingest({
      kind: "events",
      events: [
        event("invoice", "success", 1),
        event("invoice", "failure", 2),
        event("payment", "success", 1),
        event("payment", "success", 3),
        event("shadow_mismatch", "failure", 4),
      ],
    });
    for (const seconds of [60, HOUR]) {
      const [use] = await controller().usage(of(seconds));
      expect(use).toMatchObject({ operations: 4, keys: 3, tenants: 3, successRate: 0.75 });
    }
    expect(await controller().usage({ flag: "nobody", seconds: 60 })).toEqual([]);
  });
});

describe("what is read by pages", { timeout: LONG_MS }, () => {
  it("the history goes on below a rollout's number, the audit log below an entry and by who, action and time", async () => {
    await put(planned());
    for (let i = 0; i < 3; i++) {
      pass(60);
      await controller().command({
        flag: "shop",
        command: { name: "restart" },
        ...who,
        who: i === 1 ? "bob" : "ann",
      });
    }
    const newest = await controller().history({ flag: "shop", limit: 2 });
    expect(newest.map(({ rollout }) => rollout)).toEqual([4, 3]);
    const older = await controller().history({ flag: "shop", limit: 2, before: 3 });
    expect(older.map(({ rollout }) => rollout)).toEqual([2, 1]);
    const ids = async (page: object) =>
      (await controller().audit({ limit: 200, ...page })).map(({ id }) => id);
    const all = await controller().audit({ limit: 200 });
    const where = (keep: (entry: (typeof all)[number]) => boolean) => all.filter(keep).map(({ id }) => id);
    expect(await ids({ who: "bob" })).toEqual(where((entry) => entry.who === "bob"));
    expect(await ids({ action: "restart", flag: "shop" })).toEqual(where((e) => e.action === "restart"));
    const [since, until] = [START + 60_000, START + 120_000];
    expect(await ids({ since, until })).toEqual(where(({ at }) => at >= since && at < until));
    expect(await ids({ before: all[2]!.id, who: "ann" })).toEqual(
      where(({ id, who }) => id < all[2]!.id && who === "ann"),
    );
  });

  it("how the pull stands is kept", async () => {
    expect(await controller().pullState()).toBeUndefined();
    const state = {
      etag: '"1"',
      hash: "a",
      triedAt: 3,
      goodAt: 2,
      changedAt: 1,
      failingSince: null,
      fault: null,
      losses: ["x"],
    };
    await controller().savePullState(state);
    expect(await controller().pullState()).toEqual(state);
  });
});
