/** Promises of merging an import into a document: what the source says is so, and nothing else changes. */
import { expect, test } from "vitest";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import type { WrittenDocument } from "../../../src/core/import/imported.ts";
import { mergeInto } from "../../../src/core/import/merge.ts";
import { FIXTURES, fixture, imported } from "./fixtures.ts";

const route = { blue: "https://blue.example.com", green: "https://green.example.com" };

test("a routed flag keeps its route, its plan and all that the source does not speak of", () => {
  const before: WrittenDocument = {
    enabled: true,
    groups: { staff: ["ada"] },
    flags: {
      planner_v2_enabled: {
        state: "canary",
        percentage: 5,
        plan: "ecotrips",
        owner: "web",
        release: "2",
        route,
      },
      other: { state: "on" },
    },
  };
  const { document, changes, losses } = mergeInto(before, imported(fixture("ecotrips/planner.json")));
  expect(document).toMatchObject({
    enabled: true,
    groups: { staff: ["ada"] },
    flags: {
      planner_v2_enabled: { percentage: 45, plan: "ecotrips", owner: "web", release: "2", route },
      other: { state: "on" },
    },
  });
  expect(changes).toEqual([
    { flag: "planner_v2_enabled", kind: "changed", fields: ["percentage", "notes", "reviewedAt"] },
  ]);
  expect(losses).toEqual([]);
  expect(before.flags.planner_v2_enabled).toMatchObject({ percentage: 5 });
});

test.each(FIXTURES)("$file merged twice changes nothing the second time", ({ value }) => {
  const first = mergeInto({ flags: {} }, imported(value)).document;
  const second = mergeInto(first, imported(value));
  expect(second.document).toEqual(first);
  expect(second.changes.filter(({ kind }) => kind !== "same")).toEqual([]);
});

test("a flag that a person has killed stays killed, unless the system knows that state itself", () => {
  const before = { flags: { planner_v2_enabled: { state: "kill" }, "invoices.write": { state: "kill" } } };
  const { document, losses } = mergeInto(before, imported(fixture("ecotrips/planner.json")));
  expect(document.flags.planner_v2_enabled).toMatchObject({ state: "kill", percentage: 45 });
  expect(losses).toMatchObject([{ path: "flags.planner_v2_enabled.state", kind: "lost" }]);
  const thorbis = mergeInto(before, imported(fixture("thorbis/feature_flags.json")));
  expect(thorbis.document.flags["invoices.write"]).toMatchObject({ state: "on" });
});

test("what a source only assumes does not touch what is there", () => {
  const before = { flags: { "invoices.write": { state: "canary", percentage: 10 } } };
  const { document } = mergeInto(before, imported(fixture("thorbis/success_criteria.yaml")));
  expect(document.flags["invoices.write"]).toMatchObject({ state: "canary", percentage: 10 });
});

test("values of a plain flag do not go into one with a route, and that is said", () => {
  const before = { flags: { "page-size": { state: "canary", percentage: 10, route } } };
  const { document, losses } = mergeInto(before, imported(fixture("flagd/flags.json")));
  expect(document.flags["page-size"]).not.toHaveProperty("variants");
  expect(losses.map(({ path }) => path)).toContain("flags.page-size.variants");
  expect(parseDocument(JSON.stringify(document)).faults).toEqual([]);
});

test("a list that is shorter at the source is shorter here", () => {
  const row = { flag_name: "ml", enabled: true, rollout_percentage: 5, user_whitelist: ["ada", "grace"] };
  const first = mergeInto({ flags: {} }, imported([row])).document;
  const { document } = mergeInto(first, imported([{ ...row, user_whitelist: ["ada"] }]));
  expect(document.flags.ml).toMatchObject({ cohorts: { whitelist: { users: ["ada"] } } });
  const gone = mergeInto(first, imported([{ ...row, user_whitelist: [] }])).document;
  expect(gone.flags.ml).not.toHaveProperty("cohorts");
});
