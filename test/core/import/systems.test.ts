/** Promises of each system: what its files mean there, they mean here. */
import { expect, test } from "vitest";
import { PLANS } from "../../../src/core/flag/plans.ts";
import type { WrittenFlag } from "../../../src/core/import/imported.ts";
import { mergeInto } from "../../../src/core/import/merge.ts";
import { fixture, imported } from "./fixtures.ts";

const flagsOf = (file: string, known: string[] = []): Record<string, WrittenFlag> =>
  imported(fixture(file), "auto", known).document.flags;
const sentences = (file: string) => imported(fixture(file)).losses.map(({ path, kind }) => `${path} ${kind}`);

test("EcoTrips: a percentage is a flag in canary, with notes, review date and playbook", () => {
  expect(flagsOf("ecotrips/planner.json")).toEqual({
    planner_v2_enabled: {
      state: "canary",
      percentage: 45,
      notes: expect.stringContaining("45%") as string,
      reviewedAt: "2025-05-06T12:00:00Z",
    },
  });
  expect(flagsOf("ecotrips/blue_green_cutover.jsonc")).toMatchObject({
    planner_v2_enabled: { percentage: 100, playbook: expect.stringContaining("Decrease to 0%") as string },
  });
});

test("EcoTrips: segments restrict the percentage, and flipping to another payload lifts that", () => {
  const canary = imported(fixture("ecotrips/canary.jsonc"));
  expect(canary.document.flags).toMatchObject({
    planner_v2_enabled: {
      percentage: 0,
      cohorts: { segments: { percentage: 10, segments: ["staff", "beta_waitlist"] } },
    },
  });
  const there = mergeInto({ flags: {} }, canary).document;
  const down = mergeInto(there, imported({ planner_v2_enabled_pct: 0 })).document;
  expect(down.flags.planner_v2_enabled).toMatchObject({ state: "canary", percentage: 0 });
  expect(down.flags.planner_v2_enabled).not.toHaveProperty("cohorts");
});

test("ORCA: the exact name of a variable goes before the one without its prefix", () => {
  const value = { ENABLE_SELF_HEALING: "true", ENABLE_NEW_UI: "off", ENABLE_CHAT: "1" };
  expect(Object.keys(imported(value, "orca-env", ["enable_chat"]).document.flags)).toEqual([
    "enable_self_healing",
    "new_ui",
    "enable_chat",
  ]);
});

test("ORCA: variables have the type of what is written", () => {
  const flags = flagsOf("orca/production.env");
  const answerOf = (name: string) => (flags[name]!.variants as { value: unknown }).value;
  expect([answerOf("max_retry_attempts"), answerOf("log_level")]).toEqual([3, "warn"]);
  expect(answerOf("retry_policy")).toMatchObject({ database: { retries: 3 } });
  expect(flags.verbose).toEqual({ kind: "operational", state: "off" });
  expect(flags.new_trust_algorithm).toEqual({ kind: "release", state: "on" });
});

test("ORCA: a secret among the variables is neither taken nor shown", () => {
  const { document, losses } = imported(fixture("orca/production.env"));
  expect(JSON.stringify([document, losses])).not.toContain("not-a-real");
  expect(losses.map(({ path }) => path)).toContain("DATABASE_URL");
});

test("ORCA: rows are the same from JSON, Postgres's own text of lists, and CSV", () => {
  expect(flagsOf("orca/feature_flags.json").advanced_policies).toMatchObject({
    state: "canary",
    percentage: 0,
    cohorts: { whitelist: { users: ["user-123", "user 9"], tenants: ["tenant-456"] } },
  });
  const { new_trust_algorithm: json } = flagsOf("orca/feature_flags.json");
  const { new_trust_algorithm: csv } = flagsOf("orca/feature_flags.csv");
  expect(csv).toMatchObject({
    state: "canary",
    percentage: 10,
    cohorts: (json as { cohorts: object }).cohorts,
  });
  expect(flagsOf("orca/feature_flags.csv").new_ui).toMatchObject({ state: "off", percentage: 50 });
});

