/** Promises of a difference: every field that is another, no id of a person, and which way visitors go. */
import { describe, expect, test } from "vitest";
import { diffDocuments } from "../../../src/core/flag/difference.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import type { DocumentInput, FlagInput } from "../../../src/core/flag/schema.ts";

const read = (document: DocumentInput) => parseDocument(JSON.stringify(document));
const between = (a: DocumentInput["flags"], b: DocumentInput["flags"]) =>
  diffDocuments(read({ flags: a }), read({ flags: b }));

test("flags that came, went and changed are told, and what is as before is not", () => {
  const found = between(
    { kept: { state: "on" }, gone: { state: "on" }, moved: { state: "canary", percentage: 5 } },
    { new: { state: "off" }, moved: { state: "canary", percentage: 10, notes: "x" }, kept: { state: "on" } },
  );
  expect(found).toEqual({
    added: ["new"],
    removed: ["gone"],
    changed: [
      {
        flag: "moved",
        fields: [
          { path: "percentage", before: 5, after: 10 },
          { path: "notes", before: undefined, after: "x" },
        ],
        raisesGreen: true,
        lowersGreen: false,
      },
    ],
    document: [],
  });
});

test("a default that is written out is no difference; the global switch and the order of cohorts are one", () => {
  expect(between({ a: { state: "off" } }, { a: { percentage: 0, state: "off" } }).changed).toEqual([]);
  const off = diffDocuments(read({ flags: {} }), read({ enabled: false, flags: {} }));
  expect(off.document).toEqual([{ path: "enabled", before: true, after: false }]);
  const [x, y] = [{ users: ["u"] }, { users: ["v"] }];
  const turned = between(
    { a: { state: "canary", cohorts: { x, y } } },
    { a: { state: "canary", cohorts: { y, x } } },
  );
  expect(turned.changed[0]?.fields).toEqual([{ path: "cohorts", before: ["x", "y"], after: ["y", "x"] }]);
});

test("people are counted, never named", () => {
  const of = (users: string[], overridden: string): FlagInput => ({
    state: "canary",
    cohorts: { beta: { users } },
    overrides: { users: { [overridden]: { state: "off" } } },
  });
  const found = between({ a: of(["ann", "bob"], "eve") }, { a: of(["bob", "kim", "lea"], "max") });
  expect(found.changed[0]?.fields).toEqual([
    { path: "overrides.users", before: "1 entry", after: "1 entry: 1 more, 1 gone" },
    { path: "cohorts.beta.users", before: "2 entries", after: "3 entries: 2 more, 1 gone" },
  ]);
});

test("a flag that a text breaks is neither gone nor changed", () => {
  const before = read({ flags: { a: { state: "on" } } });
  const after = parseDocument('{"flags":{"a":{"state":"onn"}}}');
  expect(diffDocuments(before, after)).toEqual({ added: [], removed: [], changed: [], document: [] });
});

describe("a change", () => {
  const canary: FlagInput = { state: "canary", percentage: 10 };
  const own = (state: "on" | "off", expires?: string): FlagInput => ({
    ...canary,
    overrides: { tenants: { acme: { state, ...(expires && { expires }) } } },
  });
  const beta = (more: object): FlagInput => ({ ...canary, cohorts: { beta: { users: ["u"], ...more } } });

  test.each<[string, FlagInput, FlagInput, string]>([
    ["of the percentage", canary, { ...canary, percentage: 20 }, "up"],
    ["to off", canary, { state: "off" }, "down"],
    ["from off to on", { state: "off" }, { state: "on" }, "up"],
    ["from kill with an override", { ...own("on"), state: "kill" }, { ...own("on"), state: "off" }, "up"],
    ["of a shadow's notes", { state: "shadow" }, { state: "shadow", notes: "x" }, ""],
    ["of the salt", canary, { ...canary, salt: "x" }, "up down"],
    ["of the release", canary, { ...canary, release: "2" }, "up"],
    ["of an environment where there was none", canary, { ...canary, environments: ["a"] }, "down"],
    [
      "of one environment more",
      { ...canary, environments: ["a"] },
      { ...canary, environments: ["a", "b"] },
      "up",
    ],
    ["of a dependency", canary, { ...canary, dependencies: ["b"] }, "down"],
    ["of a dependency less", { ...canary, dependencies: ["b"] }, canary, "up"],
    ["of an override on", canary, own("on"), "up"],
    ["of an override that ends sooner", own("on"), own("on", "2030-01-01T00:00:00Z"), "down"],
    ["of an override off that ends sooner", own("off"), own("off", "2030-01-01T00:00:00Z"), "up"],
    ["of a cohort more", canary, beta({}), "up"],
    ["of a cohort that is no longer there", beta({}), beta({ enabled: false }), "down"],
    ["of a cohort's members", beta({}), beta({ users: ["v"] }), "up down"],
    ["of a cohort's percentage", beta({ percentage: 5 }), beta({ percentage: 1 }), "down"],
  ])("%s", (_what, before, after, expected) => {
    const b: FlagInput = { state: "on" };
    const [change] = between({ a: before, b }, { a: after, b }).changed;
    const ways = [change?.raisesGreen ? "up" : "", change?.lowersGreen ? "down" : ""].filter(Boolean);
    expect(ways.join(" ")).toBe(expected);
  });
});
