import { abortAllDurableObjects, evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Snapshot } from "../../src/core/rollout/snapshot.ts";
import {
  bad,
  batch,
  bindings,
  cell,
  controller,
  document,
  handEdit,
  shard,
  sumsOf,
  withSpec,
} from "./parts.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const who = { who: "ann", how: "api", reason: "test" } as const;

/** Sends what halts release 1.0 and waits until the shard has the halt. */
async function makeHalt(isolate = "bad"): Promise<void> {
  await shard().flush(batch(isolate, 1, [bad()]));
  await vi.waitFor(async () => {
    const { snapshot } = await shard().flush(batch(isolate, 0, [], { statusOnly: true }));
    expect(snapshot?.halts.length).toBe(1);
  });
}

async function actions(): Promise<string[]> {
  return (await controller().audit({ limit: 50 })).map((entry) => entry.action);
}

describe("a release that fails", () => {
  it("is halted on arrival of the batch, with the figures in the audit log", async () => {
    await withSpec();
    const sent = Date.now();
    await makeHalt();
    expect(Date.now() - sent).toBeLessThan(1000);
    const [entry] = await controller().audit({ limit: 1 });
    expect(entry).toMatchObject({
      who: "controller",
      action: "rollback",
      how: "controller",
      flag: "shop",
      release: "1.0",
      reason: "Green failed 25 % of 40 requests in 60 s; the limit is 10 %",
      figures: { rule: "error_rate > 0.1", requests: 40, failures: 10, diverted: 0, rate: 0.25, limit: 0.1 },
    });
    const status = await controller().status();
    expect(status.flags[0]).toMatchObject({ share: 0, halt: { rule: "error_rate > 0.1" } });
  });

  it("is published to KV with its revision", async () => {
    await withSpec();
    await makeHalt();
    await vi.waitFor(
      async () => {
        const { value, metadata } = await bindings.FLAGS.getWithMetadata<{ revision: number }>("snapshot");
        const snapshot = JSON.parse(value ?? "{}") as Snapshot;
        expect(snapshot.halts).toHaveLength(1);
        expect(metadata?.revision).toBe(snapshot.revision);
      },
      { timeout: 3000 },
    );
  });

  it("is halted and logged once, whatever else arrives of it", async () => {
    await withSpec();
    await makeHalt();
    const { revision } = await controller().status();
    for (let seq = 1; seq <= 3; seq++) await shard().flush(batch(`late${seq}`, 1, [bad()]));
    await sumsOf();
    expect((await controller().status()).revision).toBe(revision);
    expect((await actions()).filter((action) => action === "rollback")).toHaveLength(1);
  });

  it("is left alone in a flag that is not in canary or on", async () => {
    await withSpec(document({ state: "off" }));
    await shard().flush(batch("a", 1, [bad()]));
    expect(await sumsOf()).toMatchObject({ requests: 40 });
    expect((await controller().status()).halts).toEqual([]);
  });
});

