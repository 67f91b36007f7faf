/** Promises about who a request comes from. */
import { describe, expect, test } from "vitest";
import { compileTable } from "../../src/core/flag/compile.ts";
import { decide } from "../../src/core/flag/evaluate.ts";
import { type FlagInput, flagSchema } from "../../src/core/flag/schema.ts";
import type { CompiledFlag } from "../../src/core/flag/table.ts";
import { layerOf } from "../../src/core/rollout/layer.ts";
import { identify } from "../../src/router/identity.ts";

type RouteInput = NonNullable<FlagInput["route"]>;

function flag(
  stickBy: string | string[],
  trusted?: RouteInput["trusted"],
  more: Partial<FlagInput> = {},
): CompiledFlag {
  const spec = flagSchema.parse({
    state: "canary",
    percentage: 50,
    stickBy,
    cohorts: { beta: { users: ["ann"] } },
    ...more,
    route: { blue: "https://blue.test", green: "https://green.test", ...(trusted && { trusted }) },
  });
  const ruling = {
    share: 50_000,
    cohorts: undefined,
    status: undefined,
    halts: [],
    isCohortOff: () => false,
    environment: undefined,
    knowsHalts: true,
  };
  const layers = [layerOf(spec, ruling)];
  const effective = {
    name: "shop",
    spec,
    share: 50_000,
    layers,
    stop: undefined,
    cause: undefined,
    shadow: false,
    stale: false,
  };
  return compileTable([effective]).flags.get("shop")!;
}

const COOKIE = "0123456789abcdef0123456789abcdef.89abcdef";
const jwt = (claims: unknown) =>
  `Bearer e30.${btoa(JSON.stringify(claims)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}.x`;

describe("the first source that is there counts", () => {
  test.each<[string | string[], Record<string, string>, Partial<ReturnType<typeof identify>>]>([
    ["header:X-User-Id", { "x-user-id": " ann " }, { key: "ann", placement: "address", trusted: false }],
    ["cookie:session", { cookie: "a=b; session=s1" }, { key: "s1", placement: "hash", trusted: false }],
    ["jwt:sub", { authorization: jwt({ sub: "ann" }) }, { key: "ann", placement: "address", trusted: false }],
    ["jwt:id", { authorization: jwt({ id: 42 }) }, { key: "42" }],
    ["jwt:sub", { "cf-access-jwt-assertion": jwt({ sub: "ann" }).slice(7) }, { key: "ann" }],
    ["ip", { "cf-connecting-ip": "203.0.113.7" }, { key: "203.0.113.7", placement: "hash", trusted: true }],
    ["visitor", { cookie: `gl_visitor=${COOKIE}` }, { key: "89abcdef", visitor: COOKIE, placement: "hash" }],
    [
      ["header:x-user-id", "visitor"],
      { cookie: `gl_visitor=${COOKIE}` },
      { key: "89abcdef", placement: "hash" },
    ],
    [["header:x-user-id", "visitor"], { "x-user-id": "ann", cookie: `gl_visitor=${COOKIE}` }, { key: "ann" }],
    [["header:x-user-id", "cookie:s"], { "x-user-id": "", cookie: "s=1" }, { key: "1" }],
  ])("%s of %o", (stickBy, headers, expected) => {
    expect(identify(flag(stickBy), new Headers(headers))).toMatchObject(expected);
  });

  test.each(["header:x-user-id", "cookie:session", "jwt:sub", "ip", "visitor"])(
    "without %s it is client address and user agent, out of comparisons",
    (stickBy) => {
      const id = identify(flag(stickBy), new Headers({ "user-agent": "Browser/1" }));
      expect(id).toMatchObject({ placement: "address", trusted: false });
      expect(id.key).toMatch(/^[0-9a-f]{8}$/);
      expect(id.anchor).toBe(stickBy === "visitor" ? id.key : undefined);
    },
  );

  test.each([
    "Bearer x",
    "Bearer a.%%%.c",
    "Bearer a.W10.c",
    jwt({ sub: { a: 1 } }),
    jwt([]),
    `Bearer a.${"A".repeat(9000)}.c`,
  ])("a token that is none, or too long, or without the claim, is as none: %s", (authorization) => {
    expect(identify(flag("jwt:sub"), new Headers({ authorization })).key).toMatch(/^[0-9a-f]{8}$/);
  });

  test("a key of any length costs no more than one of 256 characters", () => {
    expect(identify(flag("header:x-id"), new Headers({ "x-id": "a".repeat(10_000) })).key).toHaveLength(256);
  });
});

