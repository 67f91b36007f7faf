/** Promises of a rollout's stages: when each is left, and not one look before. */
import { describe, expect, it } from "vitest";
import { bandsOf, cohortsOf, shareOfStage, stageOf } from "../../../src/core/rollout/transition.ts";
import { begun, finding, HOUR, MINUTE, Player, planOf, SECOND, steps } from "./player.ts";

const errorGate = { metric: "error_rate" as const, atMost: 0.01 };
const oneStage = (stage: object, next: object = {}) =>
  planOf({
    stages: [
      { percentage: 5, ...stage },
      { percentage: 25, ...next },
    ],
  });

describe("the share of a stage", () => {
  const plan = planOf({
    stages: [
      { cohort: "staff" },
      { cohort: "internal", percentage: 0.5 },
      { cohort: "beta" },
      { percentage: 25 },
    ],
  });
  it("is the highest percentage up to it, and its cohorts are those of all before", () => {
    expect([-1, 0, 1, 2, 3].map((i) => shareOfStage(plan, i))).toEqual([0, 0, 500, 500, 25_000]);
    expect(cohortsOf(plan, 1)).toEqual(["staff", "internal"]);
    expect(cohortsOf(plan, 3)).toEqual(["staff", "internal", "beta"]);
  });
  it("gives bands to the stages that have a cohort and a percentage", () => {
    const player = begun(plan);
    expect(bandsOf(player.progress)).toEqual([]);
    player.look(SECOND).look(SECOND).look(SECOND);
    expect(player.at).toBe("progressing 25 #3");
    expect(bandsOf(player.progress)).toEqual([{ cohort: "internal", share: 500 }]);
    expect(stageOf(player.progress)?.percentage).toBe(25);
  });
});

describe("a new release", () => {
  it("enters the first stage at once when nothing keeps it shut", () => {
    const player = begun(steps(5, 25));
    expect(player.at).toBe("progressing 5 #0");
    expect(player.told()).toEqual(["started", "stage", "percentage"]);
    expect(player.sentences("percentage")[0]).toMatch(/^Green went from 0 % to 5 %: /);
    expect(player.effects.filter((e) => e.type === "publish")).toHaveLength(1);
  });
  it("waits before the first stage for its entry gates", () => {
    const player = begun(oneStage({ entry: [errorGate] }));
    expect(player.at).toBe("progressing 0 #-1");
    player.look(SECOND, { verdict: "insufficient", entry: [finding("unhealthy")] });
    expect(player.at).toBe("progressing 0 #-1");
    player.look(SECOND, { verdict: "insufficient", entry: [finding("healthy")] });
    expect(player.at).toBe("progressing 5 #0");
  });
  it("waits before a first stage of shadow as before any other", () => {
    const plan = planOf({ stages: [{ shadow: true, percentage: 0, entry: [errorGate] }, { percentage: 5 }] });
    const player = begun(plan).look(SECOND, { entry: [finding("unhealthy")] });
    expect(player.at).toBe("progressing 0 #-1");
    player.look(SECOND, { entry: [finding("healthy")] });
    expect(player.at).toBe("progressing 0 #0");
  });
  it("waits for the requests that the first stage wants tried", () => {
    const player = begun(oneStage({ validate: [{ path: "/health" }] }));
    const [asked] = player.effects.filter((e) => e.type === "validate");
    expect(asked).toMatchObject({ stage: 0 });
    expect(player.at).toBe("progressing 0 #-1");
    player.validated(true, "another/1/key");
    expect(player.at).toBe("progressing 0 #-1");
    player.validated(true, `checkout/${player.progress.validationKey}`);
    expect(player.at).toBe("progressing 5 #0");
  });
  it("begins anew: the rollout before is history", () => {
    const player = begun(steps(5, 25)).look(SECOND);
    player.adopt({ release: "2.2.0" });
    expect(player.at).toBe("progressing 5 #0");
    expect(player.progress.rollout).toBe(2);
    expect(player.effects).toContainEqual({
      type: "history",
      what: "ended",
      rollout: 1,
      outcome: "superseded",
      stage: 1,
    });
  });
  it("waits for the command start where the plan says so", () => {
    const player = begun({ ...steps(5, 25), start: "manual" });
    expect(player.at).toBe("idle 0 #-1");
    player.look(HOUR);
    expect(player.at).toBe("idle 0 #-1");
    player.order("start");
    expect(player.at).toBe("progressing 5 #0");
  });
});

