/** Promises of diff, apply and edits in KV: what is taken of a document, what is told of it, what refuses it. */

import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { wantedText } from "../../../src/cli/greenlight/applying.ts";
import { compared, differenceText } from "../../../src/cli/greenlight/difference-text.ts";
import { wranglerKv } from "../../../src/cli/greenlight/kv.ts";
import { faultsOfChange, whenItCounts } from "../../../src/cli/greenlight/kv-edits.ts";
import { offlineTable } from "../../../src/cli/greenlight/offline.ts";
import { bucketFrom, evaluateFlag } from "../../../src/core/flag/answer.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";

const route = (name: string) => ({
  hosts: [`${name}.example.com`],
  blue: `https://b.${name}`,
  green: `https://g.${name}`,
});
const STAGING = { state: "canary", percentage: 50, release: "2.2.0", route: route("staging") };
const PRODUCTION = { state: "canary", percentage: 5, release: "2.1.0", route: route("production") };
const textOf = (flags: Record<string, object>, more: object = {}) =>
  JSON.stringify({ ...more, flags }, null, 2);
const parsed = (flags: Record<string, object>, more: object = {}) => parseDocument(textOf(flags, more));
const promotion = { file: undefined, from: "staging", only: undefined, keepRoutes: true };
const flagsOf = (text: string) => (JSON.parse(text) as { flags: Record<string, object> }).flags;

describe("a document from one environment to the next", () => {
  test("keeps the target's origins and takes all else", () => {
    const text = wantedText(textOf({ shop: STAGING }), textOf({ shop: PRODUCTION }), promotion);
    expect(flagsOf(text)).toEqual({ shop: { ...STAGING, route: PRODUCTION.route } });
    const taken = wantedText(textOf({ shop: STAGING }), textOf({ shop: PRODUCTION }), {
      ...promotion,
      keepRoutes: false,
    });
    expect(flagsOf(taken)).toEqual({ shop: STAGING });
  });

  test("never sends visitors to origins of another environment by a flag that is new there", () => {
    const source = textOf({ shop: STAGING, plain: { state: "on" } });
    expect(() => wantedText(source, textOf({ plain: { state: "off" } }), promotion)).toThrow(
      /not at the target yet/,
    );
    const text = wantedText(source, textOf({ plain: { state: "off" } }), { ...promotion, only: ["plain"] });
    expect(flagsOf(text)).toEqual({ plain: { state: "on" } });
  });

  test("--only leaves the rest of the target as it is written, and takes out what the source does not have", () => {
    const target =
      '{"flags": {\n  "shop":   {"state":"off"},\n\n  "old": {"state":"on"},   "keep":{ "state" : "on" }\n}}';
    const text = wantedText(textOf({ shop: { state: "on" }, keep: { state: "off" } }), target, {
      ...promotion,
      only: ["shop", "old"],
      keepRoutes: false,
    });
    expect(flagsOf(text)).toEqual({ shop: { state: "on" }, keep: { state: "on" } });
    expect(text).toContain('"keep":{ "state" : "on" }');
    expect(() => wantedText(target, target, { ...promotion, only: ["none"] })).toThrow(/no flag none/);
  });
});

