import { beforeEach, describe, expect, it } from "vitest";
import { ask, call, problemOf, putDocument, SHOP } from "./parts.ts";

const textOf = (percentage: number) =>
  `{ "flags": {\n    "shop": ${JSON.stringify({ ...SHOP, percentage })}  } }\n`;
const put = (body: string, headers: Record<string, string> = { "if-match": "*" }, query = "") =>
  ask("PUT", `/document${query}`, { body, headers });

beforeEach(() => putDocument({ shop: SHOP }));

describe("the document", () => {
  it("is read to the last space as it was written, and written only over what was read", async () => {
    const read = await ask("GET", "/document");
    expect((await put(textOf(20), {})).status).toBe(428);
    expect((await put(textOf(20), { "if-match": read.etag! }, "?reason=start&by=ann")).status).toBe(200);
    expect(await put(textOf(30), { "if-match": read.etag! })).toMatchObject({ status: 412 });
    const after = await ask("GET", "/document");
    expect(after.text).toBe(textOf(20));
    expect((await ask("GET", "/document", { headers: { "if-none-match": after.etag! } })).status).toBe(304);
    const { entries } = (await ask("GET", "/audit?action=adopt&limit=1")).body;
    expect(entries).toMatchObject([{ who: "test-admin (ann)", reason: expect.stringContaining("start") }]);
  });

  it("with faults is refused whole, each fault with its path", async () => {
    const bad = await put(textOf(500));
    expect([bad.status, problemOf(bad)]).toEqual([422, "invalid-document"]);
    expect(bad.body.faults).toMatchObject([{ path: "flags.shop.percentage" }]);
    expect((await ask("GET", "/flags/shop")).body.written).toMatchObject({ percentage: 10 });
  });

  it("is validated without being stored: faults, and which flags would change", async () => {
    const validate = (body: string) => ask("POST", "/validate", { body });
    const next = JSON.stringify({ flags: { shop: { ...SHOP, percentage: 20 }, menu: { state: "on" } } });
    expect((await validate(next)).body).toEqual({
      valid: true,
      faults: [],
      added: ["menu"],
      changed: ["shop"],
      removed: [],
    });
    expect((await validate('{"flags": {}}')).body).toMatchObject({ removed: ["shop"] });
    expect(await validate(textOf(500))).toMatchObject({ status: 200, body: { valid: false } });
    expect(await validate("{")).toMatchObject({
      status: 200,
      body: { valid: false, faults: [{ path: "" }] },
    });
    expect((await ask("GET", "/flags")).body.flags).toHaveLength(1);
  });

  it("of earlier is listed by pages, read, and put back", async () => {
    await put(textOf(20));
    await put(textOf(30));
    const first = await ask("GET", "/revisions?limit=1");
    expect(first.headers.get("link")).toContain(`before=${first.body.next}`);
    const second = await ask("GET", `/revisions?limit=1&before=${first.body.next}`);
    const [{ revision }] = second.body.revisions as [{ revision: number }];
    expect((await ask("GET", `/revisions/${revision}`)).text).toBe(textOf(20));
    expect(await ask("POST", "/rollback", { body: { revision, reason: "odd" } })).toMatchObject({
      status: 200,
    });
    expect((await ask("GET", "/document")).text).toBe(textOf(20));
    expect(problemOf(await ask("GET", "/revisions/999999"))).toBe("unknown-revision");
    expect(problemOf(await ask("POST", "/rollback", { body: { revision: 999_999 } }))).toBe(
      "unknown-revision",
    );
  });

  it("goes back flag by flag as well: to its last state, to a release, or with a sentence why not", async () => {
    const edit = (body: object) => ask("PATCH", "/flags/shop", { headers: { "if-match": "*" }, body });
    await edit({ percentage: 50, release: "3.0" });
    const version = await ask("POST", "/flags/shop/rollback", { body: { version: "2.0", reason: "slow" } });
    expect(version).toMatchObject({ status: 200, body: { release: "2.0" } });
    const unknown = await ask("POST", "/flags/shop/rollback", { body: { version: "9.9" } });
    expect([unknown.status, problemOf(unknown)]).toEqual([409, "nothing-earlier"]);
    const both = await ask("POST", "/flags/shop/rollback", { body: { version: "2.0", mode: "kill" } });
    expect(both).toMatchObject({ status: 400, body: { faults: [{ path: "version" }] } });
    expect((await call("POST", "/flags/nowhere/rollback")).status).toBe(404);
  });
});
