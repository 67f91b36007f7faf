/** Promises of the ready-made plans: every number is that of the system it comes from, and the plan runs as it says. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Plan, type PlanInput, plan } from "../../../src/core/flag/plan.ts";
import { PLANS } from "../../../src/core/flag/plans.ts";
import { flagSchema } from "../../../src/core/flag/schema.ts";
import type { Look } from "../../../src/core/rollout/progress.ts";
import { nextStage, shareOfStage, stageOf } from "../../../src/core/rollout/transition.ts";
import { begun, finding, HOUR, MINUTE, type Player, SECOND } from "./player.ts";

interface ChecklistItem {
  stage: number;
  where: "entry" | "exit" | "validate" | "duration" | "stage" | "after";
  by: string | number;
}
interface Fixture {
  system: string;
  plan: PlanInput;
  checklist?: ChecklistItem[];
}
const folder = join(import.meta.dirname, "../../../fixtures/plans");
const fixture = (name: string): Fixture => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
const ready = (name: string): Plan => flagSchema.parse({ state: "canary", plan: name }).plan!;
const numbers = (name: string, field: keyof Plan["stages"][number]) =>
  ready(name).stages.map((stage) => stage[field]);

/** A look at which every condition holds. */
function good({ progress }: Player): Partial<Look> {
  const next = nextStage(progress);
  const all = (gates: readonly object[]) =>
    gates.map((gate) => ("signOff" in gate ? undefined : finding("healthy")));
  return {
    exit: all(stageOf(progress)?.exit ?? []),
    entry: all(next === undefined ? [] : progress.plan!.stages[next]!.entry),
  };
}
/** Looks once a minute, with everybody's word and approval at once, until the stage changes; how long it took. */
function leave(player: Player): number {
  const { stage } = player.progress;
  const began = player.progress.stageAt;
  for (let i = 0; i < 20_000; i++) {
    const { phase, plan: p, validation } = player.progress;
    if (player.progress.stage !== stage || phase === "completed") break;
    const next = nextStage(player.progress);
    const words = [
      ...(stageOf(player.progress)?.exit ?? []),
      ...(next === undefined ? [] : p!.stages[next]!.entry),
    ];
    for (const word of words)
      if ("signOff" in word && !player.progress.signOffs.some((s) => s.role === word.signOff))
        player.order({ name: "signOff", role: word.signOff });
    if (phase === "awaitingApproval") player.order("approve", good(player));
    if (validation === "waiting") player.validated(true);
    if (player.progress.stage === stage) player.look(MINUTE, good(player));
  }
  return player.now - began;
}

describe("the ready-made plans", () => {
  it("are all there as fixtures, with the same content", () => {
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(PLANS)
        .map((name) => `${name}.json`)
        .sort(),
    );
    for (const name of Object.keys(PLANS)) expect(plan.parse(fixture(name).plan)).toEqual(ready(name));
  });
  it.each(Object.keys(PLANS))("%s runs to its end when all is well, and no stage is skipped", (name) => {
    const player = begun(ready(name));
    const seen = [player.progress.stage];
    while (player.phase !== "completed" && seen.length < 30) {
      leave(player);
      if (seen.at(-1) !== player.progress.stage) seen.push(player.progress.stage);
    }
    expect(player.at).toBe(`completed 100 #${ready(name).stages.length - 1}`);
    const first = seen[0]!;
    expect(seen).toEqual(seen.map((_, i) => first + i));
  });
});

