/** Promises of green's own past: what is new is not past yet, a short past says nothing, and it is read with caution. */
import { describe, expect, test } from "vitest";
import { OwnPast } from "../../../src/core/analysis/own-past.ts";
import { NONE, Run, site } from "./ticks.ts";

const MINUTE_MS = 60_000;

/** Minutes of ticks; the time after them. */
function minutes(past: OwnPast, from: number, n: number, requests: number, errors: number): number {
  let at = from;
  for (let i = 0; i < n * 30; i++) {
    at += 2000;
    past.observe(at, requests, errors);
  }
  return at;
}

test("has nothing to say of the first minutes, nor of a handful of requests", () => {
  const past = new OwnPast();
  expect(past.rate).toBeUndefined();
  minutes(past, 0, 4, 100, 1);
  expect(past.rate).toBeUndefined();
  const quiet = new OwnPast();
  for (let at = 0; at < 20 * MINUTE_MS; at += MINUTE_MS) quiet.observe(at, 1, 0);
  expect(quiet.rate).toBeUndefined();
});

test("is the rate that was, with some caution, the less the more was seen", () => {
  const [little, much] = [new OwnPast(), new OwnPast()];
  minutes(little, 0, 20, 2, 0);
  minutes(little, 20 * MINUTE_MS, 1, 0, 0);
  minutes(much, 0, 60, 100, 1);
  expect(little.rate).toBeGreaterThan(0);
  expect(much.rate).toBeGreaterThan(0.01);
  expect(much.rate).toBeLessThan(0.0115);
});

test("a green that gets worse is not its own measure for minutes", () => {
  const past = new OwnPast();
  const at = minutes(past, 0, 60, 100, 1);
  const before = past.rate!;
  minutes(past, at, 4, 100, 50);
  expect(past.rate!).toBeLessThan(before * 1.2);
});

test("forgets, so that what was an hour or two ago weighs less than what was since", () => {
  const past = new OwnPast();
  const at = minutes(past, 0, 30, 100, 20);
  minutes(past, at, 300, 100, 1);
  expect(past.rate!).toBeLessThan(0.02);
});

test("of a new release there is none", () => {
  const past = new OwnPast();
  minutes(past, 0, 60, 100, 1);
  past.restart();
  expect(past.rate).toBeUndefined();
  minutes(past, 2 * 3_600_000, 4, 100, 1);
  expect(past.rate).toBeUndefined();
});

describe("where blue has no traffic", () => {
  /** Green alone, for so many seconds, after a stage on which it has everything. */
  function alone(seconds: number) {
    const run = new Run();
    const { green } = site(5, 1);
    run.stage(1);
    run.seconds(seconds, () => [NONE, green()]);
    return { run, green };
  }

  test("green is compared with its own earlier window, and says so", () => {
    expect(alone(60).run.comparison.view().peer).toBe("none");
    const { run } = alone(1800);
    expect(run.comparison.view()).toMatchObject({ peer: "own", unhealthy: false });
  });

  test("a jump from one in a hundred to one in five is found within a minute", () => {
    const { run, green } = alone(3600);
    const view = run.seconds(60, () => [NONE, green(0.2)]);
    expect(view).toMatchObject({ peer: "own", unhealthy: true, leading: "errors" });
  });

  test("the earlier window stands for blue in what is said: who failed is told from it", () => {
    const { run, green } = alone(3600);
    const { blue } = run.seconds(60, () => [NONE, green(0.2)]);
    expect(blue.requests).toBeGreaterThan(1000);
    expect(blue.errors / blue.requests).toBeLessThan(0.02);
  });

  test("a steady green is left alone for hours", () => {
    const { run, green } = alone(6 * 3600);
    expect(run.tick(NONE, green())).toMatchObject({ peer: "own", unhealthy: false });
  });

  test("blue is missed after two minutes, not at once, and is the peer again when it is back", () => {
    const run = new Run();
    const { blue, green } = site(6, 0.5);
    run.stage(0.5);
    run.seconds(1800, () => [blue(), green()]);
    expect(run.seconds(60, () => [NONE, green()]).peer).toBe("blue");
    expect(run.seconds(120, () => [NONE, green()]).peer).toBe("own");
    expect(run.tick(blue(), green()).peer).toBe("blue");
  });
});
