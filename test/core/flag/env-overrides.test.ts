/** Promises about variables that override flags, for local work and previews. */
import { describe, expect, test } from "vitest";
import { compileTable } from "../../../src/core/flag/compile.ts";
import { envOverrides } from "../../../src/core/flag/env-overrides.ts";
import { decide } from "../../../src/core/flag/evaluate.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import type { FlagInput } from "../../../src/core/flag/schema.ts";
import { type EffectiveFlag, effectiveFlags } from "../../../src/core/rollout/effective.ts";
import { SNAPSHOT_VERSION, type Snapshot } from "../../../src/core/rollout/snapshot.ts";

const route = { blue: "https://blue.test", green: "https://green.test" };

/** Flags as an isolate serves them. */
function served(
  flags: Record<string, FlagInput>,
  { kill = "", ...more }: Partial<Omit<Snapshot, "kill">> & { kill?: string } = {},
): EffectiveFlag[] {
  const parsed = parseDocument(JSON.stringify({ flags }));
  expect(parsed.faults).toEqual([]);
  const none = { enabled: true, status: {}, halts: [], faults: [], specHash: "", revision: 1, at: 0 };
  const snapshot: Snapshot = {
    v: SNAPSHOT_VERSION,
    ...none,
    flags: Object.fromEntries(parsed.flags),
    ...more,
  };
  return effectiveFlags({ snapshot, document: undefined, kill, heardAt: 0, now: 0 });
}

/** What is answered about a flag, and the value that a plain one gives when it is on. */
function answer(vars: Record<string, unknown>, flags: EffectiveFlag[], name: string) {
  const flag = compileTable(envOverrides(vars, flags).flags).flags.get(name)!;
  const { variant, reason } = decide(flag, { key: "ann", placement: "hash", trusted: true }, 0);
  return { variant, reason, value: flag.spec.variants?.[flag.spec.onVariant] };
}

describe("ENABLE_X", () => {
  test.each(["true", "1", "yes", "on", "TRUE", " on ", true, 1])(
    "%j turns a flag on for everyone",
    (word) => {
      const flags = served({ checkout: { state: "off", route } });
      expect(answer({ ENABLE_CHECKOUT: word }, flags, "checkout")).toMatchObject({
        variant: "green",
        reason: "TARGETING_MATCH",
      });
    },
  );

  test.each(["false", "0", "no", "off", false, 0])("%j turns it off for everyone, members too", (word) => {
    const flags = served({
      checkout: { state: "canary", percentage: 100, cohorts: { staff: { users: ["ann"] } }, route },
    });
    expect(answer({ ENABLE_CHECKOUT: word }, flags, "checkout")).toMatchObject({
      variant: "blue",
      reason: "TARGETING_MATCH",
    });
  });

  test("means the flag of exactly that name, and without the prefix only where there is none", () => {
    const both = served({ enable_search: { state: "off" }, search: { state: "off" } });
    expect(answer({ ENABLE_SEARCH: "true" }, both, "enable_search").variant).toBe("green");
    expect(answer({ ENABLE_SEARCH: "true" }, both, "search").variant).toBe("blue");
    const one = served({ search: { state: "off" } });
    expect(answer({ ENABLE_SEARCH: "true" }, one, "search").variant).toBe("green");
  });

  test("finds names with other signs than a variable may have", () => {
    const flags = served({ "billing.new-invoice": { state: "off" } });
    expect(answer({ ENABLE_BILLING_NEW_INVOICE: "on" }, flags, "billing.new-invoice").variant).toBe("green");
  });

  test("of two flags that it could mean takes the one that is spelt like it, else neither, and says so", () => {
    const flags = served({ "new-ui": { state: "off" }, new_ui: { state: "off" } });
    expect(answer({ ENABLE_NEW_UI: "1" }, flags, "new_ui").variant).toBe("green");
    expect(answer({ ENABLE_NEW_UI: "1" }, flags, "new-ui").variant).toBe("blue");
    const twins = served({ "new-ui": { state: "off" }, "new.ui": { state: "off" } });
    const { faults } = envOverrides({ ENABLE_NEW_UI: "1" }, twins);
    expect(faults).toMatchObject([{ path: "env ENABLE_NEW_UI" }]);
    expect(answer({ ENABLE_NEW_UI: "1" }, twins, "new-ui").variant).toBe("blue");
  });

  test("makes a plain flag that no document has", () => {
    expect(answer({ ENABLE_SELF_HEALING: "true" }, [], "self_healing").variant).toBe("green");
    expect(answer({ ENABLE_SELF_HEALING: "false" }, [], "self_healing").variant).toBe("blue");
  });

  test.each([
    ["the kill key", served({ shop: { state: "on", route } }, { kill: "shop" })],
    ["a kill in the document", served({ shop: { state: "kill", route } })],
    ["the global switch", served({ shop: { state: "on", route } }, { enabled: false })],
    [
      "a halt",
      served(
        { shop: { state: "on", release: "1.0", route } },
        {
          halts: [
            { flag: "shop", release: "1.0", action: "rollback", at: 0, rule: "r", reason: "x", figures: {} },
          ],
        },
      ),
    ],
  ])("never goes over %s", (_, flags) => {
    expect(answer({ ENABLE_SHOP: "true" }, flags, "shop")).toMatchObject({
      variant: "blue",
      reason: "DISABLED",
    });
  });
});

