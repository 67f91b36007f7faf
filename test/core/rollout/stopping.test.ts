/** Promises of pauses, reductions, halts and the three rollbacks. */
import { describe, expect, it } from "vitest";
import { greenShare } from "../../../src/core/rollout/transition.ts";
import { begun, HOUR, MINUTE, Player, planOf, reasonOf, SECOND, steps } from "./player.ts";

const halts = (p: Player) => p.effects.filter((e) => e.type === "halt");
const ended = (p: Player) =>
  p.effects.flatMap((e) => (e.type === "history" && e.what === "ended" ? [e.outcome] : []));
/** In the stage of 50 % of 5/25/50/100, which lasts a day. */
function atFifty(more: Parameters<typeof begun>[1] = {}): Player {
  const plan = planOf({
    stages: [5, 25, 50, 100].map((percentage) => ({ percentage, duration: percentage === 50 ? 86_400 : 0 })),
    rollback: { watch: 1800, halvings: 3 },
  });
  const player = begun(plan, more).look(SECOND).look(SECOND);
  expect(player.at).toBe("progressing 50 #2");
  return player;
}
const gradual = { name: "rollback", mode: "gradual" } as const;
const immediate = { name: "rollback", mode: "immediate" } as const;
const kill = { name: "rollback", mode: "kill" } as const;

describe("a rule that has fired", () => {
  it("with alert tells and moves nothing", () => {
    const player = atFifty().rule("alert");
    expect(player.told()).toEqual(["alert"]);
    expect(player.at).toBe("progressing 50 #2");
    expect(halts(player)).toEqual([]);
  });
  it("with pause keeps the percentage until somebody resumes, and the time of the stage with it", () => {
    const player = atFifty().pass(HOUR);
    player.rule("pause");
    expect(player.at).toBe("paused 50 #2");
    expect(player.told()).toEqual(["pause"]);
    expect(halts(player)).toMatchObject([{ action: "pause", release: "2.1.0" }]);
    player.pass(48 * HOUR);
    expect(player.at).toBe("paused 50 #2");
    expect(player.progress.elapsedMs).toBe(HOUR);
    player.order("resume");
    expect(player.effects).toContainEqual({ type: "lift" });
    player.pass(23 * HOUR - 1);
    expect(player.at).toBe("progressing 50 #2");
    player.look(1);
    expect(player.at).toBe("progressing 100 #3");
  });
  it("with reduce halves and pauses; again, it halves again", () => {
    const player = atFifty().rule("reduce");
    expect(player.at).toBe("paused 25 #1");
    expect(halts(player)).toMatchObject([{ action: "reduce", cap: 25_000 }]);
    expect(player.effects).toContainEqual({ type: "restartRules" });
    player.rule("reduce");
    expect(player.at).toBe("paused 12.5 #0");
    expect(halts(player)).toMatchObject([{ action: "reduce", cap: 12_500 }]);
  });
  it("with reduce takes green out when half is below 1 %, not when it is 1 %", () => {
    const two = begun(steps(2, 50)).rule("reduce");
    expect(two.percent).toBe(1);
    expect(two.phase).toBe("paused");
    const less = begun(steps(1.999, 50)).rule("reduce");
    expect(less.phase).toBe("halted");
    expect(halts(less)).toMatchObject([{ action: "rollback" }]);
  });
  it("with reduce goes on after resume to the first stage above what is left", () => {
    const player = atFifty().rule("reduce").rule("reduce");
    player.order("resume");
    expect(player.at).toBe("progressing 12.5 #0");
    player.look(SECOND);
    expect(player.at).toBe("progressing 25 #1");
  });
  it("with rollback takes green out at once, also where blue is scaled down", () => {
    const player = atFifty({ blueCapacity: { pointsPerMinute: 1 } }).rule("rollback");
    expect(player.phase).toBe("halted");
    expect(greenShare(player.progress)).toBe(0);
    expect(player.told()).toEqual(["halt", "failed", "percentage"]);
    expect(player.sentences("percentage")).toEqual(["Green went from 50 % to 0 %: Green fails 9 %"]);
    expect(halts(player)).toMatchObject([{ action: "rollback", release: "2.1.0", cohort: undefined }]);
    expect(ended(player)).toEqual(["halted"]);
    player.rule("rollback");
    expect(player.effects).toEqual([]);
  });
  it("of one cohort takes off that cohort once, and the rollout goes on", () => {
    const player = atFifty().rule("rollback", "beta");
    expect(player.at).toBe("progressing 50 #2");
    expect(halts(player)).toMatchObject([{ action: "rollback", cohort: "beta" }]);
    expect(player.told()).toEqual(["halt"]);
    player.rule("rollback", "beta");
    expect(player.effects).toEqual([]);
    player.order("resume");
    expect(player.effects).toContainEqual({ type: "lift" });
    expect(player.at).toBe("progressing 50 #2");
  });
  it("halts a completed rollout too", () => {
    const player = begun(steps(100)).look(SECOND);
    expect(player.phase).toBe("completed");
    player.rule("rollback");
    expect(player.phase).toBe("halted");
    player.order("resume");
    expect(player.at).toBe("progressing 100 #0");
  });
  it("before anybody is on green only tells", () => {
    const player = new Player().adopt({ state: "shadow" }).rule("rollback");
    expect(player.told()).toEqual(["alert"]);
    expect(player.phase).toBe("idle");
  });
});

