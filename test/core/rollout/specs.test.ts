/** Promises of hand edits: of the percentage, the plan, the state and the release. */
import { describe, expect, it } from "vitest";
import { begun, finding, HOUR, MINUTE, Player, planOf, SECOND, steps } from "./player.ts";

describe("a percentage set by hand", () => {
  it("between two stages goes on at the first stage above", () => {
    const player = begun(steps(5, 10, 25, 50, 100)).adopt({ percentage: 7 });
    expect(player.at).toBe("progressing 7 #0");
    player.look(SECOND);
    expect(player.at).toBe("progressing 10 #1");
  });
  it.each([
    [5, "progressing 10 #1"],
    [9.999, "progressing 10 #1"],
    [10, "progressing 25 #2"],
    [10.001, "progressing 25 #2"],
    [50, "progressing 100 #4"],
    [0.5, "progressing 5 #0"],
  ])("to %d goes on to %s", (percentage, after) => {
    expect(
      begun(steps(5, 10, 25, 50, 100))
        .adopt({ percentage })
        .look(SECOND).at,
    ).toBe(after);
  });
  it("below the first stage stays for the time and the requests of that stage", () => {
    const plan = planOf({
      stages: [{ percentage: 10, duration: 3600, minRequests: 50 }, { percentage: 50 }],
    });
    const player = begun(plan)
      .adopt({ percentage: 7 })
      .pass(HOUR - 1);
    expect(player.at).toBe("progressing 7 #-1");
    expect(player.look(1, { requests: 49 }).at).toBe("progressing 7 #-1");
    expect(player.look(1, { requests: 50 }).at).toBe("progressing 10 #0");
  });
  it("at the start counts at once, also above the plan's last stage", () => {
    expect(begun(steps(5, 25), { asked: 60_000 }).at).toBe("progressing 60 #1");
    expect(begun(steps(5, 25), { asked: 60_000 }).look(SECOND).at).toBe("completed 60 #1");
  });
  it("begins the time of its stage anew", () => {
    const plan = planOf({ stages: [{ percentage: 5, duration: 3600 }, { percentage: 25 }] });
    const player = begun(plan)
      .pass(HOUR - MINUTE)
      .adopt({ percentage: 5 });
    expect(player.progress.elapsedMs).toBe(0);
    player.pass(HOUR - MINUTE);
    expect(player.at).toBe("progressing 5 #0");
  });
  it("to 0 takes green off and stops until a higher one or resume", () => {
    const player = begun(steps(5, 25), { asked: 5000 }).adopt({ percentage: 0 });
    expect(player.at).toBe("paused 0 #-1");
    expect(player.progress.why).toContain("set to 0 by hand");
    expect(player.progress.cohorts).toEqual([]);
    player.adopt({ percentage: 10 });
    expect(player.at).toBe("progressing 10 #0");
    player.adopt({ percentage: 0 });
    player.order("resume");
    expect(player.at).toBe("progressing 5 #0");
  });
  it("waits for resume while the rollout is paused, when it is higher; a lower one counts at once", () => {
    const player = begun(steps(5, 25, 50)).look(SECOND);
    player.order("pause");
    player.adopt({ percentage: 40 });
    expect(player.at).toBe("paused 25 #1");
    player.adopt({ percentage: 3 });
    expect(player.at).toBe("paused 3 #-1");
    player.adopt({ percentage: 40 });
    expect(player.at).toBe("paused 3 #-1");
    player.order("resume");
    expect(player.at).toBe("progressing 40 #1");
  });
  it("takes a rollout out of awaiting approval", () => {
    const plan = planOf({ stages: [{ percentage: 5, approval: "manual" }, { percentage: 25 }] });
    const player = begun(plan).look(SECOND);
    expect(player.phase).toBe("awaitingApproval");
    expect(player.adopt({ percentage: 10 }).at).toBe("progressing 10 #0");
  });
});

