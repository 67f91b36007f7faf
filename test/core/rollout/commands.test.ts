/** Promises of the commands: what each does, and when it is refused with what. */
import { describe, expect, it } from "vitest";
import { begun, finding, HOUR, MINUTE, Player, planOf, reasonOf, SECOND, steps } from "./player.ts";

const gate = { metric: "error_rate" as const, atMost: 0.01 };
const promote = { name: "promote", force: false } as const;
const force = { name: "promote", force: true } as const;
const slow = (...percentages: number[]) =>
  planOf({ stages: percentages.map((percentage) => ({ percentage, duration: 3600 })) });

describe("start", () => {
  it("is refused while a rollout is under way", () => {
    expect(reasonOf(begun(slow(5, 25)).order("start"))).toBe("already-running");
  });
  it("is refused for a flag that is not in canary", () => {
    const player = begun(slow(5), { state: "off" });
    expect(player.order("start")).toMatchObject({
      reason: "not-in-canary",
      sentence: expect.stringContaining("off"),
    });
  });
  it("takes the percentage of the spec at once", () => {
    const player = begun({ ...slow(5, 25), start: "manual" }, { asked: 7000 });
    expect(player.at).toBe("idle 0 #-1");
    player.order("start");
    expect(player.at).toBe("progressing 7 #0");
  });
});

describe("pause and resume", () => {
  it("stop and go on, and neither works twice", () => {
    const player = begun(slow(5, 25)).pass(MINUTE);
    expect(reasonOf(player.order("resume"))).toBe("not-paused");
    expect(reasonOf(player.order("pause"))).toBe("ok");
    expect(player.told()).toEqual(["pause"]);
    expect(player.order("pause")).toMatchObject({
      reason: "not-running",
      sentence: expect.stringContaining("resume"),
    });
    player.pass(HOUR);
    player.order("resume");
    expect(player.at).toBe("progressing 5 #0");
    expect(player.progress.elapsedMs).toBe(MINUTE);
  });
  it("are refused where nothing goes on", () => {
    expect(reasonOf(begun(steps(5)).look(SECOND).order("pause"))).toBe("not-running");
    expect(reasonOf(new Player().order("pause"))).toBe("not-running");
  });
});

describe("advance", () => {
  it("enters the next stage without waiting for the gates and the approval of this one", () => {
    const plan = planOf({
      stages: [{ percentage: 5, duration: 3600, exit: [gate], approval: "manual" }, { percentage: 25 }],
    });
    const player = begun(plan);
    player.order("advance");
    expect(player.at).toBe("progressing 25 #1");
    expect(reasonOf(player.order("advance"))).toBe("no-next-stage");
  });
  it("does not skip the entry of the next", () => {
    const plan = planOf({
      stages: [{ percentage: 5 }, { percentage: 25, entry: [gate, { signOff: "qa", what: "Tested" }] }],
    });
    const player = begun(plan);
    expect(reasonOf(player.order("advance"))).toBe("gates-not-passed");
    const open = { entry: [finding("healthy"), undefined] };
    expect(player.order("advance", open)).toMatchObject({ sentence: expect.stringContaining("qa") });
    player.order({ name: "signOff", role: "qa" });
    expect(reasonOf(player.order("advance", { entry: [finding("insufficient"), undefined] }))).toBe(
      "gates-not-passed",
    );
    player.order("advance", open);
    expect(player.at).toBe("progressing 25 #1");
  });
  it("has the next stage's requests tried first", () => {
    const plan = planOf({
      stages: [
        { percentage: 5, duration: 3600 },
        { percentage: 25, validate: [{ path: "/" }] },
      ],
    });
    const player = begun(plan);
    player.order("advance");
    expect(player.at).toBe("progressing 5 #0");
    player.validated(true).look(SECOND, { verdict: "unmeasured" });
    expect(player.at).toBe("progressing 5 #0");
    player.look(SECOND);
    expect(player.at).toBe("progressing 25 #1");
  });
});

describe("promote", () => {
  it("goes to the end when nothing is left to pass", () => {
    const player = begun(slow(5, 25, 50, 100));
    expect(reasonOf(player.order(promote))).toBe("gates-not-passed");
    expect(reasonOf(player.order(promote, { verdict: "insufficient" }))).toBe("gates-not-passed");
    player.order(promote, {});
    expect(player.at).toBe("progressing 100 #3");
  });
  it.each([
    { exit: [gate] },
    { entry: [gate] },
    { validate: [{ path: "/" }] },
    { approval: "manual" as const },
  ])("is refused while a later stage has %j", (later) => {
    const plan = planOf({ stages: [{ percentage: 5 }, { percentage: 50, ...later }, { percentage: 100 }] });
    const player = begun(plan);
    expect(player.order(promote, {})).toMatchObject({
      reason: "gates-not-passed",
      sentence: expect.stringContaining("promote with force"),
    });
    player.order(force);
    expect(player.at).toBe("progressing 100 #2");
    expect(player.effects).toContainEqual(
      expect.objectContaining({ type: "audit", action: "promote", figures: { forced: 1, from: 5 } }),
    );
  });
  it("with force also lifts a pause, and ends the last stage", () => {
    const player = begun(slow(5, 100)).rule("reduce");
    player.order(force);
    expect(player.effects).toContainEqual({ type: "lift" });
    expect(player.at).toBe("progressing 100 #1");
    player.order(force);
    expect(player.phase).toBe("completed");
  });
});

describe("instant", () => {
  it("goes to 100 % at once from anywhere", () => {
    const halted = begun(slow(5, 25)).rule("rollback");
    const paused = begun(slow(5, 25)).rule("pause");
    const idle = begun({ ...slow(5, 25), start: "manual" });
    for (const player of [begun(slow(5, 25)), halted, paused, idle, new Player().adopt({ percentage: 10 })]) {
      player.order("instant");
      expect(`${player.phase} ${player.percent}`).toBe("completed 100");
    }
    expect(reasonOf(idle.order("instant"))).toBe("not-running");
  });
});

describe("restart", () => {
  it("begins at the first stage, whatever was set by hand", () => {
    const player = begun(slow(5, 25), { asked: 30_000 });
    player.order("restart");
    expect(player.at).toBe("progressing 5 #0");
    expect(player.progress.rollout).toBe(2);
  });
});