describe("a stage", () => {
  it("is left when its duration has passed, and not a millisecond before", () => {
    const player = begun(oneStage({ duration: 60 }));
    player.look(MINUTE - 1);
    expect(player.at).toBe("progressing 5 #0");
    player.look(1);
    expect(player.at).toBe("progressing 25 #1");
  });
  it("is left at minRequests, and not at one less", () => {
    const player = begun(oneStage({ minRequests: 50 }));
    player.look(MINUTE, { requests: 49 });
    expect(player.at).toBe("progressing 5 #0");
    player.look(MINUTE, { requests: 50 });
    expect(player.at).toBe("progressing 25 #1");
  });
  it.each(["unhealthy", "insufficient", "unmeasured"] as const)(
    "is not left on a gate that is %s",
    (verdict) => {
      const player = begun(oneStage({ exit: [errorGate] }));
      player
        .look(MINUTE, { exit: [finding(verdict)] })
        .look(MINUTE, { exit: [undefined] })
        .look(MINUTE);
      expect(player.at).toBe("progressing 5 #0");
      player.look(MINUTE, { exit: [finding("healthy")] });
      expect(player.at).toBe("progressing 25 #1");
    },
  );
  it.each(["unhealthy", "insufficient", "unmeasured"] as const)(
    "is not left on the verdict %s",
    (verdict) => {
      const player = begun(steps(5, 25));
      player.look(MINUTE, { verdict });
      expect(player.at).toBe("progressing 5 #0");
    },
  );
  it("is not left while its error rate is above the limit, which comes after its gates", () => {
    const player = begun(oneStage({ maxErrorRate: 0.05 }));
    player.look(MINUTE, { exit: [finding("unhealthy")] });
    expect(player.at).toBe("progressing 5 #0");
    player.look(MINUTE, { exit: [finding("healthy")] });
    expect(player.at).toBe("progressing 25 #1");
  });
  it("counts only time that was measured and not stopped", () => {
    const player = begun(oneStage({ duration: 120 }));
    player.look(MINUTE).look(MINUTE, { verdict: "unmeasured" }).look(MINUTE, {}, true);
    expect(player.progress.elapsedMs).toBe(MINUTE);
    player.look(MINUTE - 1);
    expect(player.at).toBe("progressing 5 #0");
    player.look(1);
    expect(player.at).toBe("progressing 25 #1");
  });
  it("counts at most two minutes for a look that comes a day late, and a repeated one for nothing", () => {
    const player = begun(oneStage({ duration: 600 }));
    player.look(24 * HOUR);
    expect(player.progress.elapsedMs).toBe(2 * MINUTE);
    const before = player.progress;
    player.look(0);
    expect(player.progress).toEqual(before);
    player.look(-HOUR);
    expect(player.progress).toEqual(before);
    expect(player.at).toBe("progressing 5 #0");
  });
  it("is followed by the next one only, also after a day", () => {
    const player = begun(steps(5, 25, 50, 100)).look(24 * HOUR);
    expect(player.at).toBe("progressing 25 #1");
  });
  it("waits for sign-offs, says so once, and goes on with the last", () => {
    const exit = [{ signOff: "qa", what: "Tested" }];
    const entry = [{ signOff: "product_owner", what: "Product owner approval" }];
    const player = begun(oneStage({ exit }, { entry }));
    player.look(MINUTE, { exit: [undefined], entry: [undefined] });
    expect(player.sentences("approval")).toEqual(["Waits in the stage of 5 %: qa has to sign off: Tested"]);
    player.look(MINUTE, { exit: [undefined], entry: [undefined] });
    expect(player.told()).toEqual([]);
    expect(player.order({ name: "signOff", role: "legal" })).toMatchObject({
      ok: false,
      reason: "no-such-role",
      sentence: expect.stringContaining("qa, product_owner"),
    });
    player.order({ name: "signOff", role: "product_owner" });
    player.look(MINUTE);
    expect(player.at).toBe("progressing 5 #0");
    player.order({ name: "signOff", role: "qa" });
    expect(player.progress.signOffs.map(({ role, who }) => `${role} ${who}`)).toEqual([
      "product_owner ada",
      "qa ada",
    ]);
    player.look(MINUTE);
    expect(player.at).toBe("progressing 25 #1");
    expect(player.progress.signOffs).toEqual([]);
  });
  it("keeps its own smoke tests passed while the next stage's are tried", () => {
    const tried = { validate: [{ path: "/" }] };
    const player = begun(oneStage(tried, tried)).validated(true);
    expect(player.look(MINUTE).progress).toMatchObject({ validation: "waiting", smoke: "passed" });
    expect(player.validated(false).progress.smoke).toBe("failed");
  });
  it("has the next stage's requests tried before it opens, and stops when they fail", () => {
    const player = begun(oneStage({}, { validate: [{ path: "/health" }] }));
    player.look(MINUTE).look(MINUTE);
    expect(player.at).toBe("progressing 5 #0");
    player.validated(false);
    expect(player.phase).toBe("paused");
    expect(player.progress.why).toContain("GET / answered 500");
    player.order("resume");
    player.look(MINUTE).validated(true).look(MINUTE);
    expect(player.at).toBe("progressing 25 #1");
  });
  it("has them tried again by pause and resume, where no answer has come", () => {
    const player = begun(oneStage({}, { validate: [{ path: "/health" }] })).look(MINUTE);
    const lost = player.progress.validationKey!;
    player.order("pause");
    player.order("resume");
    expect(player.effects.filter(({ type }) => type === "validate")).toHaveLength(1);
    player.validated(true, lost).look(MINUTE);
    expect(player.at).toBe("progressing 5 #0");
    player.validated(true).look(MINUTE);
    expect(player.at).toBe("progressing 25 #1");
  });
});