describe("orca", () => {
  it("goes 5, 25, 50, 100 % after 30 minutes, an hour, two hours, with a day of bake", () => {
    expect(numbers("orca", "percentage")).toEqual([5, 25, 50, 100]);
    expect(numbers("orca", "duration")).toEqual([1800, 3600, 7200, 0]);
    expect(numbers("orca", "bake")).toEqual([0, 0, 0, 86_400]);
    expect(numbers("orca", "approval")).toEqual(["auto", "auto", "manual", "auto"]);
  });
  it("tries its smoke tests before 5 %, and waits for nothing longer than it says", () => {
    const player = begun(ready("orca"));
    expect(player.at).toBe("progressing 0 #-1");
    player.validated(true);
    expect(player.at).toBe("progressing 5 #0");
    expect(player.progress.smoke).toBe("passed");
    expect([leave(player), leave(player)]).toEqual([30 * MINUTE, HOUR]);
    expect(player.progress.smoke).toBe("passed");
    player.pass(2 * HOUR - 1, good(player));
    expect(player.at).toBe("progressing 50 #2");
    player.look(1, good(player));
    expect(player.at).toBe("awaitingApproval 50 #2");
    player.order("approve", good(player));
    player.look(SECOND, good(player));
    expect(player.at).toBe("progressing 100 #3");
    player.look(SECOND, good(player));
    player.pass(24 * HOUR - 1, good(player));
    expect(player.at).toBe("progressing 100 #3");
    player.look(1, good(player));
    expect(player.at).toBe("completed 100 #3");
  });
  it("has green light, red light and rollback triggers in its numbers", () => {
    const { stages, rules } = ready("orca");
    for (const { exit } of stages)
      expect(exit).toMatchObject([
        { metric: "error_rate", atMost: { baseline: "blue", plus: 0.005 }, window: "stage" },
        { metric: "latency_p95", atMost: { baseline: "blue", plus: 100 } },
        { gauge: "trust_score", atLeast: 80 },
        { metric: "alerts", labels: { severity: "critical" }, atMost: 0 },
        { metric: "smoke_test", is: "passed" },
      ]);
    expect(rules).toMatchObject([
      { metric: "error_rate", above: { plus: 0.02 } },
      { metric: "latency_p95", above: { plus: 500 } },
      { gauge: "trust_score", below: 75 },
      { metric: "alerts", atLeast: 1 },
      { metric: "smoke_test", is: "failed" },
      { metric: "error_rate", above: { plus: 0.05 } },
      { metric: "latency_p95", above: { times: 1.5 } },
      { metric: "alerts", atLeast: 1, within: 600 },
      { metric: "health_check", above: 3 },
    ]);
    expect(rules!.every(({ action }) => action === "rollback")).toBe(true);
  });
});

describe("orca-weeks", () => {
  it("takes a week each for 0.1 %, the beta cohort, 10, 50 and 100 %", () => {
    const p = ready("orca-weeks");
    expect(numbers("orca-weeks", "percentage")).toEqual([0.1, undefined, 10, 50, 100]);
    expect(numbers("orca-weeks", "cohort")[1]).toBe("beta");
    expect(numbers("orca-weeks", "duration")).toEqual([604_800, 604_800, 604_800, 604_800, 604_800]);
    expect(shareOfStage(p, 1)).toBe(100);
  });
});

describe("togetheros", () => {
  it("has 5, 3 and 2 % at 10, 50 and 100 %", () => {
    expect(numbers("togetheros", "percentage")).toEqual([10, 50, 100]);
    expect(numbers("togetheros", "maxErrorRate")).toEqual([0.05, 0.03, 0.02]);
  });
  it("has the custom stages of its guide", () => {
    expect(fixture("togetheros-custom").plan.stages).toEqual([
      { percentage: 5, duration: 600, minRequests: 50, maxErrorRate: 0.05 },
      { percentage: 25, duration: 900, minRequests: 200, maxErrorRate: 0.03 },
      { percentage: 50, duration: 1200, minRequests: 500, maxErrorRate: 0.02 },
      { percentage: 100, duration: 0, minRequests: 0, maxErrorRate: 0.01 },
    ]);
  });
  it("leaves 5 % at 600 s and 50 requests, not at one less of either, and ends at the first look", () => {
    const player = begun(ready("togetheros-custom")).pass(10 * MINUTE - 1, { requests: 50 });
    expect(player.percent).toBe(5);
    player.look(1, { requests: 49 });
    expect(player.percent).toBe(5);
    player.look(1, { requests: 50 });
    expect(player.percent).toBe(25);
    player.pass(15 * MINUTE, { requests: 200 }).pass(20 * MINUTE, { requests: 500 });
    expect(player.at).toBe("progressing 100 #3");
    player.look(SECOND, { requests: 0, verdict: "insufficient", exit: [finding("insufficient")] });
    expect(player.phase).toBe("completed");
  });
});

