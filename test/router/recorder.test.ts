/** Promises about what is counted, and as what. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countOf } from "../../src/core/analysis/histogram.ts";
import { distinctIn } from "../../src/core/analysis/sketch.ts";
import {
  addTally,
  emptyTally,
  failures,
  type Outcome,
  type RowId,
  rowKey,
  type Tally,
} from "../../src/core/analysis/tally.ts";
import type { Cell } from "../../src/core/wire/messages.ts";
import { Attempt } from "../../src/router/attempt.ts";
import { Recorder } from "../../src/router/recorder.ts";

const T = 1_790_000_000_000;
const GREEN: RowId = { flag: "shop", release: "2", cohort: "ga", variant: "green", placement: "hash" };
const BLUE: RowId = { ...GREEN, variant: "blue" };

/** A visitor's 32-bit hash whose 12-bit and 16-bit forms are those of visitor i. */
const hashOf = (i: number) => ((i << 20) | (i << 16)) >>> 0;

function send(
  recorder: Recorder,
  id: RowId,
  outcome: Outcome,
  given: { at?: number; ms?: number; visitor?: number; bucket?: number; refused?: boolean } = {},
) {
  const at = given.at ?? T;
  const attempt = new Attempt(recorder.row(id), at, hashOf(given.visitor ?? 1), given.bucket ?? 0);
  recorder.begin(attempt);
  recorder.close(attempt, outcome, at + (given.ms ?? 10), undefined, given.refused);
  return attempt;
}

function sum(cells: Cell[], row?: string): Tally {
  return cells
    .filter((c) => row === undefined || c.row === row)
    .reduce((all, { tally }) => addTally(all, tally), emptyTally());
}

describe("visitors", () => {
  test("are counted once, whatever became of their requests, in any tick, also those whom a breaker kept away", () => {
    const recorder = new Recorder();
    for (const outcome of ["success", "error", "connect", "timeout", "censored"] as const)
      for (let visitor = 0; visitor < 40; visitor++)
        send(recorder, GREEN, outcome, { visitor, at: T + visitor });
    for (let visitor = 30; visitor < 50; visitor++)
      recorder.divert(recorder.row(GREEN), hashOf(visitor), T + 9000);
    recorder.compact(T + 90_000);
    send(recorder, GREEN, "success", { visitor: 60 });
    expect(distinctIn(sum(recorder.drain(T + 90_000)).sketch)).toBe(51);
    send(recorder, GREEN, "success", { visitor: 1 });
    expect(distinctIn(sum(recorder.drain(T)).sketch)).toBe(1);
  });

  test("who were refused (400 to 499) are counted so, and an error that the flag lists is an error only", () => {
    const recorder = new Recorder();
    send(recorder, GREEN, "success", { refused: true });
    send(recorder, GREEN, "success");
    send(recorder, GREEN, "error", { refused: true });
    expect(sum(recorder.drain(T))).toMatchObject({ requests: 3, refused: 1, errors: 1 });
  });
});

describe("comparison units", () => {
  test("count a visitor on each side for itself: who is moved to green by a raise counts there anew", () => {
    const recorder = new Recorder();
    send(recorder, BLUE, "success");
    send(recorder, GREEN, "error");
    const cells = recorder.drain(T);
    expect(sum(cells, rowKey(BLUE))).toMatchObject({ units: 1, unitErrors: 0 });
    expect(sum(cells, rowKey(GREEN))).toMatchObject({ units: 1, unitErrors: 1 });
  });

  test("hold the latency of a visitor's first request of the minute only", () => {
    const recorder = new Recorder();
    for (let i = 0; i < 300; i++) send(recorder, GREEN, "success", { ms: 2000 });
    const tally = sum(recorder.drain(T));
    expect([countOf(tally.latency), countOf(tally.unitLatency)]).toEqual([300, 1]);
  });
});

test("a side that fails fast is not a fast one: the comparison of latencies is of successes", () => {
  const recorder = new Recorder();
  send(recorder, GREEN, "error", { ms: 1 });
  send(recorder, GREEN, "success", { ms: 500 });
  const tally = sum(recorder.drain(T));
  expect([countOf(tally.latency), tally.units, countOf(tally.unitLatency)]).toEqual([2, 1, 0]);
});