describe("a stage with approval", () => {
  const plan = oneStage({ approval: "manual", exit: [errorGate], bake: 600 });
  const passed = { exit: [finding("healthy")] };
  it("is left by nobody's leave but a person's, and tells once that it waits", () => {
    const player = begun(plan).look(MINUTE, passed);
    expect(player.phase).toBe("awaitingApproval");
    expect(player.told()).toEqual(["approval"]);
    player.pass(3 * HOUR, passed);
    expect(player.at).toBe("awaitingApproval 5 #0");
    expect(player.told()).toEqual([]);
  });
  it("refuses an approval before the gates have passed, and after one has failed", () => {
    const player = begun(plan);
    expect(player.order("approve")).toMatchObject({ reason: "not-awaiting-approval" });
    player.look(MINUTE, passed);
    expect(player.order("approve", { exit: [finding("unhealthy", "1.2 % failed")] })).toMatchObject({
      reason: "gates-not-passed",
      sentence: expect.stringContaining("1.2 % failed"),
    });
    expect(player.order("approve", passed).ok).toBe(true);
    expect(player.progress.approvedBy).toBe("ada");
  });
  it("bakes after the approval for as long as it says, to the millisecond", () => {
    const player = begun(plan).look(MINUTE, passed);
    player.order("approve", passed);
    player.look(1, passed);
    player.pass(10 * MINUTE - 1, passed);
    expect(player.at).toBe("progressing 5 #0");
    player.look(1, passed);
    expect(player.at).toBe("progressing 25 #1");
  });
  it("does not count bake without telemetry, nor go on when a gate fails at its end", () => {
    const player = begun(plan).look(MINUTE, passed);
    player.order("approve", passed);
    player
      .look(1, passed)
      .pass(10 * MINUTE, { ...passed, verdict: "unmeasured" })
      .look(1, passed);
    expect(player.at).toBe("progressing 5 #0");
    player.pass(10 * MINUTE, { exit: [finding("unhealthy")] });
    expect(player.at).toBe("progressing 5 #0");
    player.look(1, passed);
    expect(player.at).toBe("progressing 25 #1");
  });
});