describe("a halt", () => {
  it("survives eviction and crash of the controller", async () => {
    await withSpec();
    await makeHalt();
    await evictDurableObject(controller());
    expect((await controller().current())?.halts).toHaveLength(1);
    await abortAllDurableObjects();
    expect((await controller().current())?.halts).toHaveLength(1);
  });

  it("survives an unrelated edit, lets the next release through, and meets its own release again", async () => {
    await withSpec();
    await makeHalt();
    const put = async (text: string) => {
      expect(await controller().putDocument({ ifMatch: "*", text, ...who })).toMatchObject({ ok: true });
      const shop = (await controller().status()).flags.find((flag) => flag.name === "shop");
      return { share: shop?.share, halted: shop?.halt?.release };
    };
    expect(await put(document({ notes: "a note" }))).toEqual({ share: 0, halted: "1.0" });
    expect(await put(document({ percentage: 80 }))).toEqual({ share: 0, halted: "1.0" });
    expect(await put(document({ release: "1.1" }))).toEqual({ share: 50_000, halted: undefined });
    expect(await put(document({ release: "1.0" }))).toEqual({ share: 0, halted: "1.0" });
  });

  it("is lifted by resume alone, and what was counted before does not bring it back", async () => {
    await withSpec();
    await makeHalt();
    expect(await controller().resume({ flag: "shop", release: "9", ...who })).toMatchObject({
      ok: false,
      reason: "not-halted",
    });
    expect(await controller().resume({ flag: "shop", ...who })).toMatchObject({ ok: true });
    await shard().flush(batch("old", 1, [{ ...bad(), tick: bad().tick - 2 }]));
    expect(await sumsOf()).toMatchObject({ requests: 80 });
    expect((await controller().status()).halts).toEqual([]);
    expect((await actions()).slice(0, 2)).toEqual(["resume", "rollback"]);
    // What starts after the resume counts again.
    await shard().flush(batch("new", 1, [{ ...bad(), tick: bad().tick + 1 }]));
    await sumsOf();
    expect((await controller().status()).halts).toHaveLength(1);
  });

  it("stays lifted after an eviction, with the evidence of before left out", async () => {
    await withSpec();
    await makeHalt();
    await controller().resume({ flag: "shop", ...who });
    await evictDurableObject(controller());
    await shard().flush(batch("old", 1, [{ ...bad(), tick: bad().tick - 2 }]));
    await sumsOf();
    expect((await controller().status()).halts).toEqual([]);
  });
});

describe("a controller that lost its store", () => {
  async function lose(): Promise<void> {
    await runInDurableObject(controller(), (_, state) => state.storage.deleteAll());
    await abortAllDurableObjects();
  }

  it("goes on from the snapshot in KV: halts, flags and a higher revision", async () => {
    await withSpec();
    await makeHalt();
    await vi.waitFor(
      async () => expect(JSON.parse((await bindings.FLAGS.get("snapshot")) ?? "{}").halts).toHaveLength(1),
      { timeout: 3000 },
    );
    const { revision } = await controller().status();
    await lose();
    const snapshot = await controller().current();
    expect(snapshot?.halts).toMatchObject([{ flag: "shop", release: "1.0" }]);
    expect(snapshot?.flags.shop?.percentage).toBe(50);
    expect(snapshot?.revision).toBeGreaterThan(revision);
    expect(await sumsOf()).toMatchObject({ requests: 40 });
  });

  it("goes on from what the shards hold when that is newer than KV's", async () => {
    await withSpec();
    await makeHalt();
    await bindings.FLAGS.delete("snapshot");
    await lose();
    expect((await controller().current())?.halts).toHaveLength(1);
  });
});