describe("who may match a cohort", () => {
  test("a cookie never does: nobody can vouch for it", () => {
    const vouched = flag("cookie:user", "access");
    expect(decide(vouched, identify(vouched, new Headers({ cookie: "user=ann" })), 0).cohort).toBe("ga");
  });

  test("where Access vouches, a bearer token of the client's own says nothing", () => {
    const vouched = flag("jwt:sub", "access");
    const authorization = jwt({ sub: "ann" });
    expect(decide(vouched, identify(vouched, new Headers({ authorization })), 0).cohort).toBe("ga");
    const assertion = jwt({ sub: "bob" }).replace("Bearer ", "");
    const both = new Headers({ authorization, "cf-access-jwt-assertion": assertion });
    expect(identify(vouched, both).key).toBe("bob");
  });

  test.each(["header:x-user-id", "jwt:sub"])("%s only where somebody vouches for it", (stickBy) => {
    const headers = new Headers({
      "x-user-id": "ann",
      cookie: "user=ann",
      authorization: jwt({ sub: "ann" }),
    });
    const forged = flag(stickBy);
    expect(decide(forged, identify(forged, headers), 0).cohort).toBe("ga");
    const vouched = flag(stickBy, "verified-jwt");
    expect(decide(vouched, identify(vouched, headers), 0)).toMatchObject({
      variant: "green",
      cohort: "beta",
      placement: "match",
    });
  });
});

describe("attributes", () => {
  const context = { tenant: "header:x-tenant", group: "jwt:groups", region: "header:x-region", net: "ip" };
  const cohorts = { beta: { groups: ["qa"], tenants: ["acme"], attributes: { net: ["203.0.113.7"] } } };
  const asked = (
    more: Partial<FlagInput>,
    headers: Record<string, string>,
    trusted?: RouteInput["trusted"],
  ) => {
    const shop = flag("header:x-user-id", trusted, { context, cohorts, percentage: 0, ...more });
    const id = identify(shop, new Headers({ "x-user-id": "zoe", ...headers }));
    const attributes: Record<string, readonly string[]> = Object.fromEntries(id.attributes ?? []);
    return { attributes, cohort: decide(shop, id, 0).cohort };
  };

  test("are read where a cohort asks for them, and cost nothing where none does", () => {
    const headers = { "x-tenant": " acme ", "x-region": "eu" };
    expect(asked({}, headers, "mtls")).toEqual({
      attributes: { tenant: ["acme"], group: [], net: [] },
      cohort: "beta",
    });
    const plain = flag("header:x-user-id", "mtls", { context, cohorts: { beta: { users: ["ann"] } } });
    expect(plain.context).toEqual([]);
    expect(identify(plain, new Headers(headers)).attributes).toBeUndefined();
  });

  test("of headers and tokens count only where somebody vouches for them; an address always does", () => {
    const headers = { "x-tenant": "acme", authorization: jwt({ groups: ["qa"] }) };
    expect(asked({}, headers)).toEqual({ attributes: { net: [] }, cohort: "ga" });
    expect(asked({}, { ...headers, "cf-connecting-ip": "203.0.113.7" })).toMatchObject({ cohort: "beta" });
  });

  test("of cookies never count, for anybody can write one", () => {
    const cookie = { context: { tenant: "cookie:tenant" } };
    expect(asked(cookie, { cookie: "tenant=acme" }, "mtls")).toEqual({ attributes: {}, cohort: "ga" });
  });

  test.each<[unknown, string[]]>([
    [
      ["sales", "qa"],
      ["sales", "qa"],
    ],
    ["qa", ["qa"]],
    [
      [1, true, null, { a: 1 }, ""],
      ["1", "true"],
    ],
    [undefined, []],
    [["x".repeat(300)], ["x".repeat(256)]],
  ])("the claim %j has the values %j", (groups, group) => {
    expect(asked({}, { authorization: jwt({ groups }) }, "verified-jwt").attributes.group).toEqual(group);
  });

  test("of a token are Access's own where Access vouches", () => {
    const own = jwt({ groups: ["qa"] });
    expect(asked({}, { authorization: own }, "access").attributes.group).toEqual([]);
    expect(asked({}, { "cf-access-jwt-assertion": own.slice(7) }, "access").attributes.group).toEqual(["qa"]);
  });
});

test("a visitor keeps the bucket of their cookieless requests, also from another address later", () => {
  const shop = flag("visitor");
  const first = identify(shop, new Headers({ "cf-connecting-ip": "203.0.113.7", "user-agent": "Browser/1" }));
  const later = identify(
    shop,
    new Headers({
      "cf-connecting-ip": "198.51.100.1",
      cookie: `gl_visitor=${"0".repeat(32)}.${first.anchor}`,
    }),
  );
  expect(decide(shop, later, 0).bucket).toBe(decide(shop, first, 0).bucket);
  expect(later).toMatchObject({ placement: "hash", anchor: undefined });
});