test("failures in a row are those of a cohort, however its visitors were placed", () => {
  const recorder = new Recorder();
  for (let i = 0; i < 5; i++) {
    send(recorder, GREEN, "error");
    send(recorder, { ...GREEN, placement: "address" }, "success");
  }
  expect(sum(recorder.drain(T)).run).toBe(1);
  send(recorder, GREEN, "error");
  send(recorder, { ...GREEN, placement: "address" }, "error");
  expect(sum(recorder.drain(T)).run).toBe(2);
});

test("a request that took longer than a tick stays open is evidence all the same", () => {
  const recorder = new Recorder();
  send(recorder, GREEN, "timeout", { ms: 60_000 });
  const [cell] = recorder.drain(T + 60_000);
  expect((T + 60_000) / 1000 - cell!.tick * 2).toBeLessThanOrEqual(22);
});

describe("outcomes", () => {
  test.each<[Outcome, Partial<Tally>]>([
    [
      "success",
      { requests: 1, errors: 0, connect: 0, timeouts: 0, censored: 0, run: 0, units: 1, unitErrors: 0 },
    ],
    ["error", { requests: 1, errors: 1, run: 1, units: 1, unitErrors: 1, visitors: [1] }],
    ["connect", { requests: 1, connect: 1, run: 1, units: 1, unitErrors: 1 }],
    ["timeout", { requests: 1, timeouts: 1, run: 1, units: 1, unitErrors: 1 }],
    ["censored", { requests: 1, censored: 1, timeouts: 0, run: 0, units: 0, unitErrors: 0 }],
  ])("%s", (outcome, expected) => {
    const recorder = new Recorder();
    send(recorder, GREEN, outcome);
    const tally = sum(recorder.drain(T));
    expect(tally).toMatchObject(expected);
    expect(countOf(tally.latency)).toBe(1);
  });

  test("a visitor who leaves after more than two seconds counts as a timeout", () => {
    const recorder = new Recorder();
    send(recorder, GREEN, "censored", { ms: 1999 });
    send(recorder, GREEN, "censored", { ms: 2000 });
    expect(sum(recorder.drain(T))).toMatchObject({ censored: 1, timeouts: 1 });
  });

  test("where blue itself is slower than that, after blue's p99", () => {
    const recorder = new Recorder();
    for (let i = 0; i < 100; i++) send(recorder, BLUE, "success", { ms: 5000 });
    recorder.drain(T);
    send(recorder, GREEN, "censored", { ms: 4000 });
    send(recorder, GREEN, "censored", { ms: 6000 });
    expect(sum(recorder.drain(T))).toMatchObject({ censored: 1, timeouts: 1 });
  });

  test("a diversion is no request, but names its visitor", () => {
    const recorder = new Recorder();
    recorder.divert(recorder.row(GREEN), hashOf(7), T);
    expect(sum(recorder.drain(T))).toMatchObject({ requests: 0, diverted: 1, visitors: [7] });
  });

  test("a rescue is counted with the failure that it covers, whatever was drained in between", () => {
    const recorder = new Recorder();
    const attempt = send(recorder, GREEN, "connect");
    const first = sum(recorder.drain(T));
    recorder.rescue(attempt);
    expect([first.connect, sum(recorder.drain(T)).rescued]).toEqual([1, 1]);
  });

  test("an attempt is counted once, however often it ends", () => {
    const recorder = new Recorder();
    const attempt = send(recorder, GREEN, "success");
    recorder.close(attempt, "timeout", T + 5000, undefined);
    expect(sum(recorder.drain(T))).toMatchObject({ requests: 1, timeouts: 0 });
  });
});

