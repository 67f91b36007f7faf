/** Promises of the comparison of green with blue: what halts, how soon, what never does, and what outlives what. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { create } from "../../../bench/halt/detector.ts";
import { CASES, type Case } from "../../../bench/halt/scenarios.ts";
import { simulate } from "../../../bench/halt/simulate.ts";
import type { ComparisonView, Side } from "../../../src/core/analysis/comparing.ts";
import { Comparison } from "../../../src/core/analysis/comparison.ts";
import { buckets, config, Even, events, HOUR_TICKS, happen, NONE, Run, site, TICK_MS } from "./ticks.ts";

/** Six hours of blue, then a stage. */
function begun(seed: number, share: number, parts: Parameters<typeof config>[0] = {}) {
  const run = new Run(parts);
  const { blue, green } = site(seed, share);
  for (let i = 0; i < 6 * HOUR_TICKS; i++) run.tick(blue());
  run.stage(share);
  return { run, blue, green };
}

const named = (name: string): Case => CASES.find((one) => one.name === name)!;

/** Green's requests until the halt, in the middle of so many runs; infinite where most do not halt. */
function medianRequests(name: string, runs: number): number {
  const outcomes = simulate(create, named(name), runs);
  const requests = outcomes.map((o) => (o.halted && !o.early ? o.greenRequests : Number.POSITIVE_INFINITY));
  return requests.toSorted((a, b) => a - b)[Math.floor(runs / 2)]!;
}

describe("whatever the counters say", () => {
  test("evidence is finite and at least 0, and so is everything that is shown", () => {
    fc.assert(
      fc.property(events(), (all) => {
        const comparison = new Comparison(config());
        let at = 0;
        for (const event of all) {
          at = happen(comparison, event, at);
          const { evidence, errors, latency, strength, knownMs, blue, green, slower } = comparison.view();
          const shown = [evidence, errors, latency, knownMs, blue.requests, blue.errors, green.requests];
          for (const n of [...shown, green.errors, ...(slower ? Object.values(slower) : [])])
            expect(Number.isFinite(n) && n >= 0, `${n} in ${JSON.stringify(comparison.view())}`).toBe(true);
          expect(strength > 0 && strength <= 1).toBe(true);
        }
      }),
    );
  });

  test("a million requests a tick are told from each other as well as any", () => {
    const run = new Run();
    run.stage(0.5);
    const even = new Even();
    const alike = run.seconds(60, () => [even.side(1e6, 0.3), { requests: 1e6, errors: 3e5 }]);
    expect(alike.evidence).toBeLessThan(10);
    const worse = run.seconds(30, () => [even.side(1e6, 0.01), { requests: 1e6, errors: 5e5 }]);
    expect(worse.unhealthy).toBe(true);
  });

  test("what no one asked is no evidence: nothing on green, or nothing on blue yet", () => {
    for (const sides of [
      [NONE, NONE],
      [{ requests: 100, errors: 50 }, NONE],
      [NONE, { requests: 100, errors: 50 }],
    ] as const) {
      const run = new Run();
      run.stage(0.5);
      expect(run.seconds(600, () => [...sides]).evidence).toBeLessThanOrEqual(1 + 1e-9);
    }
  });

  test("a failure of a visitor who was counted before is a failure", () => {
    const run = new Run();
    run.stage(0.5);
    const view = run.seconds(60, () => [
      { requests: 50, errors: 0 },
      { requests: 0, errors: 5 },
    ]);
    expect(view.green.requests).toBeGreaterThanOrEqual(view.green.errors);
    expect(view.unhealthy).toBe(true);
  });
});

test("in one block, a failure that is green's instead of blue's never lowers the evidence", () => {
  const once = (blue: Side, green: Side) => {
    const run = new Run({ signals: ["errors"] });
    run.stage(0.5);
    return run.tick(blue, green).evidence;
  };
  const count = fc.integer({ min: 20, max: 10_000 });
  // Few enough that the guard, by which no moment halts, does not come into it.
  const few = fc.nat(3);
  fc.assert(
    fc.property(count, count, few, few, (nB, nG, kB, kG) => {
      const before = once({ requests: nB, errors: kB + 1 }, { requests: nG, errors: kG });
      const after = once({ requests: nB, errors: kB }, { requests: nG, errors: kG + 1 });
      expect(after).toBeGreaterThanOrEqual(before);
    }),
  );
});