describe("an edited plan", () => {
  const long = (...percentages: number[]) =>
    planOf({ stages: percentages.map((percentage) => ({ percentage, duration: 3600 })) });

  it("is noticed, and goes on in the same stage with its time", () => {
    const player = begun(long(5, 25, 50))
      .pass(HOUR)
      .pass(MINUTE);
    expect(player.at).toBe("progressing 25 #1");
    player.adopt({ plan: long(25, 100) });
    expect(player.at).toBe("progressing 25 #0");
    expect(player.told()).toEqual(["stage"]);
    expect(player.effects).toContainEqual(expect.objectContaining({ type: "audit", action: "plan" }));
    expect(player.progress.elapsedMs).toBe(MINUTE);
  });
  it("begins the time anew when the stage itself has changed", () => {
    const player = begun(long(5, 25)).pass(MINUTE);
    player.adopt({ plan: planOf({ stages: [{ percentage: 5, duration: 7200 }] }) });
    expect(player.at).toBe("progressing 5 #0");
    expect(player.progress.elapsedMs).toBe(0);
  });
  it("goes to the highest stage at or below when its own is gone, and never up", () => {
    const player = begun(long(5, 25, 50))
      .pass(HOUR)
      .adopt({ plan: long(10, 20, 30, 100) });
    expect(player.at).toBe("progressing 20 #1");
    const first = begun(long(5, 25)).adopt({ plan: long(10, 20) });
    expect(first.at).toBe("progressing 0 #-1");
    expect(first.look(SECOND).at).toBe("progressing 10 #0");
  });
  it("keeps a percentage that was set by hand", () => {
    const player = begun(long(5, 25))
      .adopt({ percentage: 7 })
      .adopt({ plan: long(6, 8, 100) });
    expect(player.at).toBe("progressing 7 #0");
  });
  it("takes an approval back when the stage has changed, and keeps words that are still asked", () => {
    const exit = [
      { signOff: "qa", what: "Tested" },
      { signOff: "legal", what: "Read" },
    ];
    const plan = (more: object) =>
      planOf({ stages: [{ percentage: 5, approval: "manual", ...more }, { percentage: 25 }] });
    const player = begun(plan({ exit }));
    player.order({ name: "signOff", role: "qa" });
    player.order({ name: "signOff", role: "legal" });
    player.look(SECOND, { exit: [undefined, undefined] });
    expect(player.phase).toBe("awaitingApproval");
    player.adopt({ plan: plan({ exit: exit.slice(0, 1) }) });
    expect(player.phase).toBe("progressing");
    expect(player.progress.signOffs.map((s) => s.role)).toEqual(["qa"]);
  });
  it("with more stages takes a rollout further that was complete below 100 %", () => {
    const player = begun(steps(10, 50)).look(SECOND).look(SECOND);
    expect(player.at).toBe("completed 50 #1");
    player.adopt({ plan: steps(10, 50, 100) });
    expect(player.at).toBe("progressing 50 #1");
    expect(player.look(SECOND).at).toBe("progressing 100 #2");
  });
  it("that is the same again changes nothing", () => {
    const player = begun(long(5, 25)).adopt({ plan: long(5, 25) });
    expect(player.effects).toEqual([]);
  });
  it("does not lift a halt or end a pause", () => {
    const player = begun(long(5, 25))
      .rule("rollback")
      .adopt({ plan: long(5, 50) });
    expect(player.phase).toBe("halted");
    const paused = begun(long(5, 25))
      .rule("pause")
      .adopt({ plan: long(5, 50) });
    expect(paused.at).toBe("paused 5 #0");
  });
});

describe("the state of the flag", () => {
  const outcome = (p: Player) =>
    p.effects.flatMap((e) => (e.type === "history" && e.what === "ended" ? [e.outcome] : []));
  it.each([
    ["off", "idle 0 #-1", "rolledBack"],
    ["shadow", "idle 0 #-1", "rolledBack"],
    ["kill", "idle 0 #-1", "killed"],
    ["on", "completed 100 #1", "completed"],
  ] as const)("%s ends the rollout", (state, at, how) => {
    const player = begun(steps(5, 25)).adopt({ state });
    expect(player.at).toBe(at);
    expect(outcome(player)).toEqual([how]);
  });
  it("back in canary begins at the first stage", () => {
    const player = begun(steps(5, 25)).look(SECOND).adopt({ state: "off" }).adopt({ state: "canary" });
    expect(player.at).toBe("progressing 5 #0");
    expect(player.progress.rollout).toBe(2);
  });
  it("on does not lift a halt", () => {
    const player = begun(steps(5, 25)).rule("rollback").adopt({ state: "on" });
    expect(player.phase).toBe("halted");
    player.order("resume");
    expect(player.at).toBe("completed 100 #1");
  });
  it("is gone with the flag", () => {
    const player = begun(steps(5, 25));
    player.play({ type: "removed" });
    expect(player.at).toBe("idle 0 #-1");
    expect(outcome(player)).toEqual(["removed"]);
    player.play({ type: "removed" });
    expect(player.effects).toEqual([]);
  });
});

describe("a plan that comes or goes", () => {
  it("takes a flag over at its percentage, and leaves it there", () => {
    const player = new Player().adopt({ percentage: 10 }).adopt({ plan: steps(5, 10, 50) });
    expect(player.at).toBe("progressing 10 #1");
    player.look(SECOND, { exit: [finding("healthy")] });
    expect(player.at).toBe("progressing 50 #2");
    expect(player.adopt({ plan: undefined }).at).toBe("progressing 10 #-1");
  });
});