describe("canary-plan", () => {
  it("has its cohorts, shares and times", () => {
    expect(numbers("canary-plan", "cohort")).toEqual(["internal_test", "friendly_gp", "beta", "ga"]);
    expect(numbers("canary-plan", "percentage")).toEqual([0.5, 5, 25, 100]);
    expect(numbers("canary-plan", "duration")).toEqual([3600, 86_400, 172_800, 0]);
    expect(numbers("canary-plan", "maxDuration")).toEqual([7200, undefined, 259_200, undefined]);
  });
  it("has every item of its checklists, as a word, a gate, a time or a step of its own", () => {
    const { stages } = ready("canary-plan");
    for (const { stage, where, by } of fixture("canary-plan").checklist!) {
      const s = stages[stage]!;
      if (where === "after") continue;
      if (where === "stage") expect(s.cohort).toBe(by);
      else if (where === "duration") expect(s.duration).toBe(by);
      else if (where === "validate") expect(s.validate[0]!.path).toBe(by);
      else {
        const names = s[where].map((g) =>
          "signOff" in g ? g.signOff : g.metric === "gauge" ? g.gauge : g.metric,
        );
        expect(names).toContain(by);
      }
    }
  });
  it("asks each word of one role only, so that no word stands for two things", () => {
    const roles = ready("canary-plan").stages.flatMap(({ entry, exit }) =>
      [...entry, ...exit].flatMap((g) => ("signOff" in g ? [g.signOff] : [])),
    );
    expect(new Set(roles).size).toBe(roles.length);
  });
  it("opens for nobody before CI, deployment and health checks are well", () => {
    const player = begun(ready("canary-plan"));
    player.look(MINUTE, { verdict: "insufficient", entry: [undefined, undefined, finding("healthy")] });
    expect(player.at).toBe("progressing 0 #-1");
    expect(player.progress.cohorts).toEqual([]);
    expect(player.told()).toEqual(["approval"]);
    leave(player);
    expect(player.at).toBe("progressing 0.5 #0");
    expect(player.progress.cohorts).toEqual(["internal_test"]);
  });
  it("pauses when the internal test takes longer than two hours", () => {
    const player = begun(ready("canary-plan"));
    leave(player);
    player.pass(2 * HOUR - 1, good(player));
    expect(player.phase).toBe("progressing");
    player.look(1, good(player));
    expect(player.phase).toBe("paused");
  });
  it("keeps the cohorts before when it enables the next", () => {
    const player = begun(ready("canary-plan"));
    for (let i = 0; i < 4; i++) leave(player);
    expect(player.progress.cohorts).toEqual(["internal_test", "friendly_gp", "beta", "ga"]);
  });
});

describe("thorbis", () => {
  it("has a day of shadow, two at 10 %, three at 50 %, and halves once", () => {
    expect(numbers("thorbis", "shadow")).toEqual([true, false, false, false]);
    expect(numbers("thorbis", "percentage")).toEqual([undefined, 10, 50, 100]);
    expect(numbers("thorbis", "duration")).toEqual([86_400, 172_800, 259_200, 0]);
    expect(ready("thorbis").rollback).toEqual({ watch: 1800, halvings: 1 });
  });
  it("completes a gradual rollback after half an hour that showed no recovery", () => {
    const player = begun(ready("thorbis"));
    leave(player);
    leave(player);
    expect(player.percent).toBe(50);
    player.order({ name: "rollback", mode: "gradual" });
    expect(player.percent).toBe(25);
    player.pass(30 * MINUTE - 1, { verdict: "unhealthy" });
    expect(player.percent).toBe(25);
    player.look(1, { verdict: "unhealthy" });
    expect(player.at).toBe("halted 0 #-1");
  });
});

describe("ecotrips", () => {
  it("goes from 5 % to 100 % in steps of 5 to 10 points", () => {
    const shares = numbers("ecotrips", "percentage") as number[];
    expect([shares[0], shares.at(-1)]).toEqual([5, 100]);
    shares.slice(1).forEach((share, i) => {
      expect(share - shares[i]!).toBeGreaterThanOrEqual(5);
      expect(share - shares[i]!).toBeLessThanOrEqual(10);
    });
    expect(ready("ecotrips").stages.at(-2)!.duration).toBe(4 * 3600);
  });
});

describe("the numbers of rules and gates", () => {
  const rulesOf = (name: string): unknown[] =>
    JSON.parse(readFileSync(join(folder, "../rules", `${name}.json`), "utf8")).rules.map(
      (r: { rule: unknown }) => r.rule,
    );
  it.each(["canary-plan", "thorbis", "ecotrips"])("of %s are those of the fixtures of its system", (name) => {
    const given = fixture(name).plan.rules!;
    for (const rule of rulesOf(name)) expect(given).toContainEqual(rule);
  });
});
