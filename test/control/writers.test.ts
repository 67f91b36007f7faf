import { abortAllDurableObjects, reset, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { WriteResult } from "../../src/control/controller-api.ts";
import { OnceStore } from "../../src/control/once-store.ts";
import { Writes } from "../../src/control/writes.ts";
import { type AuditEntry, verifyChain } from "../../src/core/rollout/audit-chain.ts";
import { controller, document, quiet, withSpec } from "./parts.ts";

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await quiet();
  await reset();
});

const who = { who: "ann", how: "api", reason: "because" } as const;
const DAY_MS = 86_400_000;

function note(notes: string, more: { ifMatch?: string; key?: string; fingerprint?: string } = {}) {
  const { ifMatch, key, fingerprint = notes } = more;
  const once = key === undefined ? undefined : { key, fingerprint };
  return controller().editFlag({
    flag: "shop",
    edit: { kind: "patch", value: { notes } },
    ifMatch,
    ...who,
    ...(once && { once }),
  });
}

async function ofAnn(): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (let before: number | undefined; ; before = entries.at(-1)!.id) {
    const page = await controller().audit({
      limit: 200,
      who: "ann",
      ...(before !== undefined && { before }),
    });
    entries.push(...page);
    if (page.length < 200) return entries.reverse();
  }
}

describe("two hundred writers of one flag at once", () => {
  it("lose no update: of those with one etag one gets through, and each that does is in the audit chain", async () => {
    await withSpec();
    const text = async () => String((await controller().spec("shop"))!.flag!.notes ?? "");
    const won: string[] = [];
    const ROUNDS = 5;
    for (let round = 0; round < ROUNDS; round++) {
      const ifMatch = (await controller().spec("shop"))!.etag;
      const before = await text();
      const names = Array.from({ length: 200 }, (_, i) => `${round}/${i}`);
      const results = await Promise.all(names.map((name) => note(`${before} ${name}`, { ifMatch })));
      const done = names.filter((_, i) => results[i]!.ok);
      expect(done).toHaveLength(1);
      expect(results.filter((one) => !one.ok && one.reason === "conflict")).toHaveLength(199);
      won.push(...done);
    }
    expect((await text()).trim().split(" ")).toEqual(won);
    expect((await ofAnn()).filter(({ action }) => action === "set")).toHaveLength(ROUNDS);
    const all = await controller().audit({ limit: 200 });
    expect(verifyChain(all.reverse())).toMatchObject({ ok: true });
  }, 20_000);

  it("without an etag all get through, one after the other, and none is missing in the audit chain", async () => {
    await withSpec();
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => note(`note ${i}`)));
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(new Set(results.map(({ revision }) => revision)).size).toBe(200);
    expect((await ofAnn()).filter(({ action }) => action === "set")).toHaveLength(200);
  }, 20_000);

  it("that have waited for the same reading of KV let others be heard in between", async () => {
    await withSpec();
    const done = await runInDurableObject(controller(), async (_, { storage }) => {
      const done: string[] = [];
      const reading = new Promise<void>((resolve) => setTimeout(resolve, 0));
      const host = {
        once: new OnceStore(storage),
        started: async () => undefined,
        read: () => reading,
      };
      const writes = new Writes(host);
      const order = (name: string) =>
        writes.carryOut<{ ok: boolean }>({
          order: who,
          ifMatch: undefined,
          etag: () => undefined,
          refuse: () => ({ ok: false }),
          act: () => {
            // What comes in while the first is carried out: a kill, or failures of green.
            if (done.length === 0) setTimeout(() => done.push("heard"), 0);
            done.push(name);
            return { ok: true };
          },
        });
      await Promise.all(["one", "two", "three", "four"].map(order));
      return done;
    });
    expect(done).toEqual(expect.arrayContaining(["one", "two", "three", "four", "heard"]));
    expect(done.indexOf("heard")).toBeLessThanOrEqual(2);
  });
});