test("TogetherOS: users and groups are let in, an environment is a precondition, percentages split", () => {
  expect(flagsOf("togetheros/feature-flags.json")["new-feature"]).toMatchObject({
    state: "canary",
    percentage: 50,
    environments: ["production"],
    cohorts: { targeted: { users: ["admin-user"] } },
  });
  const flags = flagsOf("togetheros/every-rule.json");
  expect(flags["beta-testing"]).toMatchObject({
    percentage: 0,
    cohorts: { targeted: { users: ["user-123", "user-456"], groups: ["beta-testers"] } },
  });
  expect(flags["debug-mode"]).toMatchObject({ percentage: 100, environments: ["development"] });
  expect(flags.split).toMatchObject({ state: "canary", percentage: 25 });
  expect(flags["two-splits"]).toMatchObject({ percentage: 20 });
  expect(flags.nowhere).toMatchObject({ state: "off" });
  expect(flags["deprecated-feature"]).toMatchObject({ state: "off", percentage: 75 });
});

test("TogetherOS: stages are a plan, by its name where it is a ready-made one", () => {
  const { deployment } = flagsOf("togetheros/deploy-state.json");
  expect(deployment).toMatchObject({
    state: "canary",
    percentage: 5,
    release: "v2.1.0",
    plan: "togetheros-custom",
  });
  const stages = [
    { percentage: 20, duration: 600, minRequests: 50, maxErrorRate: 0.05 },
    { percentage: 100, duration: 0 },
  ];
  expect(imported(stages).document.flags.deployment).toMatchObject({ plan: { stages } });
  expect(imported(stages).assumed).toEqual({ deployment: ["state"] });
});

test("Canary plan: cohorts with their groups, the release, and the halt rules of the ready-made plan", () => {
  const { canary } = flagsOf("canary-plan/canary.json");
  expect(canary).toMatchObject({
    state: "canary",
    release: "2.1.0",
    cohorts: {
      internal_test: {
        enabled: true,
        percentage: 0.5,
        users: ["eng-team"],
        groups: ["eng-team"],
        features: ["all"],
      },
      beta: { enabled: false, percentage: 25 },
    },
  });
  const ready = PLANS["canary-plan"]?.rules ?? [];
  for (const rule of canary!.rules as object[]) expect(ready).toContainEqual(rule);
  expect(canary?.rules).toHaveLength(6);
});

test("Canary plan: alerts are the same rules, and what is not understood is listed with its text", () => {
  const ready = PLANS["canary-plan"]?.rules ?? [];
  const rules = flagsOf("canary-plan/alerts.yaml").canary!.rules as object[];
  expect(rules).toHaveLength(5);
  for (const rule of rules) expect(ready).toContainEqual(rule);
  const { losses } = imported(fixture("canary-plan/more-alerts.yaml"));
  expect(losses).toContainEqual(
    expect.objectContaining({
      path: "alerts[1].expr",
      value: "process_resident_memory_bytes > 2e9",
      kind: "lost",
    }),
  );
});

test("Canary plan: configuration and alerts together have each rule once", () => {
  const first = mergeInto({ flags: {} }, imported(fixture("canary-plan/canary.json"))).document;
  const both = mergeInto(first, imported(fixture("canary-plan/alerts.yaml"))).document;
  expect(both.flags.canary?.rules).toHaveLength(6);
  expect(both.flags.canary?.state).toBe("canary");
});

test("Thorbis: states, kinds, percentages, dependencies and the time of a rollback", () => {
  const flags = flagsOf("thorbis/feature_flags.json");
  expect(flags["invoices.payment_links"]).toMatchObject({
    kind: "release",
    state: "canary",
    percentage: 10,
    rollbackTimeSeconds: 60,
    dependencies: ["invoices.write"],
  });
  expect(flags["estimates.ai_pricing"]).toMatchObject({
    kind: "experiment",
    state: "shadow",
    percentage: 0,
    dependencies: ["estimates.write"],
    metadata: { canary_percentage: 10 },
  });
  expect(flags["ai.vector_search"]).toMatchObject({ kind: "kill-switch", state: "kill" });
  expect(sentences("thorbis/feature_flags.json")).toContain("[4].dependencies[0] lost");
});

test("Thorbis: an override of a tenant is on or off until it expires; shadow is listed", () => {
  const first = mergeInto({ flags: {} }, imported(fixture("thorbis/feature_flags.json"))).document;
  const { document } = mergeInto(first, imported(fixture("thorbis/tenant_flag_overrides.json")));
  expect(document.flags["invoices.write"]).toMatchObject({
    state: "on",
    overrides: {
      tenants: {
        "0b6f5c8e-7a54-4a53-9c43-0a1d6a3f1c10": {
          state: "off",
          expires: "2026-12-01T00:00:00Z",
          reason: "The tenant asked for it",
        },
      },
    },
  });
  expect(
    Object.keys((document.flags["estimates.write"]!.overrides as { tenants: object }).tenants),
  ).toHaveLength(1);
  expect(sentences("thorbis/tenant_flag_overrides.json")).toContain("[2] lost");
});

