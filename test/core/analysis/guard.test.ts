/** Promises of the guard: no moment halts, whatever traffic comes with it. */
import { describe, expect, test } from "vitest";
import { create } from "../../../bench/halt/detector.ts";
import { CASES } from "../../../bench/halt/scenarios.ts";
import { simulate } from "../../../bench/halt/simulate.ts";
import { Comparison } from "../../../src/core/analysis/comparison.ts";
import { buckets, chance, config, HOUR_TICKS, NONE, Random, Run } from "./ticks.ts";

/** A blue that is known for so many hours. */
function known(hours: number): Run {
  const run = new Run({ signals: ["errors"] });
  const random = new Random("guard", hours);
  for (let i = 0; i < hours * HOUR_TICKS; i++) run.tick(chance(random, 200, 0.01));
  return run;
}

describe("no single moment halts", () => {
  test.each([5, 6, 7, 8, 9, 10])("%d failures of ten in each of two ticks", (errors) => {
    const run = known(6);
    run.stage(0.05);
    for (let i = 0; i < 2; i++)
      expect(run.tick({ requests: 190, errors: 0 }, { requests: 10, errors }).unhealthy).toBe(false);
  });

  test("not in a quiet hour either, when one tick ends a block of many", () => {
    const run = known(6);
    run.stage(0.1);
    for (let i = 0; i < 9; i++) run.tick({ requests: 2, errors: 0 }, NONE);
    expect(run.tick({ requests: 60, errors: 0 }, { requests: 15, errors: 15 }).unhealthy).toBe(false);
  });

  test.each([
    [0, 10],
    [0, 60],
    [0, 300],
    [6, 60],
    [6, 300],
  ])("four seconds at 1,000 requests a second, with %d h known, %d s after the start", (historyHours, at) => {
    const scenario = {
      ...CASES.find(({ name }) => name === "4 s blip, any phase, cold")!,
      name: `blip ${historyHours} ${at}`,
      historyHours,
      hours: (at + 60) / 3600,
      blip: { gap: { onceAt: [at, at + 2] }, seconds: [4, 4], level: [0.5, 0.5] } as const,
    };
    const halted = simulate(create, scenario, 10).filter((outcome) => outcome.halted);
    expect(halted).toHaveLength(0);
  });
});

test("more failures are never less evidence", () => {
  const evidence = (errors: number) => {
    const run = known(6);
    run.stage(0.05);
    return run.tick({ requests: 380, errors: 0 }, { requests: 20, errors }).evidence;
  };
  let before = 1;
  for (let errors = 1; errors <= 20; errors++) {
    const now = evidence(errors);
    expect(now, `${errors} of 20`).toBeGreaterThanOrEqual(before - 1e-9);
    before = now;
  }
});

test("saved when blue has been silent for minutes, a comparison goes on to the last digit", () => {
  const run = new Run();
  run.stage(0.5);
  const side = (requests: number, bucket: number) => ({
    requests,
    errors: 0,
    latency: buckets({ [bucket]: requests / 2, [bucket + 3]: requests / 2 }),
  });
  for (let i = 0; i < 300; i++) run.tick(side(20, 50), side(20, 50));
  for (let i = 0; i < 600; i++) run.tick(side(0, 50), side(0, 50));
  const unbroken = run.comparison;
  const loaded = Comparison.load(unbroken.save(), config());
  for (let i = 1; i <= 3; i++) {
    const tick = { at: run.at + i * 2000, ms: 2000, blue: side(20, 50), green: side(20, 58) };
    unbroken.observe(tick);
    loaded.observe(tick);
    expect(loaded.view()).toEqual(unbroken.view());
  }
});
