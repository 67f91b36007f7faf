/**
 * Promises about whole rollouts: one client in a retry loop halts nothing and the same failures of many visitors do,
 * limits near the usual halt good greens unless guarded, an outage of both sides is not green's fault. Told with what
 * counts in production: the recorders of isolates, the window, the feed and the comparison.
 */
import { describe, expect, it } from "vitest";
import { Random } from "../../../bench/halt/random.ts";
import { Comparison } from "../../../src/core/analysis/comparison.ts";
import { Feed, SETTLE_MS } from "../../../src/core/analysis/feed.ts";
import { type Judgement, judge } from "../../../src/core/analysis/judge.ts";
import type { RuleMemory } from "../../../src/core/analysis/rule-memory.ts";
import { type RowId, rowId } from "../../../src/core/analysis/tally.ts";
import { newWindow, pruneWindow, takeCell } from "../../../src/core/analysis/window.ts";
import { type FlagInput, flagSchema } from "../../../src/core/flag/schema.ts";
import { Attempt } from "../../../src/router/attempt.ts";
import { Recorder } from "../../../src/router/recorder.ts";
import { NOW } from "./counts.ts";

const GREEN: RowId = { flag: "f", release: "1", cohort: "ga", variant: "green", placement: "hash" };
const BLUE: RowId = { ...GREEN, variant: "blue" };
const BUCKETS = 100_000;

/** The client: three requests a second, all of which fail. */
const LOOP_EVERY_MS = 333;
const CLIENT = 0x12345678;
/** It may meet more than one isolate. */
const ISOLATES = 2;
/** An isolate's counts are with the controller after so long, milliseconds. */
const ON_THE_WAY_MS = 1500;

interface Rollout {
  /** Requests a second, each of another visitor, and green's share of them. */
  rate: number;
  share: number;
  /** Share of requests that fail on both sides. */
  base: number;
  /** Who makes the failing requests besides. */
  loop: "nobody" | "one client" | "many visitors";
  minutes: number;
  /** Share of requests that fail on both sides in the last minutes, and how many of these there are. */
  outage?: { base: number; minutes: number };
  rules?: FlagInput["rules"];
}

/** Plays a rollout after ten minutes of blue alone; answers what was judged in the end, or when it halted. */
function play(rollout: Rollout): { seconds: number; judgement: Judgement } {
  const { rate, share, base, loop, minutes, rules } = rollout;
  const random = new Random(JSON.stringify(rollout), 0);
  const flag = flagSchema.parse({
    state: "canary",
    percentage: share * 100,
    release: "1",
    ...(rules && { rules }),
  });
  const isolates = Array.from({ length: ISOLATES }, () => new Recorder());
  const comparison = new Comparison({ alpha: 0.001, signals: ["errors", "latency"] });
  const feed = new Feed();
  const window = newWindow();
  let memory: RuleMemory | undefined;
  let judgement: Judgement | undefined;
  const send = (id: RowId, at: number, visitor: number, fails: boolean) => {
    const recorder = isolates[Math.floor(random.uniform() * ISOLATES)]!;
    const bucket = Math.floor((visitor / 2 ** 32) * BUCKETS);
    const attempt = new Attempt(recorder.row(id), at, visitor, bucket);
    recorder.begin(attempt);
    recorder.close(attempt, fails ? "error" : "success", at + 100 * random.uniform(), undefined);
  };
  const start = NOW + 600_000;
  const end = start + minutes * 60_000;
  const outageAt = end - (rollout.outage?.minutes ?? 0) * 60_000;
  for (let at = NOW; at < end; at += 1000) {
    if (at === start) comparison.stage(at, share);
    const isOn = at >= start;
    const failing = at >= outageAt ? (rollout.outage?.base ?? base) : base;
    for (let n = 0; n < rate; n++) {
      const id = isOn && random.uniform() < share ? GREEN : BLUE;
      send(id, at + 1000 * random.uniform(), random.word() >>> 0, random.uniform() < failing);
    }
    for (let ms = 0; isOn && loop !== "nobody" && ms < 999; ms += LOOP_EVERY_MS)
      send(GREEN, at + ms, loop === "one client" ? CLIENT : random.word() >>> 0, true);
    const now = at + ON_THE_WAY_MS;
    for (const cell of isolates.flatMap((recorder) => recorder.drain(now))) {
      const id = rowId(cell.row);
      if (takeCell(window, id, cell, now)) feed.add(id.variant, cell);
    }
    for (const tick of feed.close(now, SETTLE_MS)) comparison.observe(tick);
    pruneWindow(window, now);
    if (!isOn) continue;
    judgement = judge({ flag, window, heardAt: now, now, comparison: comparison.view(), memory });
    memory = judgement.memory;
    if (judgement.verdict === "unhealthy") return { seconds: (at - start) / 1000, judgement };
  }
  return { seconds: Number.POSITIVE_INFINITY, judgement: judgement! };
}

