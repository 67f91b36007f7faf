import { beforeEach, describe, expect, it } from "vitest";
import { TOKENS } from "../support/tokens.ts";
import { ask, problemOf, putDocument, SHOP } from "./parts.ts";

const merge = (more: Record<string, string> = {}) => ({ "if-match": "*", ...more });
const written = async (name: string) => (await ask("GET", `/flags/${name}`)).body.written;
const entries = async () => (await ask("GET", "/audit?limit=200")).body.entries as Record<string, unknown>[];

beforeEach(() => putDocument({ shop: SHOP, invoices: { state: "off" } }));

describe("a flag by the API", () => {
  it("is made, read, replaced, changed and taken out; all else stays as it was written", async () => {
    const made = await ask("POST", "/flags", { body: { name: "new-menu", state: "off", owner: "ann" } });
    expect(made).toMatchObject({
      status: 201,
      body: { changed: true, replayed: false, flag: { name: "new-menu" } },
    });
    expect(made.headers.get("location")).toBe("/_greenlight/api/flags/new-menu");
    const read = await ask("GET", "/flags/new-menu");
    expect(read.body).toMatchObject({
      written: { state: "off", owner: "ann" },
      effective: "off",
      faults: [],
    });
    const put = await ask("PUT", "/flags/new-menu", {
      headers: { "if-match": read.etag! },
      body: { state: "on", notes: "all" },
    });
    expect(put).toMatchObject({ status: 200, body: { flag: { written: { state: "on", notes: "all" } } } });
    const patched = await ask("PATCH", "/flags/new-menu?reason=tidy", {
      headers: { "if-match": put.etag!, "content-type": "application/merge-patch+json" },
      body: { notes: null, description: "The menu" },
    });
    expect(patched).toMatchObject({
      status: 200,
      body: { flag: { written: { state: "on", description: "The menu" } } },
    });
    const gone = await ask("DELETE", "/flags/new-menu", { headers: { "if-match": patched.etag! } });
    expect(gone.status).toBe(200);
    expect(await ask("GET", "/flags/new-menu")).toMatchObject({ status: 404 });
    expect(await written("shop")).toEqual(SHOP);
  });

  it("is changed only over what the writer has seen, and others' changes do not stand in the way", async () => {
    const { etag } = await ask("GET", "/flags/shop");
    const patch = (body: object, headers: Record<string, string>) =>
      ask("PATCH", "/flags/shop", { body, headers });
    expect(problemOf(await patch({ percentage: 20 }, {}))).toBe("precondition-required");
    expect(problemOf(await patch({ percentage: 20 }, { "if-match": "7" }))).toBe("bad-request");
    await ask("PATCH", "/flags/invoices", { body: { state: "on" }, headers: merge() });
    // A proxy that compresses answers makes an etag weak.
    const mine = await patch({ percentage: 20 }, { "if-match": `W/${etag}` });
    expect(mine.status).toBe(200);
    const late = await patch({ percentage: 30 }, { "if-match": etag! });
    expect(late).toMatchObject({ status: 412 });
    expect(late.etag).toBe(mine.etag);
    expect(await written("shop")).toMatchObject({ percentage: 20 });
  });

  it("that is there is not made again, and not made anew by who only wants to change it", async () => {
    const post = await ask("POST", "/flags", { body: { name: "shop", state: "off" } });
    expect([post.status, problemOf(post)]).toEqual([409, "flag-exists"]);
    const onlyNew = { headers: { "if-none-match": "*" }, body: { state: "off" } };
    expect(await ask("PUT", "/flags/shop", onlyNew)).toMatchObject({ status: 412 });
    expect(await ask("PUT", "/flags/fresh", onlyNew)).toMatchObject({ status: 200 });
    const gone = { headers: { "if-match": '"0-0"' }, body: { state: "off" } };
    expect(await ask("PUT", "/flags/nowhere", gone)).toMatchObject({ status: 412 });
    for (const method of ["PATCH", "DELETE"])
      expect((await ask(method, "/flags/nowhere", { headers: merge(), body: {} })).status).toBe(404);
  });

  it("with faults is refused with the path of each, and a broken neighbour stops nobody", async () => {
    const bad = await ask("PATCH", "/flags/shop", {
      headers: merge(),
      body: { percentage: 500, statee: "on" },
    });
    expect([bad.status, problemOf(bad)]).toEqual([422, "invalid-document"]);
    const paths = (bad.body.faults as { path: string }[]).map(({ path }) => path);
    expect(paths.sort()).toEqual(["flags.shop.percentage", "flags.shop.statee"]);
    expect(await written("shop")).toEqual(SHOP);
  });

  it("is known by its etag until anything of it is different, what is served included", async () => {
    const { etag } = await ask("GET", "/flags/shop");
    const again = () => ask("GET", "/flags/shop", { headers: { "if-none-match": etag! } });
    expect(await again()).toMatchObject({ status: 304, text: "" });
    await ask("POST", "/flags/shop/kill", { body: { reason: "odd" } });
    expect(await again()).toMatchObject({ status: 200, body: { effective: "kill", served: 0 } });
    // The written text is the same: who has seen it may still change it.
    const patch = await ask("PATCH", "/flags/shop", {
      headers: { "if-match": etag! },
      body: { notes: "killed" },
    });
    expect(patch.status).toBe(200);
    await ask("POST", "/flags/shop/resume", { body: { reason: "over" } });
  });

  it("is listed with its effective state, for nobody in particular and for a tenant", async () => {
    await putDocument({
      shop: SHOP,
      invoices: { state: "off", owner: "Billing", overrides: { tenants: { "tenant-456": { state: "on" } } } },
    });
    const list = await ask("GET", "/flags");
    expect(list.body.effective_states).toEqual({ shop: "canary", invoices: "off" });
    expect((await ask("GET", "/flags?q=billing&state=off")).body.flags).toMatchObject([{ name: "invoices" }]);
    expect((await ask("GET", "/flags?kind=experiment")).body.flags).toEqual([]);
    const known = await ask("GET", "/flags", { headers: { "if-none-match": list.etag! } });
    expect(known.status).toBe(304);
  });
});

