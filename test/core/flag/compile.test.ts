/** Promises of the routing table: the order of precedence, byte for byte, without a loop over flags. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileTable, parseSource } from "../../../src/core/flag/compile.ts";
import { flagSchema } from "../../../src/core/flag/schema.ts";
import { seedOf } from "../../../src/core/hashing/bucket.ts";
import { type EffectiveFlag, servedBare } from "../../../src/core/rollout/effective.ts";

function flag(name: string, hosts?: string[], paths?: string[], salt?: string): EffectiveFlag {
  const route = hosts && { hosts, paths: paths ?? ["/*"], blue: "service:BLUE", green: "service:GREEN" };
  const spec = flagSchema.parse({ state: "canary", ...(route && { route }), ...(salt && { salt }) });
  return servedBare(name, spec, 0);
}

describe("hosts, the most specific first", () => {
  const table = compileTable([
    flag("any", ["*"]),
    flag("below", ["*.example.com"]),
    flag("deep", ["*.shop.example.com"]),
    flag("exact", ["shop.example.com"]),
  ]);

  test.each([
    ["shop.example.com", "exact"],
    ["shop.example.com.", "exact"],
    ["www.example.com", "below"],
    ["a.b.example.com", "below"],
    ["de.shop.example.com", "deep"],
    ["a.de.shop.example.com", "deep"],
    ["example.com", "any"],
    ["badexample.com", "any"],
    [".example.com", "any"],
    ["", "any"],
    [`${"a.".repeat(10_000)}example.com`, "below"],
  ])("%s goes to %s", (host, name) => expect(table.match(host, "/")?.name).toBe(name));

  test("a host is named by its name or a wildcard above it, never by *", () => {
    expect(
      ["shop.example.com", "shop.example.com.", "x.example.com", "example.com", "other"].map(table.namesHost),
    ).toEqual([true, true, true, false, false]);
  });
});

describe("paths, exact before prefix, longer before shorter", () => {
  const table = compileTable([
    flag("all", ["*"], ["/*"]),
    flag("cart", ["*"], ["/cart"]),
    flag("shop", ["*"], ["/shop/*"]),
    flag("shop-shoes", ["*"], ["/shop/shoes/*"]),
    flag("shop-exact", ["*"], ["/shop/sale"]),
  ]);

  test.each([
    ["/", "all"],
    ["/cart", "cart"],
    ["/cart/", "all"],
    ["/cart/1", "all"],
    ["/shop", "shop"],
    ["/shop/", "shop"],
    ["/shop/hats", "shop"],
    ["/shop/sale", "shop-exact"],
    ["/shop/sale/", "shop"],
    ["/shop/shoes", "shop-shoes"],
    ["/shop/shoes/1/2", "shop-shoes"],
    ["/shop/shoesandmore", "shop"],
    ["/shopping", "all"],
    ["/%73hop", "all"],
    ["/Shop/", "all"],
    ["//shop/", "all"],
    ["/shop//shoes", "shop"],
    ["", "all"],
    ["/".repeat(100_000), "all"],
    [`/shop${"/x".repeat(50_000)}`, "shop"],
  ])("%.40s goes to %s", (path, name) => expect(table.match("example.com", path)?.name).toBe(name));
});

test("a host none of whose patterns fit falls through to the less specific ones", () => {
  const table = compileTable([
    flag("exact", ["a.example.com"], ["/only"]),
    flag("wild", ["*.example.com"], ["/shop/*"]),
    flag("any", ["*"], ["/any/*"]),
  ]);
  const names = ["/only", "/shop/1", "/any/1", "/none"].map(
    (path) => table.match("a.example.com", path)?.name,
  );
  expect(names).toEqual(["exact", "wild", "any", undefined]);
});

test("a specific host with a short prefix beats a long path on *", () => {
  const table = compileTable([flag("any", ["*"], ["/shop/shoes/1"]), flag("exact", ["a.com"], ["/*"])]);
  expect(table.match("a.com", "/shop/shoes/1")?.name).toBe("exact");
});

test("of two flags with one pattern the name that sorts first wins, in whatever order they come", () => {
  for (const names of [
    ["b", "a"],
    ["a", "b"],
  ]) {
    expect(compileTable(names.map((name) => flag(name, ["*"], ["/x/*"]))).match("h", "/x/y")?.name).toBe("a");
  }
});

test("a flag without a route is there, but answers for no request", () => {
  const table = compileTable([flag("plain")]);
  expect([table.flags.has("plain"), table.match("h", "/"), table.namesHost("h")]).toEqual([
    true,
    undefined,
    false,
  ]);
});

test("the seed comes from the salt, or else from the name", () => {
  const { flags } = compileTable([flag("a"), flag("b", undefined, undefined, "pepper")]);
  expect([flags.get("a")?.seed, flags.get("b")?.seed]).toEqual([seedOf("a"), seedOf("pepper")]);
});

test("sources are parsed once; header names in lower case, all others as they are", () => {
  expect(["visitor", "ip", "header:X-User-Id", "cookie:Session", "jwt:Sub"].map(parseSource)).toEqual([
    { kind: "visitor" },
    { kind: "ip" },
    { kind: "header", name: "x-user-id" },
    { kind: "cookie", name: "Session" },
    { kind: "jwt", name: "Sub" },
  ]);
});

test("any table answers as a plain search through its flags would", () => {
  const host = fc.constantFrom("*", "*.b.c", "*.c", "a.b.c", "b.c", "c");
  const pattern = fc
    .tuple(fc.array(fc.constantFrom("x", "y", ""), { maxLength: 3 }), fc.boolean())
    .map(([parts, prefix]) => `/${parts.join("/")}`.replace(/\/?$/, prefix ? "/*" : "$&"));
  const routes = fc.array(
    fc.tuple(
      fc.array(host, { minLength: 1, maxLength: 3 }),
      fc.array(pattern, { minLength: 1, maxLength: 3 }),
    ),
    { maxLength: 6 },
  );
  const path = fc
    .array(fc.constantFrom("x", "y", ""), { maxLength: 4 })
    .map((parts) => `/${parts.join("/")}`);

  const fitsHost = (h: string, asked: string) =>
    h === "*" ||
    (h.startsWith("*.") ? asked.endsWith(h.slice(1)) && asked.length > h.length - 1 : asked === h);
  const fitsPath = (p: string, asked: string) =>
    p.endsWith("/*") ? asked === p.slice(0, -2) || asked.startsWith(p.slice(0, -1)) : asked === p;
  const rank = (h: string, p: string) => [
    h === "*" ? 0 : h.startsWith("*.") ? h.length : 1000,
    p.endsWith("/*") ? p.length : 1000,
  ];

  fc.assert(
    fc.property(routes, fc.constantFrom("a.b.c", "b.c", "z.b.c", "c", "other"), path, (all, asked, at) => {
      const table = compileTable(all.map(([hosts, paths], i) => flag(`f${i}`, hosts, paths)));
      const best = all
        .flatMap(([hosts, paths], i) => hosts.flatMap((h) => paths.map((p) => ({ name: `f${i}`, h, p }))))
        .filter(({ h, p }) => fitsHost(h, asked) && fitsPath(p, at))
        .map((found) => ({ ...found, rank: rank(found.h, found.p) }))
        .sort((a, b) => b.rank[0]! - a.rank[0]! || b.rank[1]! - a.rank[1]! || (a.name < b.name ? -1 : 1))[0];
      expect(table.match(asked, at)?.name).toBe(best?.name);
    }),
    { numRuns: 500 },
  );
});

test("no * and no *.example.com answers for a host of the admin API, but a route that names it does", () => {
  const any = flag("any", ["*"]);
  const table = compileTable([any], ["ops.example.com"]);
  expect(table.match("ops.example.com", "/")).toBeUndefined();
  expect(table.match("ops.example.com.", "/")).toBeUndefined();
  expect(table.match("shop.example.com", "/")?.name).toBe("any");
  expect([table.isClosed("ops.example.com"), table.namesHost("ops.example.com")]).toEqual([true, false]);
  const named = compileTable([any, flag("named", ["ops.example.com"], ["/x/*"])], ["ops.example.com"]);
  expect(named.match("ops.example.com", "/x/y")?.name).toBe("named");
  expect(named.match("ops.example.com", "/")?.name).toBe("any");
  expect([named.isClosed("ops.example.com"), named.namesHost("ops.example.com")]).toEqual([false, true]);
});
