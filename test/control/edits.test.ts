import { reset } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AuditEntry, WriteDone, WriteResult } from "../../src/control/controller-api.ts";
import type { FlagEdit } from "../../src/core/flag/edit.ts";
import type { Value } from "../../src/core/flag/schema.ts";
import { verifyChain } from "../../src/core/rollout/audit-chain.ts";
import { batch, bindings, controller, document, handEdit, quiet, shard, withSpec } from "./parts.ts";

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await quiet();
  await reset();
});

const who = { who: "ann", how: "api", reason: "because" } as const;

function edit(flag: string, edit: FlagEdit, ifMatch: string | undefined = undefined): Promise<WriteResult> {
  return controller().editFlag({ flag, edit, ifMatch, ...who });
}

function patch(value: { [key: string]: Value }, flag = "shop", ifMatch?: string) {
  return edit(flag, { kind: "patch", value }, ifMatch);
}

async function etagOf(flag: string): Promise<string> {
  return (await controller().spec(flag))!.etag;
}

async function newest(): Promise<AuditEntry> {
  return (await controller().audit({ limit: 1 }))[0]!;
}

const two = () => document({}, { other: { state: "off" } });

describe("the etag of a flag", () => {
  it("changes with the flag and not with its neighbours, and is never again what it was", async () => {
    await withSpec(two());
    const [first, other] = [await etagOf("shop"), await etagOf("other")];
    expect(first).toMatch(/^"[\w-]+"$/);
    expect(await patch({ percentage: 60 }, "shop", first)).toMatchObject({ ok: true, changed: true });
    const second = await etagOf("shop");
    expect(await patch({ percentage: 50 }, "shop", second)).toMatchObject({ ok: true });
    const third = await etagOf("shop");
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await etagOf("other")).toBe(other);
    expect(await patch({ percentage: 70 }, "shop", first)).toMatchObject({
      ok: false,
      reason: "conflict",
      etag: third,
    });
    expect(await patch({ state: "on" }, "other", other)).toMatchObject({ ok: true });
  });

  it("does not change with what the controller decides, nor does the document's", async () => {
    await withSpec(two());
    const [flag, doc] = [await etagOf("shop"), (await controller().document())!.etag];
    const paused = await controller().command({ flag: "shop", command: { name: "pause" }, ...who });
    expect(paused).toMatchObject({ ok: true, etag: flag });
    expect(await etagOf("shop")).toBe(flag);
    expect((await controller().document())!.etag).toBe(doc);
    expect((await controller().specs()).etag).toBe(doc);
  });

  it("is asked about by commands that send it", async () => {
    await withSpec(two());
    const old = await etagOf("shop");
    await patch({ percentage: 60 });
    const command = { name: "rollback", mode: "kill" } as const;
    expect(await controller().command({ flag: "shop", command, ifMatch: old, ...who })).toMatchObject({
      ok: false,
      reason: "conflict",
    });
    expect(await controller().command({ flag: "shop", command, ...who })).toMatchObject({ ok: true });
    expect(await controller().resume({ flag: "shop", ifMatch: old, ...who })).toMatchObject({
      ok: false,
      reason: "conflict",
    });
    expect(await controller().resume({ flag: "shop", ifMatch: "*", ...who })).toMatchObject({ ok: true });
  });
});