describe("a spec", () => {
  it("with a broken flag keeps that flag's last good form, and the others go on", async () => {
    await withSpec(document({}, { other: { state: "off" } }));
    await vi.waitFor(async () => expect((await controller().status()).kvReadAt).toBeGreaterThan(0));
    const broken = document({ percentage: 500 }, { other: { state: "canary", percentage: 5 } });
    await handEdit(broken);
    await vi.waitFor(
      async () => {
        const { hashText } = await import("../../src/core/hashing/text.ts");
        const { snapshot } = await shard().offerEdit({ hash: hashText(broken), text: broken }, 0);
        expect(snapshot?.faults.map((fault) => fault.path)).toEqual(["flags.shop.percentage"]);
        expect(snapshot?.flags.shop?.percentage).toBe(50);
        expect(snapshot?.flags.other?.percentage).toBe(5);
      },
      { timeout: 3000 },
    );
  });

  it("that cannot be read changes nothing but its faults", async () => {
    await withSpec();
    const text = "{ no json";
    await handEdit(text);
    await vi.waitFor(async () => {
      const { hashText } = await import("../../src/core/hashing/text.ts");
      const { snapshot } = await shard().offerEdit({ hash: hashText(text), text }, 0);
      expect(snapshot?.faults.length).toBeGreaterThan(0);
      expect(snapshot?.flags.shop?.percentage).toBe(50);
    });
  });

  it("from the API goes into KV with its revision; a stale writer and a faulty text are refused", async () => {
    await withSpec();
    const { revision, etag } = (await controller().document())!;
    const text = document({ percentage: 70 });
    expect(await controller().putDocument({ text, ifMatch: etag, ...who })).toMatchObject({
      ok: true,
      changed: true,
      revision: revision + 1,
    });
    await vi.waitFor(async () => {
      const { value, metadata } = await bindings.FLAGS.getWithMetadata("flags");
      expect({ value, metadata }).toEqual({ value: text, metadata: { revision: revision + 1 } });
    });
    const again = await controller().putDocument({ text: document(), ifMatch: etag, ...who });
    expect(again).toMatchObject({ ok: false, reason: "conflict", revision: revision + 1 });
    const faulty = await controller().putDocument({
      ifMatch: "*",
      text: document({ percentage: -1 }),
      ...who,
    });
    expect(faulty).toMatchObject({
      ok: false,
      reason: "invalid",
      faults: [{ path: "flags.shop.percentage" }],
    });
    expect((await actions()).slice(0, 2)).toEqual(["percentage", "adopt"]);
  });

  it("from the API is refused when a hand edit came before that the writer did not know of", async () => {
    await withSpec();
    const { etag } = (await controller().document())!;
    await handEdit(document({ percentage: 20 }));
    const late = await controller().putDocument({
      text: document({ percentage: 90 }),
      ifMatch: etag,
      ...who,
    });
    expect(late).toMatchObject({ ok: false, reason: "conflict" });
    expect((await controller().current())?.flags.shop?.percentage).toBe(20);
  });

  it("says in the audit log who changed it and which flags", async () => {
    await withSpec();
    await controller().putDocument({
      ifMatch: "*",
      text: document({ percentage: 60 }, { other: { state: "off" } }),
      ...who,
    });
    const entries = await controller().audit({ limit: 20 });
    const [api, kv] = entries.filter(({ action }) => action === "adopt");
    expect(api).toMatchObject({
      who: "ann",
      action: "adopt",
      reason: "test",
      figures: { regenerated: ["shop", "other"] },
    });
    expect(kv).toMatchObject({ who: "kv", action: "adopt", figures: { regenerated: ["shop"] } });
    expect(entries.find(({ action }) => action === "percentage")).toMatchObject({
      who: "ann",
      how: "api",
      flag: "shop",
      previous: "progressing 50 %",
      next: "progressing 60 %",
      percentage: 60,
    });
    // What is still being put would be the next test's.
    await vi.waitFor(async () => {
      const { metadata } = await bindings.FLAGS.getWithMetadata<{ revision: number }>("flags");
      expect(metadata?.revision).toBeGreaterThan(0);
    });
  });

  it("can be killed by the kill key, which the status shows", async () => {
    await withSpec();
    await bindings.FLAGS.put("kill", "shop other");
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 11_000);
    await vi.waitFor(async () => {
      const status = await controller().status();
      expect(status).toMatchObject({ kill: "shop other", flags: [{ killed: true, share: 0 }] });
    });
  });
});

describe("the status", () => {
  it("shows sums per flag, cohort, variant and placement with latencies and requests in flight", async () => {
    await withSpec();
    const slow = cell(
      { variant: "blue", cohort: "beta", placement: "match" },
      { requests: 2, latency: { 80: 1, 96: 1 } },
    );
    const waiting = { row: slow.row, count: 3, oldestMs: 4000 };
    await shard().flush(batch("a", 1, [slow], { inFlight: [waiting] }));
    const status = await controller().status();
    expect(status).toMatchObject({ isolates: 1, lost: 0, sampling: 1 });
    expect(status.flags[0]?.verdict).toMatchObject({ verdict: "insufficient" });
    const [row] = status.flags[0]?.rows ?? [];
    expect(row).toMatchObject({
      cohort: "beta",
      variant: "blue",
      placement: "match",
      requests: 2,
      inFlight: 3,
      oldestMs: 4000,
    });
    expect(row!.p50).toBeGreaterThan(0);
    expect(row!.p99).toBeGreaterThan(row!.p50!);
  });

  it("says that nothing is measured when no isolate reports", async () => {
    await withSpec();
    const [flag] = (await controller().status()).flags;
    expect(flag?.verdict).toMatchObject({ verdict: "unmeasured" });
  });
});