describe("a write with a key of its own", () => {
  const replayed = (results: WriteResult[]) => results.filter((one) => one.ok && one.replayed).length;

  it("happens once, however many of it race", async () => {
    await withSpec();
    const results = await Promise.all(Array.from({ length: 20 }, () => note("once", { key: "k" })));
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(replayed(results)).toBe(19);
    expect(new Set(results.map(({ revision }) => revision)).size).toBe(1);
    expect(await ofAnn()).toHaveLength(1);
  });

  it("is answered as it was, also after a crash, another edit and with an etag that is old by then", async () => {
    await withSpec();
    const ifMatch = (await controller().spec("shop"))!.etag;
    const first = await note("mine", { key: "k", ifMatch });
    expect(first).toMatchObject({ ok: true, changed: true, replayed: false });
    await note("another's");
    await abortAllDurableObjects();
    expect(await note("mine", { key: "k", ifMatch })).toEqual({ ...first, replayed: true });
    expect((await controller().spec("shop"))?.flag?.notes).toBe("another's");
  });

  it("is refused where the key stands for another write, and is free again after a day", async () => {
    await withSpec();
    await note("one", { key: "k" });
    expect(await note("two", { key: "k" })).toMatchObject({ ok: false, reason: "key-reused" });
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + DAY_MS);
    expect(await note("two", { key: "k" })).toMatchObject({ ok: true, replayed: false });
  });

  it("can be tried again with the key after it was refused", async () => {
    await withSpec();
    const old = '"0-0"';
    expect(await note("late", { key: "k", ifMatch: old })).toMatchObject({ ok: false, reason: "conflict" });
    const ifMatch = (await controller().spec("shop"))!.etag;
    expect(await note("late", { key: "k", ifMatch })).toMatchObject({ ok: true, replayed: false });
  });

  it("is a command just as well: a rollback that is sent twice is answered twice and done once", async () => {
    await withSpec();
    const order = {
      flag: "shop",
      command: { name: "rollback", mode: "immediate" },
      ...who,
      once: { key: "k", fingerprint: "rollback" },
    } as const;
    const [a, b] = await Promise.all([controller().command(order), controller().command(order)]);
    expect(a).toMatchObject({ ok: true, replayed: false, rollout: { phase: "halted" } });
    expect(b).toEqual({ ...a, replayed: true });
    const { once: _, ...again } = order;
    expect(await controller().command(again)).toMatchObject({ ok: false, reason: "already-rolled-back" });
    const lift = { flag: "shop", ...who, once: { key: "l", fingerprint: "resume" } };
    const lifted = await controller().resume(lift);
    expect(lifted).toMatchObject({ ok: true });
    expect(await controller().resume(lift)).toEqual({ ...lifted, replayed: true });
    const other = { ...lift, once: { key: "k", fingerprint: "resume" } };
    expect(await controller().resume(other)).toMatchObject({ ok: false, reason: "key-reused" });
  });

  it("is forgotten with the write where the object dies before it is done", async () => {
    await withSpec(document({ notes: "before" }));
    const dying = note("mine", { key: "k" }).catch(() => undefined);
    await abortAllDurableObjects();
    await dying;
    const again = await note("mine", { key: "k" });
    expect(again).toMatchObject({ ok: true });
    expect((await ofAnn()).filter(({ action }) => action === "set")).toHaveLength(1);
    expect((await controller().spec("shop"))?.flag?.notes).toBe("mine");
  });
});

describe("a raise by the API", () => {
  it("says that it may take a minute where a person's text is in KV, and only then", async () => {
    await withSpec(document({ percentage: 10 }));
    const set = (percentage: number) =>
      controller().editFlag({
        flag: "shop",
        edit: { kind: "patch", value: { percentage } },
        ifMatch: undefined,
        ...who,
      });
    expect(await set(50)).toMatchObject({ sentence: expect.stringContaining("put by hand") });
    await quiet();
    expect(await set(60)).toMatchObject({ ok: true, sentence: null });
    await reset();
    await withSpec(document({ percentage: 10 }));
    expect(await set(5)).toMatchObject({ ok: true, sentence: null });
  });
});