describe("a green that fails half of its requests", () => {
  test.each([0.2, 0.5])("is halted within ten seconds, but not within two, at a share of %d", (share) => {
    const { run, blue, green } = begun(0, share);
    expect(run.seconds(2, () => [blue(), green(0.5)]).unhealthy).toBe(false);
    expect(run.seconds(8, () => [blue(), green(0.5)]).unhealthy).toBe(true);
  });

  test("is halted within seconds, too, after an hour in which it did not", () => {
    const { run, blue, green } = begun(1, 0.05);
    expect(run.seconds(3600, () => [blue(), green()]).unhealthy).toBe(false);
    expect(run.seconds(20, () => [blue(), green(0.5)]).unhealthy).toBe(true);
  });

  test("together with blue, for ten minutes, is no evidence", () => {
    const { run, blue, green } = begun(2, 0.2);
    run.seconds(600, () => [blue(), green()]);
    let most = 0;
    for (let i = 0; i < 300; i++) most = Math.max(most, run.tick(blue(0.5), green(0.5)).evidence);
    expect(most).toBeLessThan(100);
    expect(run.seconds(600, () => [blue(), green()]).unhealthy).toBe(false);
  });

  test("for four seconds at 1,000 requests a second halts nothing, whenever they begin", () => {
    for (const known of [0, 3600]) {
      for (let phase = 0; phase < 2; phase += 0.25) {
        const run = new Run();
        const { blue, green } = site(3 + phase, 0.05, 1000);
        for (let i = 0; i < known; i++) run.tick(blue());
        run.stage(0.05);
        run.seconds(600, () => [blue(), green()]);
        // A tick that the blip fills in part fails in part; it begins `phase` seconds into the first.
        for (const part of [1 - phase / 2, 1, phase / 2]) run.tick(blue(), green(0.01 + 0.49 * part));
        const view = run.seconds(60, () => [blue(), green()]);
        expect(view.unhealthy, `phase ${phase} s, evidence ${view.evidence}`).toBe(false);
      }
    }
  });
});

describe("how many of green's requests it takes, in the middle of a few rollouts", () => {
  test.each([
    ["1 to 50 %", 40],
    ["1 to 5 %", 600],
    ["1 to 2 %", 6000],
    ["1/s 1 to 50 %", 40],
    ["1 to 50 % after 1 h", 60],
  ])("%s: less than %d", (name, most) => {
    expect(medianRequests(name, 7)).toBeLessThan(most);
  });

  test("equal sides halt nothing in a few hours", () => {
    for (const name of ["a/a week 5 %", "a/a week 50 %", "shared outages"])
      for (const { halted } of simulate(create, { ...named(name), hours: 6 }, 2)) expect(halted).toBe(false);
  });
});