describe("an edit of one flag", () => {
  it("leaves the rest of the document as it is, reaches isolates and KV, and is told in the audit log", async () => {
    const text = '{\n  "flags": {\n    "a": {"state":  "off"},\n    "b": { "state": "off" }\n  }\n}\n';
    await withSpec(text);
    const done = (await patch({ state: "canary", percentage: 10 }, "b")) as WriteDone;
    expect(done).toMatchObject({ ok: true, changed: true, replayed: false, etag: await etagOf("b") });
    const written = (await controller().document())!.text;
    expect(written.startsWith('{\n  "flags": {\n    "a": {"state":  "off"},\n    "b": {')).toBe(true);
    expect(JSON.parse(written).flags.b).toEqual({ state: "canary", percentage: 10 });
    const { snapshot } = await shard().flush(batch("cold", 0, [], { statusOnly: true }));
    expect(snapshot?.flags.b?.percentage).toBe(10);
    await vi.waitFor(async () => {
      const { value, metadata } = await bindings.FLAGS.getWithMetadata("flags");
      expect({ value, metadata }).toEqual({ value: written, metadata: { revision: done.revision } });
    });
    expect(await newest()).toMatchObject({
      who: "ann",
      how: "api",
      action: "set",
      flag: "b",
      previous: "off",
      next: "canary 10 %",
      percentage: 10,
      reason: "because",
      figures: { fields: ["state", "percentage"], revision: done.revision },
    });
  });

  it("is refused for faults of its own and for those that it brings elsewhere, and then changes nothing", async () => {
    const route = { blue: "https://blue.example", green: "https://green.example" };
    await withSpec(document({}, { other: { state: "off", route } }));
    const before = (await controller().document())!;
    expect(await patch({ percentage: 500 })).toMatchObject({
      ok: false,
      reason: "invalid",
      faults: [{ path: "flags.shop.percentage" }],
    });
    // The same hosts and paths as another's: the fault is the one's whose name sorts last.
    expect(await edit("a", { kind: "create", value: { state: "off", route } })).toMatchObject({
      ok: false,
      reason: "invalid",
      faults: [{ path: "flags.other.route.paths[0]" }],
    });
    expect(await controller().document()).toEqual(before);
  });

  it("goes on beside a neighbour that was broken before", async () => {
    await withSpec(document({}, { other: { state: "off" } }));
    const broken = document({}, { other: { state: "nonsense" as "off", percentage: -1 } });
    await handEdit(broken);
    expect(await patch({ percentage: 60 })).toMatchObject({ ok: true, changed: true });
    const specs = await controller().specs();
    expect(specs.flags.map(({ name, faults }) => [name, faults.length > 0])).toEqual([
      ["shop", false],
      ["other", true],
    ]);
    expect(specs.flags[0]?.flag?.percentage).toBe(60);
    expect(await patch({ notes: "still broken" }, "other")).toMatchObject({ ok: false, reason: "invalid" });
    const whole = { kind: "put", value: { state: "off" } } as const;
    expect(await edit("other", whole)).toMatchObject({ ok: true });
    expect((await controller().specs()).faults).toEqual([]);
  });

  it("comes after a person's edit that is in KV, and meets its etag", async () => {
    await withSpec(two());
    const [shop, other] = [await etagOf("shop"), await etagOf("other")];
    await handEdit(document({ percentage: 20 }, { other: { state: "off" } }));
    expect(await patch({ percentage: 90 }, "shop", shop)).toMatchObject({ ok: false, reason: "conflict" });
    expect(await patch({ state: "on" }, "other", other)).toMatchObject({ ok: true });
    const { flags } = (await controller().current())!;
    expect([flags.shop?.percentage, flags.other?.state]).toEqual([20, "on"]);
  });

  it("makes the first flag where there is no document yet, and deletes it again", async () => {
    const value = { state: "off" } as const;
    expect(await edit("new", { kind: "patch", value })).toMatchObject({ ok: false, reason: "unknown-flag" });
    expect(await edit("new", { kind: "create", value })).toMatchObject({ ok: true, changed: true });
    expect(await edit("new", { kind: "create", value })).toMatchObject({ ok: false, reason: "exists" });
    const spec = (await controller().spec("new"))!;
    expect(spec).toMatchObject({ written: value, effective: "off", why: null, served: 0 });
    expect(spec.createdAt).toBe(spec.updatedAt);
    expect(await edit("new", { kind: "delete" }, spec.etag)).toMatchObject({ ok: true });
    expect(await controller().spec("new")).toBeUndefined();
    expect(await newest()).toMatchObject({ action: "delete", flag: "new", previous: "off", next: null });
    // Whoever puts over what is gone does not make it anew.
    expect(await edit("new", { kind: "put", value }, spec.etag)).toMatchObject({ reason: "conflict" });
    expect((await controller().audit({ limit: 10 })).map(({ action }) => action)).toContain("create");
  });

  it("that changes nothing is done, and stands in the audit log as well", async () => {
    await withSpec(two());
    const { revision } = (await controller().document())!;
    expect(await patch({ percentage: 50 })).toMatchObject({ ok: true, changed: false, revision });
    expect(await newest()).toMatchObject({ action: "set", flag: "shop", figures: { fields: [] } });
  });

  it("names in the audit log no user whose override it sets", async () => {
    await withSpec(two());
    const id = "user-4711@example.com";
    const set = { kind: "override", of: "users", id, override: { state: "on" } } as const;
    expect(await edit("shop", set)).toMatchObject({ ok: true, changed: true });
    expect((await controller().spec("shop"))?.flag?.overrides.users).toEqual({ [id]: { state: "on" } });
    const cleared = { ...set, override: null };
    expect(await edit("shop", cleared)).toMatchObject({ ok: true, changed: true });
    expect(await edit("shop", cleared)).toMatchObject({ ok: true, changed: false });
    const entries = await controller().audit({ limit: 50 });
    expect(entries.slice(0, 3).map(({ action, figures }) => [action, figures.of])).toEqual([
      ["override-removed", "user"],
      ["override-removed", "user"],
      ["override", "user"],
    ]);
    expect(JSON.stringify(entries)).not.toContain("4711");
    expect(verifyChain(entries.reverse())).toMatchObject({ ok: true });
  });

  it("is refused with a way out where the text is too long to be kept", async () => {
    await withSpec(two());
    await handEdit(`${two()}${" ".repeat(1_900_000)}`);
    const refused = await patch({ percentage: 60 });
    expect(refused).toMatchObject({ ok: false, reason: "no-document" });
    expect((refused as { sentence: string }).sentence).toContain("put it whole");
    expect((await controller().current())?.flags.shop?.percentage).toBe(50);
  });
});