describe("a halted rollout", () => {
  it("stays so through looks, edits and another release in between", () => {
    const player = atFifty().rule("rollback");
    player.pass(HOUR).adopt({ percentage: 80 });
    expect(player.phase).toBe("halted");
    player.adopt({ release: "2.2.0", percentage: 0 });
    expect(player.at).toBe("progressing 5 #0");
    player.adopt({ release: "2.1.0" });
    expect(player.phase).toBe("halted");
    expect(greenShare(player.progress)).toBe(0);
    expect(reasonOf(player.order("advance"))).toBe("halted");
    expect(reasonOf(player.order({ name: "promote", force: true }))).toBe("halted");
  });
  it("begins again by resume in its stage, with its time anew, as a rollout of its own", () => {
    const player = atFifty().pass(HOUR);
    player.rule("rollback").look(HOUR);
    player.order("resume");
    expect(player.at).toBe("progressing 50 #2");
    expect(player.progress.elapsedMs).toBe(0);
    expect(player.progress.rollout).toBe(2);
  });
  it("begins by restart or start in the first stage", () => {
    for (const name of ["restart", "start"] as const) {
      const player = atFifty().rule("rollback");
      player.order(name);
      expect(player.at).toBe("progressing 5 #0");
      expect(player.effects).toContainEqual({ type: "lift" });
    }
  });
});

describe("rollback immediate", () => {
  it("is at once", () => {
    const player = atFifty();
    player.order(immediate);
    expect(player.phase).toBe("halted");
    expect(halts(player)).toMatchObject([{ action: "rollback" }]);
    expect(player.told()).toEqual(["rollback", "failed", "percentage"]);
    expect(ended(player)).toEqual(["rolledBack"]);
    expect(reasonOf(player.order(immediate))).toBe("already-rolled-back");
  });
  it("goes no faster than blue can take it, and sticks when it is done", () => {
    const player = atFifty({ blueCapacity: { pointsPerMinute: 10 } });
    player.order(immediate);
    expect(player.at).toBe("rollingBack 50 #2");
    expect(halts(player)).toEqual([]);
    player.look(MINUTE, { verdict: "unmeasured" });
    expect(player.percent).toBe(40);
    // Each step is published and told, so there is one every 10 s, however often one looks.
    player.look(10 * SECOND - 1);
    expect(player.percent).toBe(40);
    player.look(1);
    expect(player.percent).toBe(38.334);
    // A look that is an hour late must not let an hour's share go at once.
    player.look(HOUR);
    expect(player.percent).toBe(18.334);
    player.look(110 * SECOND - 1);
    expect(player.percent).toBe(1.667);
    player.look(1);
    expect(player.phase).toBe("halted");
    expect(halts(player)).toMatchObject([{ action: "rollback" }]);
    expect(ended(player)).toEqual(["rolledBack"]);
    player.order("resume");
    expect(player.at).toBe("progressing 50 #2");
  });
  it("loses no fraction of a slow way down to frequent looks", () => {
    const player = atFifty({ blueCapacity: { pointsPerMinute: 0.01 } });
    player.order(immediate);
    for (let i = 0; i < 60; i++) player.look(SECOND);
    expect(player.percent).toBe(49.99);
  });
  it("works after a rollout is complete", () => {
    const player = begun(steps(100)).look(SECOND);
    player.order(immediate);
    expect(player.phase).toBe("halted");
  });
});

describe("rollback kill", () => {
  it("holds for every release until resume, and waits for nothing", () => {
    const player = atFifty({ blueCapacity: { pointsPerMinute: 1 } });
    player.order(kill);
    expect(halts(player)).toMatchObject([{ action: "kill", release: "*" }]);
    expect(player.told()).toEqual(["kill", "failed", "percentage"]);
    expect(ended(player)).toEqual(["killed"]);
    player.adopt({ release: "2.2.0" });
    expect(player.phase).toBe("halted");
    for (const name of ["start", "restart", "instant", "advance"] as const)
      expect(reasonOf(player.order(name))).toBe("flag-stopped");
    player.order("resume");
    expect(player.at).toBe("progressing 5 #0");
  });
});