test("Thorbis: success criteria are the gates of a phase and the rules that end it, those of the ready-made plan", () => {
  const flag = flagsOf("thorbis/success_criteria.yaml")["invoices.write"];
  const ready = PLANS.thorbis!;
  const [phase, all] = (flag!.plan as { stages: object[] }).stages;
  expect(phase).toEqual(ready.stages[1]);
  expect(all).toEqual({ percentage: 100 });
  expect(flag?.rules).toEqual(ready.rules);
  expect(Object.keys(flagsOf("thorbis/flags.yaml"))).toHaveLength(20);
});

test("flagd: what cohorts and a percentage can say is said", () => {
  const flags = flagsOf("flagd/flags.json");
  expect(flags["dark-mode"]).toMatchObject({ state: "on" });
  expect(flags["old-export"]).toMatchObject({ state: "off" });
  expect(flags["page-size"]).toMatchObject({ state: "on", onVariant: "small" });
  expect(flags["new-checkout"]).toMatchObject({ state: "canary", percentage: 25 });
  expect(flags.headline).toMatchObject({
    state: "canary",
    percentage: 25,
    onVariant: "bold",
    offVariant: "plain",
    cohorts: {
      "targeting-1": { users: ["user-1", "user-2"] },
      "targeting-2": { attributes: { country: ["NL", "DE", "FR"] } },
    },
  });
  expect(flags["beta-api"]).toMatchObject({
    onVariant: "true",
    cohorts: {
      "targeting-1": { attributes: { plan: ["pro"], region: ["eu", "us"] } },
      "targeting-2": { groups: ["beta"] },
      "targeting-3": { tenants: ["acme"] },
    },
  });
  expect(flagsOf("flagd/flags.yaml")["new-search"]).toMatchObject({ state: "canary", percentage: 12.5 });
});

test("flagd: nobody is on whom flagd may have had off", () => {
  const flags = flagsOf("flagd/flags.json");
  for (const name of ["not-for-guests", "new-sdk", "by-the-caller"]) expect(flags[name]?.state).toBe("off");
  expect(flags.colour).toMatchObject({ percentage: 0 });
  expect(flags.colour).not.toHaveProperty("cohorts");
});

test("Unleash: any strategy lets in, constraints are all needed, segments are written out", () => {
  const flags = flagsOf("unleash/client-features.json");
  expect(flags["new.payment.flow"]).toMatchObject({
    kind: "release",
    state: "canary",
    percentage: 35,
    cohorts: { "strategy-1": { users: ["user-1", "user-2"] } },
  });
  expect(flags["invoice.preview"]).toMatchObject({
    percentage: 5,
    salt: "invoices",
    dependencies: ["new.payment.flow"],
    cohorts: {
      "strategy-1": { attributes: { plan: ["pro"], country: ["NL", "DE"] } },
      "strategy-2": { groups: ["beta"] },
    },
  });
  expect(flags.maintenance).toMatchObject({ kind: "kill-switch", state: "on" });
  expect(flags["off.for.now"]).toMatchObject({ state: "off" });
  expect(flags["office.only"]).toMatchObject({
    context: { remoteAddress: "ip" },
    cohorts: { "strategy-1": { attributes: { remoteAddress: ["192.0.2.1", "192.0.2.2"] } } },
  });
  expect(flags.greeting).toMatchObject({
    environments: ["production"],
    variants: { hello: "Hello", disabled: "" },
    onVariant: "hello",
    offVariant: "disabled",
  });
  expect(flags["half-of-Europe"]).toMatchObject({ state: "off", percentage: 0 });
});

test("Unleash: an export of an environment is the same in lists of its own", () => {
  const flags = flagsOf("unleash/export.json");
  expect(flags["checkout.express"]).toMatchObject({
    state: "canary",
    percentage: 25,
    createdAt: "2025-01-28T15:21:39.975Z",
    metadata: { project: "shop", tags: "simple:user-facing" },
  });
  expect(flags["checkout.gift-wrap"]).toMatchObject({
    state: "off",
    dependencies: ["checkout.express"],
    cohorts: { "strategy-1": { tenants: ["acme"] } },
  });
});