const HARDLY = { rate: 1, share: 0.05, base: 0.01 };
const SOME = { rate: 5, share: 0.5, base: 0.01 };
const MUCH = { rate: 50, share: 0.05, base: 0.01 };
const CALM = { ...MUCH, base: 0 };

describe("three failing requests a second", () => {
  it.each([
    ["with hardly any other traffic", HARDLY, 60],
    ["with some", SOME, 30],
    ["with much", MUCH, 20],
    ["where nothing else fails", CALM, 20],
  ])("of one client halt nothing, %s", (_, traffic, minutes) => {
    const { seconds, judgement } = play({ ...traffic, loop: "one client", minutes });
    expect([seconds, judgement.verdict]).toEqual([Number.POSITIVE_INFINITY, "insufficient"]);
  });

  it.each([
    ["with hardly any other traffic", HARDLY],
    ["with some", SOME],
    ["with much", MUCH],
    ["where nothing else fails", CALM],
  ])("of many visitors halt green within half a minute, %s", (_, traffic) => {
    const { seconds } = play({ ...traffic, loop: "many visitors", minutes: 2 });
    expect(seconds).toBeLessThan(30);
  });

  it("of one client bring evidence to the threshold, and the verdict says why it does not count", () => {
    const { judgement } = play({ ...CALM, loop: "one client", minutes: 20 });
    expect(judgement.verdict).toBe("insufficient");
    expect(judgement.sentence).toContain("halting at 1,000, but only 1 visitor failed and 3 are needed");
  });
});

describe("a limit two points above blue", () => {
  const limit = { metric: "error_rate", above: { plus: 0.02 } } as const;

  it("halts a green that is as good as blue when it is literal, and does not when it is guarded", () => {
    const same = { rate: 20, share: 0.1, base: 0.02, loop: "nobody", minutes: 30 } as const;
    expect(play({ ...same, rules: [limit] }).seconds).toBeLessThan(1800);
    expect(play({ ...same, rules: [{ ...limit, guarded: true }] }).seconds).toBe(Number.POSITIVE_INFINITY);
  });

  it("halts a bad green when it is guarded, a little later", () => {
    const bad = { ...MUCH, loop: "many visitors", minutes: 5 } as const;
    const literal = play({ ...bad, rules: [limit] }).seconds;
    const guarded = play({ ...bad, rules: [{ ...limit, guarded: true }] }).seconds;
    expect(guarded).toBeGreaterThanOrEqual(literal);
    expect(guarded - literal).toBeLessThan(60);
  });
});

describe("an outage of both sides", () => {
  const shared = { ...MUCH, loop: "nobody", minutes: 8, outage: { base: 0.6, minutes: 3 } } as const;

  it.each([0.05, 0.5])("halts nothing by the rules of a flag that names none, green's share %d", (share) => {
    expect(play({ ...shared, share }).seconds).toBe(Number.POSITIVE_INFINITY);
  });

  it("halts by a limit that is to halt all the same", () => {
    const limit = { metric: "error_rate", above: 0.5, onSharedOutage: "halt" } as const;
    expect(play({ ...shared, rules: [limit] }).seconds).toBeGreaterThan(300);
    expect(play({ ...shared, rules: [limit] }).seconds).toBeLessThan(400);
  });
});