test("puts nobody on green whose cohort is halted", () => {
  const cohorts = { staff: { users: ["ann"] } };
  const halt = { release: "1.0", action: "rollback", at: 0, rule: "r", reason: "x", figures: {} } as const;
  const flags = served(
    { shop: { state: "canary", release: "1.0", cohorts, route } },
    { halts: [{ flag: "shop", cohort: "staff", ...halt }] },
  );
  expect(answer({ ENABLE_SHOP: "true" }, flags, "shop")).toMatchObject({
    variant: "blue",
    reason: "DISABLED",
  });
});

test("puts nobody on the green of a route whose halts are not known yet", () => {
  const parsed = parseDocument(JSON.stringify({ flags: { shop: { state: "canary", route } } }));
  const document = { hash: "h", revision: 1, parsed };
  const flags = effectiveFlags({ snapshot: undefined, document, kill: "", heardAt: 0, now: 0 });
  expect(answer({ ENABLE_SHOP: "true" }, flags, "shop")).toMatchObject({ variant: "blue" });
  expect(answer({ ENABLE_SHOP: "off" }, flags, "shop")).toMatchObject({ reason: "TARGETING_MATCH" });
});

describe("a typed value", () => {
  const plain = (variants: FlagInput["variants"]): Record<string, FlagInput> => ({
    max_retry_attempts: { state: "off", variants: variants! },
  });
  test.each([
    ["a number", { on: 5, off: 1 }, "3", 3],
    ["a number as JSON variable", { on: 5, off: 1 }, 7, 7],
    ["text", { on: "dark", off: "light" }, "sepia", "sepia"],
    ["text that looks like a number", { on: "dark", off: "light" }, "3", "3"],
    ["an object", { on: { a: 1 }, off: {} }, '{ "a": 2 }', { a: 2 }],
    ["a list", { on: [1], off: [] }, "[1, 2]", [1, 2]],
  ])("%s is what everyone is answered", (_, variants, given, value) => {
    expect(answer({ MAX_RETRY_ATTEMPTS: given }, served(plain(variants)), "max_retry_attempts")).toEqual({
      variant: "green",
      reason: "TARGETING_MATCH",
      value,
    });
  });

  test("that is the one of another variant chooses that variant", () => {
    const flags = served(plain({ on: 5, off: 1, many: 9 }));
    const [flag] = envOverrides({ MAX_RETRY_ATTEMPTS: "9" }, flags).flags;
    expect(flag).toMatchObject({ forced: "on", spec: { onVariant: "many" } });
    const [off] = envOverrides({ MAX_RETRY_ATTEMPTS: "1" }, flags).flags;
    expect(off).toMatchObject({ forced: "off" });
  });

  test.each([
    ["three", { on: 5, off: 1 }],
    ["0x10", { on: 5, off: 1 }],
    ["{", { on: {}, off: {} }],
    ["3", { on: {}, off: {} }],
    ["maybe", { on: true, off: false }],
  ])("%j of the wrong type changes nothing, and is told without telling it", (given, variants) => {
    const flags = served(plain(variants));
    const result = envOverrides({ MAX_RETRY_ATTEMPTS: given }, flags);
    expect(result.flags).toEqual(flags);
    expect(result.faults).toMatchObject([{ path: "env MAX_RETRY_ATTEMPTS" }]);
    expect(result.faults[0]!.message).not.toContain(given);
  });

  test("is refused for a routed flag, with the way that works", () => {
    const { faults, flags } = envOverrides({ SHOP: "true" }, served({ shop: { state: "off", route } }));
    expect(faults).toMatchObject([{ path: "env SHOP", expected: expect.stringContaining("ENABLE_SHOP") }]);
    expect(flags[0]).not.toHaveProperty("forced");
  });
});

test("secrets and bindings of the Worker are no flags, whatever flags are called", () => {
  const flags = served({
    admin_tokens: { state: "off", variants: { on: "x", off: "y" } },
    pull_authorization: { state: "off", variants: { on: "x", off: "y" } },
  });
  const vars = {
    ADMIN_TOKENS: "secret",
    PULL_AUTHORIZATION: "secret",
    FLAGS: { get() {} },
    SLACK_URL: "https://secret.test",
    SHARDS: "1",
  };
  expect(envOverrides(vars, flags)).toEqual({ flags, faults: [] });
});
