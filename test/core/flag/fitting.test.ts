/** Promises of reading a flag's variants, overrides and dependencies: what does not fit is said, and nobody is named. */
import { expect, test } from "vitest";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import type { FlagInput } from "../../../src/core/flag/schema.ts";

const route = { blue: "service:BLUE", green: "service:GREEN" };
const read = (flags: Record<string, unknown>) => parseDocument(JSON.stringify({ flags }));
const plain = (more: object) => ({ state: "on", ...more });

test.each<[string, object, string, string]>([
  [
    "variants beside a route",
    { route, variants: { on: 1, off: 2 } },
    "variants",
    "a flag with a route has the variants blue and green",
  ],
  [
    "a variant of another type",
    { variants: { on: 1, off: "x" } },
    "variants.off",
    "of type string, where on is of type number",
  ],
  [
    "a variant that is not there",
    { variants: { a: 1, off: 2 } },
    "onVariant",
    '"on" is not a variant of the flag (a, off)',
  ],
  [
    "an own off variant without variants",
    { offVariant: "no" },
    "offVariant",
    '"no" is not a variant of the flag (on, off)',
  ],
  [
    "an override's variant that is not there",
    { overrides: { tenants: { acme: { state: "on", variant: "x" } } } },
    "overrides.tenants.acme.variant",
    '"x" is not a variant of the flag (on, off)',
  ],
  [
    "an override's variant of a routed flag",
    { route, overrides: { users: { ann: { state: "on", variant: "green" } } } },
    "overrides.users[0].variant",
    "a flag with a route has the variants blue and green",
  ],
  [
    "a dependency that is not there",
    { dependencies: ["nowhere"] },
    "dependencies[0]",
    "there is no flag nowhere",
  ],
  ["a dependency on itself", { dependencies: ["a"] }, "dependencies[0]", "it goes round in a circle: a → a"],
])("%s is a fault", (_what, more, path, message) => {
  const { faults, broken } = read({ a: plain(more) });
  expect(faults.map((fault) => [fault.path, fault.message])).toEqual([[`flags.a.${path}`, message]]);
  expect([...broken.keys()]).toEqual(["a"]);
});

test("no fault of an override names the person, wherever it is", () => {
  const ann = "ann@example.com";
  const wrong: unknown[] = [
    { users: { [ann]: { state: "maybe" } } },
    { users: { [ann]: { state: "on", expires: "soon", extra: 1 } } },
    { users: { [ann]: ann } },
    { users: { [ann]: { state: "on", variant: "none" } } },
    { users: { [`${ann}${"x".repeat(300)}`]: { state: "on" } } },
    { users: ann },
    { users: [ann] },
    { [ann]: { state: "on" } },
    ann,
  ];
  for (const overrides of wrong) {
    const { faults } = read({ a: plain({ overrides }) });
    expect(faults.length, JSON.stringify(overrides)).toBeGreaterThan(0);
    expect(JSON.stringify(faults)).not.toContain("ann@");
  }
  const twice = parseDocument(
    `{"flags":{"a":{"state":"on","overrides":{"users":{"${ann}":{"state":"on"},"${ann}":{"state":"off"}}}}}}`,
  );
  expect(twice.faults.map(({ path }) => path)).toEqual(["flags.a.overrides.users"]);
});

test("flags that go round in a circle are broken, each told the circle; one that only leads there is not", () => {
  const needing = (...dependencies: string[]) => plain({ dependencies });
  const { broken, flags, faults } = read({
    a: needing("b"),
    b: needing("c"),
    c: needing("a"),
    d: needing("a"),
  });
  expect([...broken.keys()]).toEqual(["a", "b", "c"]);
  expect([...flags.keys()]).toEqual(["d"]);
  expect(faults.map(({ message }) => message)).toEqual([
    "it goes round in a circle: a → b → c → a",
    "it goes round in a circle: b → c → a → b",
    "it goes round in a circle: c → a → b → c",
  ]);
});

test("to depend on a broken flag is no fault", () => {
  const { broken, flags } = read({ a: plain({ dependencies: ["b"] }), b: { state: "onn" } });
  expect([[...broken.keys()], [...flags.keys()]]).toEqual([["b"], ["a"]]);
});

test("what a flag needs is counted as a tree, and 64 are the most", () => {
  const flags: Record<string, FlagInput> = { leaf: { state: "on" } };
  for (let i = 0; i < 31; i++) flags[`n${i}`] = { state: "on", dependencies: ["leaf"] };
  const all = Object.keys(flags);
  flags.most = { state: "on", dependencies: [...all] };
  expect(read(flags).faults).toEqual([]);
  flags.more = { state: "on", dependencies: ["most"] };
  flags.other = { state: "on", dependencies: ["leaf"] };
  expect(read(flags).faults).toEqual([]);
  flags.tooMany = { state: "on", dependencies: ["more", "other"] };
  const [fault, ...rest] = read(flags).faults;
  expect([fault?.path, fault?.message, rest]).toEqual([
    "flags.tooMany.dependencies",
    "it needs too many flags",
    [],
  ]);
});

test("a chain or a circle of 2,000 flags is read in no time", () => {
  const flags: Record<string, FlagInput> = {};
  for (let i = 0; i < 2000; i++) flags[`f${i}`] = { state: "on", dependencies: [`f${(i + 1) % 2000}`] };
  expect(read(flags).broken.size).toBe(2000);
  flags.f1999 = { state: "on" };
  expect(read(flags).broken.size).toBe(2000 - 65);
});
