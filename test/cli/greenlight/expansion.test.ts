/** Promises of the checks before a rollout goes on to a cohort. */
import { describe, expect, test } from "vitest";
import { expansionChecks, notAsked } from "../../../src/cli/greenlight/expansion.ts";
import type { GateView, RolloutView, VerdictView } from "../../../src/core/api/views.ts";

const HEALTHY: VerdictView = {
  verdict: "healthy",
  rule: "evidence",
  sentence: "As good as blue",
  figures: {},
};
const gate = (what: string, verdict: GateView["verdict"] = "healthy"): GateView => ({
  what,
  verdict,
  sentence: what,
  figures: {},
});

/** A rollout in `friendly_gp`, the second of three stages, with all that it asks for. */
const rollout = (own: Partial<RolloutView> = {}): RolloutView => ({
  flag: "engine",
  revision: 1,
  phase: "progressing",
  release: "2.1.0",
  plan: "canary-plan",
  stage: 1,
  stages: ["internal_test", "friendly_gp", "beta", "ga"].map((cohort) => ({
    name: null,
    cohort,
    percentage: null,
  })),
  percentage: 5,
  served: 5,
  cohorts: ["internal_test", "friendly_gp"],
  startedAt: 1,
  stageAt: 1,
  elapsed: 86_400,
  duration: 86_400,
  baked: null,
  bake: 0,
  requests: 500,
  minRequests: 500,
  exit: [gate("error_rate < 0.005"), gate("gauge canary_diff < 0.005")],
  entry: [gate("success_rate of feedback > 0.8"), gate("slos all met for 24 h")],
  validation: "none",
  approval: "auto",
  signOffs: [],
  waitsFor: [],
  why: null,
  rollback: null,
  halts: [],
  selected: {},
  wanting: [],
  ...own,
});
const holds = (own: Partial<RolloutView>, cohort = "beta", verdict: VerdictView | null = HEALTHY) =>
  expansionChecks(rollout(own), cohort, verdict).every((check) => check.verdict === "healthy");

describe("the checks before an expansion", () => {
  test("hold where the stage has all that it asks for", () => {
    expect(holds({})).toBe(true);
    expect(holds({}, "friendly_gp")).toBe(true);
  });

  test.each<[string, Partial<RolloutView>]>([
    ["an exit gate that does not hold", { exit: [gate("error_rate < 0.005", "unhealthy")] }],
    ["an entry gate of which nothing is known", { entry: [gate("gauge open_sev_1_2 <= 0", "unmeasured")] }],
    ["too little time", { elapsed: 86_399 }],
    ["too few requests", { requests: 499 }],
    ["a pause", { phase: "paused", why: "by ada" }],
    ["a halt", { phase: "halted" }],
    ["smoke requests that failed", { validation: "failed" }],
  ])("do not hold with %s", (_, own) => expect(holds(own)).toBe(false));

  test("do not hold for a verdict that is not known, nor for none", () => {
    expect(holds({}, "beta", { ...HEALTHY, verdict: "insufficient" })).toBe(false);
    expect(holds({}, "beta", null)).toBe(false);
  });

  test("do not hold for a cohort whose turn comes later, and ask no gate of one whose stage is over", () => {
    expect(holds({}, "ga")).toBe(false);
    expect(holds({ exit: [gate("error_rate < 0.005", "unhealthy")] }, "internal_test")).toBe(true);
  });

  test("name what the Canary plan asks for and no gate speaks of", () => {
    expect(notAsked(rollout())).toEqual(["no open bugs of severity 1 or 2"]);
    expect(notAsked(rollout({ exit: [], entry: [] }))).toHaveLength(5);
  });
});
