import { beforeAll, describe, expect, it, vi } from "vitest";
import { secondsOf } from "../../src/admin/window.ts";
import { TOKENS } from "../support/tokens.ts";
import { ask, problemOf, putDocument, SHOP } from "./parts.ts";

const token = TOKENS.viewer;

beforeAll(async () => {
  await putDocument({
    shop: { ...SHOP, stickBy: "header:x-user-id", percentage: 45 },
    limits: { state: "on", variants: { on: 5, off: 3 } },
  });
  // The shards hear of a write a moment after it is answered.
  await vi.waitFor(async () => {
    expect((await ask("POST", "/flags/limits/evaluate", { token })).status).toBe(200);
  });
});

describe("figures of a flag", () => {
  it("are of a window in words or seconds, and say since when", async () => {
    const { status, body } = await ask("GET", "/flags/shop/metrics?window=10m", { token });
    expect([status, body]).toMatchObject([200, { flag: "shop", release: "2.0" }]);
    expect(Number(body.to) - Number(body.from)).toBeGreaterThanOrEqual(600_000);
    for (const window of ["", "90", "1m", "24h", "30d"])
      expect((await ask("GET", `/flags/shop/usage?window=${window || "24h"}`, { token })).status).toBe(200);
    for (const window of ["1s", "31d", "soon", "-5m", "1e9"])
      expect((await ask("GET", `/flags/shop/metrics?window=${window}`, { token })).body.faults).toMatchObject(
        [{ path: "window" }],
      );
    expect(problemOf(await ask("GET", "/flags/nowhere/metrics", { token }))).toBe("unknown-flag");
    expect(problemOf(await ask("GET", "/flags/nowhere/usage", { token }))).toBe("unknown-flag");
    expect((await ask("GET", "/usage", { token })).body.usage).toBeInstanceOf(Array);
  });

  it("take windows as people write them", () => {
    expect(["5m", "90", "24 hours", "7d"].map(secondsOf)).toEqual([300, 90, 86_400, 604_800]);
    expect(["", "x", "59", "-1h", "60d"].map(secondsOf)).toEqual(Array(5).fill(undefined));
  });
});

describe("an evaluation", () => {
  const evaluate = (body: unknown, flag = "shop") => ask("POST", `/flags/${flag}/evaluate`, { token, body });

  it("says what a visitor gets, by which threshold, and every step that led there", async () => {
    const found = await evaluate({ bucket: 0.27 });
    expect(found.body).toMatchObject({
      flag: "shop",
      variant: "green",
      enabled: true,
      threshold: 45,
      bucket: 27_000,
      reason: "SPLIT",
      source: "kv",
    });
    expect((found.body.steps as { decided: boolean }[]).filter(({ decided }) => decided)).toHaveLength(1);
    expect((await evaluate({ bucket: 0.45 })).body).toMatchObject({ enabled: false, variant: "blue" });
    expect((await evaluate({ targetingKey: "user-1" }, "limits")).body).toMatchObject({
      value: 5,
      enabled: true,
    });
    const all = await ask("POST", "/evaluate", { token, body: { targetingKey: "user-1" } });
    expect((all.body.evaluations as { flag: string }[]).map(({ flag }) => flag)).toEqual(["limits", "shop"]);
  });

  it("takes attributes of any simple kind, and says what it does not take", async () => {
    const attributes = { tenant: "tenant-456", seats: 5, beta: true, groups: ["a", "b"] };
    expect((await evaluate({ targetingKey: "user-1", attributes })).status).toBe(200);
    const bad: [unknown, string][] = [
      [{ bucket: 1 }, "bucket"],
      [{ bucket: "0.2" }, "bucket"],
      [{ attributes: { deep: { a: 1 } } }, "attributes.deep"],
      [{ key: "user-1" }, "body"],
    ];
    for (const [body, path] of bad)
      expect((await evaluate(body)).body).toMatchObject({ status: 400, faults: [{ path }] });
    expect(problemOf(await evaluate({}, "nowhere"))).toBe("unknown-flag");
  });
});

describe("the audit log", () => {
  it("is read by pages and filters", async () => {
    for (const percentage of [1, 2, 3])
      await ask("PUT", "/flags/limits/percentage", { body: { percentage } });
    const first = await ask("GET", "/audit?flag=limits&limit=2", { token });
    expect(first.body.entries).toHaveLength(2);
    const rest = await ask("GET", `/audit?flag=limits&limit=2&before=${first.body.next}`, { token });
    const ids = [first, rest].flatMap(({ body }) => (body.entries as { id: number }[]).map(({ id }) => id));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => b - a));
    expect((await ask("GET", "/audit?who=nobody", { token })).body).toEqual({ entries: [], next: null });
    expect((await ask("GET", "/audit?since=2100-01-01T00:00:00Z", { token })).body.entries).toEqual([]);
    expect((await ask("GET", "/audit?until=1000", { token })).body.entries).toEqual([]);
    expect((await ask("GET", "/audit?since=yesterday", { token })).body.faults).toMatchObject([
      { path: "since" },
    ]);
  });
});