describe("a write that is tried again", () => {
  it("with the same key happens once, and is answered alike", async () => {
    const before = (await entries()).length;
    const order = { headers: merge({ "idempotency-key": "raise-1" }), body: { percentage: 33 } };
    const first = await ask("PATCH", "/flags/shop", order);
    await ask("PATCH", "/flags/shop", { headers: merge(), body: { percentage: 5 } });
    const second = await ask("PATCH", "/flags/shop", order);
    expect(second).toMatchObject({ status: 200, body: { replayed: true, revision: first.body.revision } });
    expect(await written("shop")).toMatchObject({ percentage: 5 });
    const kinds = (await entries()).length - before;
    expect(kinds).toBeGreaterThan(0);
    const other = await ask("PATCH", "/flags/shop", { ...order, body: { percentage: 90 } });
    expect([other.status, problemOf(other)]).toEqual([422, "key-reused"]);
  });

  it("by somebody else with the same key is another write, and a refused one may be sent again", async () => {
    const order = (percentage: number) => ({
      headers: { "idempotency-key": "raise-2" },
      body: { percentage },
    });
    expect((await ask("PUT", "/flags/nowhere/percentage", order(7))).status).toBe(404);
    expect((await ask("PUT", "/flags/shop/percentage", order(7))).body.replayed).toBe(false);
    const theirs = await ask("PUT", "/flags/shop/percentage", { ...order(7), token: TOKENS.operator });
    expect(theirs.body.replayed).toBe(false);
  });
});

describe("an operator", () => {
  const token = TOKENS.operator;
  it("may patch state and percentage, and nothing else of a flag", async () => {
    const patch = (body: object) => ask("PATCH", "/flags/shop", { token, headers: merge(), body });
    expect((await patch({ state: "canary", percentage: 25 })).status).toBe(200);
    for (const body of [{ percentage: 30, owner: "me" }, { release: "3.0" }, { route: null }])
      expect(problemOf(await patch(body))).toBe("forbidden");
    const put = await ask("PUT", "/flags/shop", { token, headers: merge(), body: SHOP });
    expect(problemOf(put)).toBe("forbidden");
  });

  it("sets a percentage without an etag, but never lifts a kill by one", async () => {
    const set = (percentage: number) =>
      ask("PUT", "/flags/invoices/percentage", { token, body: { percentage, reason: "slowly", by: "ann" } });
    expect(await set(40)).toMatchObject({
      status: 200,
      body: { flag: { written: { state: "canary", percentage: 40 } } },
    });
    expect((await entries())[0]).toMatchObject({
      flag: "invoices",
      who: "test-operator (ann)",
      reason: expect.stringContaining("slowly"),
    });
    expect(await set(0)).toMatchObject({ status: 200, body: { flag: { served: 0 } } });
    expect((await set(101)).status).toBe(400);
    await ask("PATCH", "/flags/invoices", { headers: merge(), body: { state: "kill" } });
    expect(problemOf(await set(50))).toBe("flag-killed");
    expect(await written("invoices")).toMatchObject({ state: "kill" });
  });

  it("switches a cohort off and on, also one that has no switch yet, and everything", async () => {
    const cohort = (enabled: boolean) =>
      ask("PUT", "/cohorts/beta", { token, body: { enabled, reason: "support" } });
    expect(await cohort(false)).toMatchObject({ status: 200, body: { flag: { written: { state: "off" } } } });
    expect(await written("canary.cohort.beta.enabled")).toEqual({ state: "off" });
    await cohort(true);
    expect(await written("canary.cohort.beta.enabled")).toEqual({ state: "on" });
    expect((await ask("PUT", "/enabled", { token, body: { enabled: false } })).status).toBe(200);
    expect((await ask("GET", "/flags/shop")).body).toMatchObject({ effective: "off", served: 0 });
    expect((await ask("PUT", "/enabled", { token, body: { enabled: true } })).status).toBe(200);
  });
});