describe("what outlives what", () => {
  /** A green that fails somewhat, watched until evidence of it is there. */
  function suspected() {
    const { run, blue, green } = begun(4, 0.2);
    let view: ComparisonView;
    do view = run.tick(blue(), green(0.08));
    while (view.evidence < 20);
    expect(view.unhealthy).toBe(false);
    return { run, blue, green, view };
  }

  test("evidence survives a change of percentage", () => {
    const { run, view } = suspected();
    run.stage(0.25);
    expect(run.comparison.view().evidence).toBe(view.evidence);
    const later = run.tick({ requests: 75, errors: 0 }, { requests: 25, errors: 0 });
    expect(later.evidence).toBeGreaterThan(view.evidence / 2);
  });

  test("evidence does not survive a release, nor do its figures", () => {
    const { run } = suspected();
    run.comparison.restart();
    expect(run.comparison.view()).toMatchObject({
      evidence: 1,
      errors: 1,
      latency: 1,
      unhealthy: false,
      peer: "none",
      green: { requests: 0, errors: 0 },
    });
  });

  test("what is known of blue survives both", () => {
    const { run, blue, green } = suspected();
    const { knownMs, strength } = run.comparison.view();
    run.stage(0.3);
    expect(run.comparison.view()).toMatchObject({ knownMs, strength });
    run.comparison.restart();
    expect(run.comparison.view()).toMatchObject({ knownMs, strength });
    expect(run.tick(blue(), green()).knownMs).toBe(knownMs + TICK_MS);
  });

  test("half a block does not cross the border to the next release", () => {
    const run = new Run();
    run.stage(0.5);
    run.tick({ requests: 5, errors: 0 }, { requests: 5, errors: 5 });
    run.comparison.restart();
    for (let i = 0; i < 4; i++) run.tick({ requests: 30, errors: 0 }, { requests: 30, errors: 0 });
    expect(run.comparison.view().evidence).toBeLessThanOrEqual(1 + 1e-9);
  });

  test("a share of nothing ends the comparison, and blue goes on to be learned", () => {
    const { run, blue, view } = suspected();
    run.stage(0);
    const later = run.seconds(60, () => [blue(), { requests: 50, errors: 50 }]);
    expect(later.evidence).toBe(view.evidence);
    expect(later.knownMs).toBeGreaterThan(view.knownMs);
  });
});

describe("the view", () => {
  test("before anything was seen is at rest", () => {
    const view = new Comparison(config({ alpha: 0.01 })).view();
    expect(view).toMatchObject({ evidence: 1, errors: 1, latency: 1, unhealthy: false, knownMs: 0 });
    expect(view.threshold).toBeCloseTo(100, 9);
  });

  test("never calls green unhealthy for less than three failures", () => {
    const run = new Run({ alpha: 0.5 });
    run.stage(0.01);
    for (let i = 0; i < 30; i++) {
      const view = run.tick({ requests: 1000, errors: 0 }, { requests: 10, errors: i < 2 ? 1 : 0 });
      expect(view.unhealthy).toBe(false);
    }
  });

  test("is unhealthy when, and only when, evidence has reached the threshold and enough has failed", () => {
    const { run, blue, green } = begun(7, 0.2);
    for (let i = 0; i < 60; i++) {
      const { evidence, threshold, unhealthy } = run.tick(blue(), green(0.1));
      expect(unhealthy).toBe(evidence >= threshold);
    }
    expect(run.comparison.view().unhealthy).toBe(true);
  });

  test("a signal that was not asked for has no part in evidence", () => {
    const { run, blue, green } = begun(8, 0.2, { signals: ["latency"] });
    const view = run.seconds(120, () => [blue(), green(0.5)]);
    expect(view.evidence).toBe(view.latency);
    expect(view.unhealthy).toBe(false);
  });
});

test("half a minute of silence after a stage does not switch latency off", () => {
  const run = new Run();
  const fast = { requests: 95, errors: 0, latency: buckets({ 50: 95 }) };
  run.seconds(600, () => [fast]);
  run.stage(0.05);
  for (let i = 0; i < 20; i++) run.tick(NONE, NONE);
  const slow = { requests: 5, errors: 0, latency: buckets({ 60: 5 }) };
  const view = run.seconds(120, () => [fast, slow]);
  expect(view).toMatchObject({ unhealthy: true, leading: "latency" });
});

test("a green that is 3 % slower is practically equal, also where latencies hardly differ", () => {
  const run = new Run();
  // All of blue just below a bound, some of green above it.
  const blue = { requests: 95, errors: 0, latency: buckets({ 55: 60, 56: 35 }) };
  run.seconds(600, () => [blue]);
  run.stage(0.05);
  const green = { requests: 5, errors: 0, latency: buckets({ 55: 2, 56: 3 }) };
  expect(run.seconds(1200, () => [blue, green]).unhealthy).toBe(false);
});
