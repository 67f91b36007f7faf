import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { GoBack } from "../../src/control/controller-api.ts";
import type { FlagInput } from "../../src/core/flag/schema.ts";
import { controller, document, handEdit, quiet, withSpec } from "./parts.ts";
import { PLAN } from "./rollout-parts.ts";

afterEach(async () => {
  await quiet();
  await reset();
});

const who = { who: "ann", how: "cli", reason: "errors" } as const;

/** The flag as one document after the other says. */
async function through(...forms: Partial<FlagInput>[]): Promise<void> {
  const [first, ...later] = forms.map((form) => document(form));
  await withSpec(first);
  for (const text of later) {
    expect(await controller().putDocument({ text, ifMatch: "*", ...who })).toMatchObject({ ok: true });
  }
}

function back(to: GoBack["to"] = { flag: "shop", state: true }) {
  return controller().goBack({ to, ifMatch: undefined, ...who });
}

async function shop() {
  const { flag, served, effective } = (await controller().spec("shop"))!;
  const { state, percentage, release } = flag!;
  return { state, percentage, release, served, effective };
}

describe("a rollback", () => {
  it("goes to the last different state, with its percentage and release", async () => {
    await through(
      { state: "off", percentage: 0 },
      { percentage: 10 },
      { percentage: 25 },
      { state: "on", percentage: 100, release: "1.1" },
    );
    expect(await back()).toMatchObject({ ok: true, changed: true });
    expect(await shop()).toMatchObject({ state: "canary", percentage: 25, release: "1.0", served: 25 });
    expect((await controller().audit({ limit: 1, action: "rollback" }))[0]).toMatchObject({
      who: "ann",
      how: "cli",
      flag: "shop",
      previous: "on of 1.1",
      next: "canary 25 % of 1.0",
      reason: "errors",
      figures: { fields: ["state", "percentage", "release"] },
    });
    expect(await back()).toMatchObject({ ok: true });
    expect(await shop()).toMatchObject({ state: "off", served: 0 });
  });

  it("never raises green: a state that had more of it is passed over, and without another green goes to 0", async () => {
    await through({ state: "on", percentage: 100 }, { percentage: 5, release: "1.1" });
    const done = await back();
    expect(done).toMatchObject({ ok: true, changed: true });
    expect(await shop()).toMatchObject({ state: "canary", release: "1.1", served: 0, effective: "off" });
    expect((await controller().status()).halts).toMatchObject([{ action: "rollback", release: "1.1" }]);
    expect(await back()).toMatchObject({ ok: false, reason: "nothing-earlier" });
    expect(await shop()).toMatchObject({ served: 0 });
  });

  it("of a flag with a plan keeps the plan from leading it up again", async () => {
    const planned = { plan: PLAN, release: "2.0", percentage: 0 };
    await through({ ...planned, state: "canary" }, { ...planned, state: "on" });
    expect(await shop()).toMatchObject({ served: 100 });
    expect(await back()).toMatchObject({ ok: true });
    expect(await shop()).toMatchObject({ state: "canary", served: 10 });
    expect(await controller().rollout("shop")).toMatchObject({ phase: "paused", served: 10 });
  });

  it("to a release takes what the flag had with it, but no more of green than there is now", async () => {
    await through({ percentage: 20 }, { percentage: 80 }, { percentage: 30, release: "1.1" });
    expect(await back({ flag: "shop", version: "3.0" })).toMatchObject({
      ok: false,
      reason: "nothing-earlier",
      sentence: "shop never had release 3.0; known are 1.0",
    });
    const done = await back({ flag: "shop", version: "1.0" });
    expect(done).toMatchObject({ ok: true });
    expect((done as { sentence: string }).sentence).toContain("never raises green");
    expect(await shop()).toMatchObject({ release: "1.0", state: "canary", percentage: 30, served: 30 });
  });

  it("works beside a broken neighbour, and where the flag itself is broken in the document", async () => {
    await through({ state: "off", percentage: 0 }, { percentage: 40 });
    await handEdit(document({ percentage: 40 }, { other: { state: "nonsense" as "off" } }));
    expect(await back()).toMatchObject({ ok: true, changed: true });
    expect(await shop()).toMatchObject({ state: "off" });
    await controller().putDocument({ text: document({ percentage: 40 }), ifMatch: "*", ...who });
    await handEdit(document({ percentage: -1 }));
    expect(await back()).toMatchObject({ ok: true });
    expect(await shop()).toMatchObject({ served: 0, effective: "off" });
  });
});

describe("documents of earlier", () => {
  it("are kept, a person's too, and each can be gone back to whole", async () => {
    await withSpec(document({ percentage: 10 }));
    await handEdit(document({ percentage: 20 }));
    await controller().putDocument({ text: document({ percentage: 30 }), ifMatch: "*", ...who });
    expect(
      await controller().editFlag({
        flag: "shop",
        edit: { kind: "patch", value: { percentage: 40 } },
        ifMatch: undefined,
        ...who,
      }),
    ).toMatchObject({ ok: true });
    const kept = await controller().revisions({ limit: 10 });
    expect(kept.map(({ who, how }) => [who, how])).toEqual([
      ["ann", "cli"],
      ["ann", "cli"],
      ["kv", "kv"],
      ["kv", "kv"],
    ]);
    const older = await controller().revisions({ limit: 10, before: kept[1]!.revision });
    expect(older).toEqual(kept.slice(2));
    const second = kept[2]!.revision;
    expect(await controller().revision(second)).toBe(document({ percentage: 20 }));
    expect(await controller().revision(999)).toBeUndefined();
    expect(await back({ revision: 999 })).toMatchObject({ ok: false, reason: "unknown-revision" });
    expect(await back({ revision: second })).toMatchObject({ ok: true, changed: true });
    expect(await shop()).toMatchObject({ percentage: 20 });
    expect((await controller().audit({ limit: 1, action: "restore" }))[0]).toMatchObject({
      flag: null,
      figures: { to: second },
    });
    expect(await back({ revision: second })).toMatchObject({ ok: true, changed: false });
    // A revision without a document of its own means the one that counted then.
    const { revision: third } = kept[1]!;
    const paused = await controller().command({ flag: "shop", command: { name: "pause" }, ...who });
    const { revision: last } = (await controller().revisions({ limit: 1 }))[0]!;
    expect(paused).toMatchObject({ ok: true });
    expect((await controller().specs()).revision).toBeGreaterThan(last);
    expect(await back({ revision: last + 1 })).toMatchObject({ ok: true, changed: false });
    expect(await back({ revision: third })).toMatchObject({ ok: true, changed: true });
    expect(await shop()).toMatchObject({ percentage: 30 });
  });

  it("are a hundred at most, the newest", async () => {
    await withSpec(document());
    for (let i = 0; i < 101; i++)
      await controller().putDocument({ text: document({ notes: `${i}` }), ifMatch: "*", ...who });
    const kept = await controller().revisions({ limit: 500 });
    expect(kept).toHaveLength(100);
    expect(await controller().revision(kept[0]!.revision)).toBe(document({ notes: "100" }));
  });
});