describe("rollback gradual", () => {
  it("halves at once, watches, and pauses where green has recovered", () => {
    const player = atFifty();
    player.order(gradual);
    expect(player.at).toBe("rollingBack 25 #1");
    player.pass(30 * MINUTE - 1);
    expect(player.at).toBe("rollingBack 25 #1");
    player.look(1, { sentence: "Green is as good as blue" });
    expect(player.at).toBe("paused 25 #1");
    expect(player.sentences("pause")[0]).toContain("Green is as good as blue");
    player.order("resume");
    expect(player.at).toBe("progressing 25 #1");
  });
  it("that a kill has cut short goes on from what was left", () => {
    const player = atFifty();
    player.order(gradual);
    player.order({ name: "rollback", mode: "kill" });
    player.order("resume");
    expect(player.at).toBe("progressing 25 #1");
  });
  it.each(["unhealthy", "insufficient"] as const)("goes on down while green is %s, to nothing", (verdict) => {
    const player = atFifty();
    player.order(gradual);
    const seen: number[] = [];
    for (let i = 0; i < 3; i++) {
      seen.push(player.percent);
      player.pass(30 * MINUTE, { verdict });
    }
    expect(seen).toEqual([25, 12.5, 6.25]);
    expect(player.at).toBe("halted 0 #-1");
    expect(halts(player)).toMatchObject([{ action: "rollback" }]);
    expect(ended(player)).toEqual(["rolledBack"]);
  });
  it("takes green out instead of halving below 1 %", () => {
    const player = begun(planOf({ stages: [{ percentage: 3 }], rollback: { watch: 60, halvings: 9 } }));
    player.order(gradual);
    expect(player.percent).toBe(1.5);
    player.look(MINUTE, { verdict: "unhealthy" });
    expect(player.phase).toBe("halted");
  });
  it("goes on down when nothing is measured for twice the watch", () => {
    const player = atFifty();
    player.order(gradual);
    player.pass(HOUR - 1, { verdict: "unmeasured" });
    expect(player.percent).toBe(25);
    player.look(1, { verdict: "unmeasured" });
    expect(player.percent).toBe(12.5);
  });
  it("goes on down to nothing where a lost store has left nothing of it but its phase", () => {
    const player = begun(steps(40, 100));
    player.order({ name: "rollback", mode: "gradual" });
    player.progress = { ...player.progress, descent: undefined };
    player.look(MINUTE).look(MINUTE);
    expect(player.phase).toBe("halted");
    expect(greenShare(player.progress)).toBe(0);
  });
  it("counts an outage of the controller as two minutes of the watch", () => {
    const player = atFifty();
    player.order(gradual);
    player.look(24 * HOUR, { verdict: "unhealthy" });
    expect(player.at).toBe("rollingBack 25 #1");
  });
  it("falls no faster than blue can take it, and watches from where it arrives", () => {
    const player = atFifty({ blueCapacity: { pointsPerMinute: 10 } });
    player.order(gradual);
    expect(player.at).toBe("rollingBack 50 #2");
    player.look(MINUTE);
    expect(player.percent).toBe(40);
    player.look(MINUTE).look(MINUTE);
    expect(player.at).toBe("rollingBack 25 #1");
    player.pass(30 * MINUTE - 1, { verdict: "unhealthy" });
    player.look(1, { verdict: "unhealthy" });
    expect(player.percent).toBe(25);
    player.look(MINUTE, { verdict: "unhealthy" });
    expect(player.percent).toBe(15);
  });
  it("is ended by a rule that fires, by kill and by rollback immediate", () => {
    const rule = atFifty();
    rule.order(gradual);
    rule.rule("rollback");
    expect(rule.at).toBe("halted 0 #-1");
    expect(ended(rule)).toEqual(["halted"]);
    const now = atFifty();
    now.order(gradual);
    expect(reasonOf(now.order(gradual))).toBe("already-rolled-back");
    now.order(immediate);
    expect(now.phase).toBe("halted");
    const killed = atFifty();
    killed.order(gradual);
    killed.order(kill);
    expect(ended(killed)).toEqual(["killed"]);
  });
  it("is stopped by resume, at the share that is left", () => {
    const player = atFifty();
    player.order(gradual);
    player.order("resume");
    expect(player.at).toBe("progressing 25 #1");
  });
  it("keeps to its release when another one comes meanwhile", () => {
    const player = atFifty();
    player.order(gradual);
    player.adopt({ release: "2.2.0" });
    expect(halts(player)).toMatchObject([{ action: "rollback", release: "2.1.0" }]);
    expect(player.at).toBe("progressing 5 #0");
  });
});