describe("a difference", () => {
  const tell = (before: Record<string, object>, after: Record<string, object>) =>
    differenceText(pc.createColors(false), compared(parsed(before), parsed(after)));

  test("says for how many visitors green goes which way", () => {
    expect(tell({ shop: PRODUCTION }, { shop: { ...PRODUCTION, percentage: 45 } })).toBe(
      "~ shop  green 5 % → 45 %: 40 % of visitors come to it\n    percentage: 5 → 45",
    );
    expect(tell({ shop: PRODUCTION }, { shop: { ...PRODUCTION, state: "off" } })).toContain(
      "5 % of visitors leave it",
    );
    expect(tell({ shop: PRODUCTION }, {})).toContain("- shop  green 5 % → 0 %");
    expect(tell({}, { shop: PRODUCTION })).toContain("+ shop  green 0 % → 5 %");
    expect(
      tell({ shop: PRODUCTION }, { shop: { ...PRODUCTION, cohorts: { beta: { percentage: 9 } } } }),
    ).toContain("some may come");
  });

  test("shows what of a list is another, and no ids of people", () => {
    const ruled = (above: number) => ({
      ...PRODUCTION,
      rules: [{ metric: "evidence" }, { metric: "error_rate", above }],
    });
    const rules = tell({ shop: ruled(0.05) }, { shop: ruled(0.02) });
    expect(rules.match(/[-+] \{"metric":"error_rate"/g)).toHaveLength(2);
    expect(rules).not.toContain("evidence");
    const staff = { ...PRODUCTION, cohorts: { staff: { users: ["ada@example.com"] } } };
    expect(tell({ shop: PRODUCTION }, { shop: staff })).not.toContain("ada");
  });
});

test.each([
  ["0.27", true],
  ["0.44999", true],
  ["0.45", false],
])("bucket %s of a file's 45 %% is enabled: %s", (bucket, enabled) => {
  const table = offlineTable(parsed({ planner: { state: "canary", percentage: 45 } }), undefined, 0);
  const asked = { targetingKey: "", attributes: {}, bucket: bucketFrom(bucket) };
  expect(evaluateFlag(table, "planner", asked, 0)).toMatchObject({ enabled, threshold: 45 });
});

describe("an edit in KV", () => {
  const KV = wranglerKv({ remote: false });
  const on = { state: "on" };
  const off = { state: "off" };

  test.each([
    ["a lower percentage", { shop: PRODUCTION }, { shop: { ...PRODUCTION, percentage: 1 } }, "lowers"],
    ["a higher percentage", { shop: PRODUCTION }, { shop: { ...PRODUCTION, percentage: 9 } }, "raises"],
    ["a flag that goes", { shop: PRODUCTION }, {}, "lowers"],
    ["a flag that comes", {}, { shop: PRODUCTION }, "raises"],
    ["a flag that comes and is off", {}, { shop: off }, "neither"],
    ["notes", { shop: on }, { shop: { ...on, notes: "n" } }, "neither"],
    [
      "a cohort that is switched off",
      { shop: on },
      { shop: on, "canary.cohort.beta.enabled": off },
      "lowers",
    ],
    [
      "a cohort that is switched on",
      { "canary.cohort.beta.enabled": off },
      { "canary.cohort.beta.enabled": on },
      "raises",
    ],
  ])("%s: it says when it counts", (_, before, after, way) => {
    const said = whenItCounts(parsed(before), parsed(after), KV);
    expect([/lowers green counts/.test(said), /raises green waits/.test(said)]).toEqual([
      way === "lowers",
      way === "raises",
    ]);
  });

  test("the global switch counts at once one way only", () => {
    const [enabled, disabled] = [parsed({ shop: on }), parsed({ shop: on }, { enabled: false })];
    expect(whenItCounts(enabled, disabled, KV)).toMatch(/lowers green counts/);
    expect(whenItCounts(disabled, enabled, KV)).toMatch(/raises green waits/);
  });

  test("is refused for faults of its flag and for new ones, not for those of others from before", () => {
    const broken = { state: "sideways" };
    const before = parsed({ shop: on, cart: broken });
    expect(faultsOfChange(before, parsed({ shop: off, cart: broken }), "shop")).toEqual([]);
    expect(
      faultsOfChange(before, parsed({ shop: broken, cart: broken }), "shop").map(({ path }) => path),
    ).toEqual(["flags.shop.state"]);
    expect(
      faultsOfChange(before, parsed({ shop: on, cart: { ...broken, notes: "n" } }), "cart"),
    ).toHaveLength(1);
    expect(
      faultsOfChange(parsed({ shop: on }), parsed({ shop: on }, { groups: { a: 1 } }), undefined),
    ).not.toEqual([]);
  });
});