describe("the last stage", () => {
  it("completes at the first look when it waits for nothing, though nobody came", () => {
    const player = begun(steps(100));
    player.look(MINUTE, { verdict: "unmeasured" });
    expect(player.phase).toBe("progressing");
    player.look(MINUTE, { verdict: "unhealthy" });
    expect(player.phase).toBe("progressing");
    player.look(MINUTE, { verdict: "insufficient", requests: 0, exit: [finding("insufficient")] });
    expect(player.at).toBe("completed 100 #0");
    expect(player.told()).toEqual(["completed"]);
  });
  it("that waits for requests is not complete without them", () => {
    const player = begun(planOf({ stages: [{ percentage: 100, minRequests: 1 }] }));
    player.look(MINUTE, { verdict: "insufficient", requests: 0 });
    expect(player.phase).toBe("progressing");
  });
  it("bakes before it is complete", () => {
    const player = begun(planOf({ stages: [{ percentage: 100, bake: 3600 }] })).look(SECOND);
    player.pass(HOUR - 1);
    expect(player.phase).toBe("progressing");
    player.look(1);
    expect(player.phase).toBe("completed");
  });
  it("keeps its share when it is not everybody", () => {
    expect(begun(steps(10, 50)).look(SECOND).look(SECOND).at).toBe("completed 50 #1");
  });
});

describe("a stage that cannot be judged", () => {
  const plan = oneStage({ duration: 60, minRequests: 50 });
  it("alerts once after stalledAfter with what is missing", () => {
    const player = begun({ ...plan, stalledAfter: 600 });
    player.look(MINUTE + SECOND, { requests: 7 });
    expect(player.progress.stalledMs).toBe(SECOND);
    player.pass(10 * MINUTE - SECOND - 1, { requests: 7 });
    expect(player.told()).toEqual([]);
    player.look(1, { requests: 7 });
    expect(player.sentences("stalled")[0]).toContain("7 of 50 requests have come");
    player.pass(HOUR, { requests: 8 });
    expect(player.told()).toEqual([]);
    expect(player.at).toBe("progressing 5 #0");
  });
  it("alerts as well when telemetry is missing from the start", () => {
    const player = begun({ ...plan, stalledAfter: 600 });
    player.pass(10 * MINUTE, { verdict: "unmeasured", sentence: "No isolate was heard from" });
    expect(player.sentences("stalled")[0]).toContain("No isolate was heard from");
    expect(player.progress.elapsedMs).toBe(0);
  });
  it("pauses after its maximum, and gets the same time again by resume", () => {
    const player = begun(oneStage({ duration: 60, maxDuration: 120, minRequests: 50 }));
    player.look(2 * MINUTE - 1, { requests: 7 });
    expect(player.phase).toBe("progressing");
    player.look(1, { requests: 7 });
    expect(player.phase).toBe("paused");
    expect(player.progress.why).toContain("7 of 50 requests");
    player.order("resume");
    player.look(MINUTE, { requests: 7 });
    expect(player.phase).toBe("progressing");
    player.look(SECOND, { requests: 50 });
    expect(player.at).toBe("progressing 25 #1");
  });
  it("is left at its maximum when it may be", () => {
    const player = begun(oneStage({ duration: 120, maxDuration: 120 })).look(2 * MINUTE);
    expect(player.at).toBe("progressing 25 #1");
  });
});

describe("a flag without a plan", () => {
  it("has what its percentage says", () => {
    const player = new Player().adopt({ percentage: 0 });
    expect(player.at).toBe("idle 0 #-1");
    player.adopt({ percentage: 10 });
    expect(player.at).toBe("progressing 10 #-1");
    player.pass(HOUR);
    expect(player.at).toBe("progressing 10 #-1");
    player.adopt({ percentage: 100 });
    expect(player.at).toBe("completed 100 #-1");
    player.adopt({ percentage: 0 });
    expect(player.at).toBe("idle 0 #-1");
  });
  it("refuses what needs a plan", () => {
    const player = new Player().adopt({ percentage: 10 });
    for (const name of ["start", "approve", "advance"] as const)
      expect(player.order(name)).toMatchObject({ reason: "no-plan" });
    expect(player.order({ name: "promote", force: true })).toMatchObject({ reason: "no-plan" });
    expect(player.order({ name: "signOff", role: "qa" })).toMatchObject({ reason: "no-plan" });
  });
  it("can be paused, rolled back and resumed", () => {
    const player = new Player().adopt({ percentage: 10 });
    expect(player.order("pause").ok).toBe(true);
    player.adopt({ percentage: 50 });
    expect(player.at).toBe("paused 10 #-1");
    player.order("resume");
    expect(player.at).toBe("progressing 50 #-1");
    player.order({ name: "rollback", mode: "immediate" });
    expect(player.phase).toBe("halted");
    player.order("resume");
    expect(player.at).toBe("progressing 50 #-1");
  });
});