describe("visitors, not requests, are compared", () => {
  test("one client in a retry loop is one unit and one failure a minute", () => {
    const recorder = new Recorder();
    const minute = Math.floor(T / 60_000) * 60_000;
    for (let i = 0; i < 300; i++) send(recorder, GREEN, "error", { at: minute + i, ms: 0 });
    send(recorder, GREEN, "error", { at: minute + 60_000, ms: 0 });
    expect(sum(recorder.drain(T))).toMatchObject({
      requests: 301,
      errors: 301,
      units: 2,
      unitErrors: 2,
      visitors: [1],
    });
  });

  test("only those placed by the hash are units", () => {
    const recorder = new Recorder();
    send(recorder, { ...GREEN, placement: "address" }, "error");
    send(recorder, { ...GREEN, placement: "match" }, "error");
    expect(sum(recorder.drain(T))).toMatchObject({ requests: 2, errors: 2, units: 0, unitErrors: 0 });
  });

  test("failing units are kept by slice of the buckets", () => {
    const recorder = new Recorder();
    send(recorder, BLUE, "error", { visitor: 1, bucket: 0 });
    send(recorder, BLUE, "error", { visitor: 2, bucket: 99_999 });
    send(recorder, BLUE, "error", { visitor: 3, bucket: 99_999 });
    expect(sum(recorder.drain(T)).slices).toEqual({ 0: 1, 15: 2 });
  });

  test("in any mix failing units are no more than units, and units no more than requests", () => {
    const outcome = fc.constantFrom<Outcome>("success", "error", "connect", "timeout", "censored");
    fc.assert(
      fc.property(fc.array(fc.tuple(outcome, fc.nat(20), fc.nat(3), fc.boolean())), (events) => {
        const recorder = new Recorder();
        const cells: Cell[] = [];
        events.forEach(([o, visitor, minute, drain]) => {
          send(recorder, GREEN, o, { visitor, at: T + minute * 60_000 });
          if (drain) cells.push(...recorder.drain(T));
        });
        const all = sum([...cells, ...recorder.drain(T)]);
        expect(all.requests).toBe(events.length);
        expect(failures(all) + all.censored).toBe(events.filter(([o]) => o !== "success").length);
        expect(all.unitErrors).toBeLessThanOrEqual(all.units);
        expect(all.units).toBeLessThanOrEqual(all.requests);
      }),
    );
  });
});

describe("time", () => {
  test("a request belongs to the tick in which it started, however long it takes", () => {
    const recorder = new Recorder();
    send(recorder, GREEN, "success", { at: T, ms: 10 });
    send(recorder, GREEN, "success", { at: T + 2000, ms: 9000 });
    send(recorder, GREEN, "success", { at: T + 1, ms: 9000 });
    const ticks = recorder.drain(T).map(({ tick, tally }) => [tick - T / 2000, tally.requests]);
    expect(ticks).toEqual([
      [0, 2],
      [1, 1],
    ]);
  });

  test("runs of failures go by order of completion and are kept over drains", () => {
    const recorder = new Recorder();
    for (let i = 0; i < 2; i++) send(recorder, GREEN, "error");
    expect(sum(recorder.drain(T)).run).toBe(2);
    send(recorder, GREEN, "error");
    expect(sum(recorder.drain(T)).run).toBe(3);
    send(recorder, GREEN, "success");
    send(recorder, GREEN, "error");
    expect(sum(recorder.drain(T)).run).toBe(1);
  });

  test("requests that wait show by row and age until they end", () => {
    const recorder = new Recorder();
    const attempts = [0, 500].map((late) => new Attempt(recorder.row(GREEN), T + late, 1, 0));
    for (const attempt of attempts) recorder.begin(attempt);
    expect(recorder.inFlight(T + 1000)).toEqual([{ row: "shop|2|ga|green|hash", count: 2, oldestMs: 1000 }]);
    recorder.close(attempts[0]!, "success", T + 1000, undefined);
    expect(recorder.inFlight(T + 1000)).toEqual([{ row: "shop|2|ga|green|hash", count: 1, oldestMs: 500 }]);
  });

  test("an hour without a shard needs no more cells than two minutes, and loses nothing", () => {
    const recorder = new Recorder();
    for (let s = 0; s < 3600; s++) {
      send(recorder, GREEN, s % 2 ? "success" : "error", { at: T + s * 1000, visitor: s });
      recorder.compact(T + s * 1000);
    }
    const cells = recorder.drain(T);
    expect(cells.length).toBeLessThan(60);
    expect(sum(cells)).toMatchObject({ requests: 3600, errors: 1800 });
  });
});