describe("the global switch", () => {
  it("takes everybody to blue and back, whatever is broken", async () => {
    await withSpec(document({}, { other: { state: "nonsense" as "off" } }));
    const off = { enabled: false, ifMatch: undefined, ...who };
    expect(await controller().setEnabled(off)).toMatchObject({ ok: true, changed: true });
    expect(await controller().spec("shop")).toMatchObject({ effective: "off", served: 0 });
    expect((await controller().spec("shop"))?.why).toContain("global switch");
    expect(await controller().setEnabled(off)).toMatchObject({ ok: true, changed: false });
    expect(await controller().setEnabled({ ...off, enabled: true })).toMatchObject({ changed: true });
    expect(await controller().spec("shop")).toMatchObject({ effective: "canary", served: 50, why: null });
    expect(await newest()).toMatchObject({ action: "enable", flag: null, previous: "switched off" });
  });
});

describe("a flag that is kept from green", () => {
  it("says by what: the kill key, a kill, a halt", async () => {
    await withSpec(two());
    await controller().command({ flag: "shop", command: { name: "rollback", mode: "immediate" }, ...who });
    const halted = (await controller().spec("shop"))!;
    expect([halted.effective, halted.served]).toEqual(["off", 0]);
    expect(halted.why).toContain("rollback by ann");
    await controller().command({ flag: "shop", command: { name: "rollback", mode: "kill" }, ...who });
    expect(await controller().spec("shop")).toMatchObject({ effective: "kill" });
    await bindings.FLAGS.put("kill", "*");
    await controller().putDocument({ text: two(), ifMatch: "*", ...who });
    expect((await controller().spec("other"))?.why).toContain("kill key");
  });
});
