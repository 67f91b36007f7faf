import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Where } from "../../../src/core/analysis/page.ts";
import { slim } from "../../../src/core/analysis/page.ts";
import { Series } from "../../../src/core/analysis/series.ts";
import { sketchOfOne } from "../../../src/core/analysis/sketch.ts";
import { floorTo, HOUR_MS, hasMinutes, MINUTE_MS } from "../../../src/core/analysis/spans.ts";
import { addTally, emptyTally, type Tally } from "../../../src/core/analysis/tally.ts";
import type { Span } from "../../../src/core/analysis/telemetry.ts";
import { TICK_MS } from "../../../src/core/wire/messages.ts";
import { NOW, tally } from "./counts.ts";
import { StoredPages } from "./stored-pages.ts";

const DAY = 24 * HOUR_MS;
/** A whole hour. */
const START = floorTo(NOW, HOUR_MS);
const GREEN: Where = { variant: "green", release: "2.0", event: undefined, cohort: "ga", hashed: true };

function span(parts: Partial<Span> = {}): Span {
  return {
    variant: "green",
    placement: "all",
    cohort: undefined,
    event: undefined,
    from: 0,
    to: 0,
    ...parts,
  };
}

interface Counted {
  where: Where;
  tick: number;
  tally: Tally;
}

/** The counts of what starts in [from, to), by looking at every one. */
function bruteForce(all: readonly Counted[], asked: Span, release: string, from: number, to: number): Tally {
  const sum = emptyTally();
  for (const { where, tick, tally } of all) {
    const start = tick * TICK_MS;
    if (start < from || start >= to || where.variant !== asked.variant || where.event !== asked.event)
      continue;
    if (asked.placement === "hash" && !where.hashed) continue;
    if (where.variant === "green" && where.release !== release) continue;
    if (where.variant === "green" && asked.cohort !== undefined && where.cohort !== asked.cohort) continue;
    addTally(sum, where.event === undefined ? slim(tally) : tally);
  }
  return sum;
}

const where = fc.record<Where>({
  variant: fc.constantFrom("blue", "green"),
  release: fc.constantFrom("1.0", "2.0"),
  event: fc.constantFrom(undefined, undefined, "sale"),
  cohort: fc.constantFrom("ga", "beta"),
  hashed: fc.boolean(),
});
const asked = fc.record({
  variant: fc.constantFrom<Span["variant"][]>("blue", "green"),
  placement: fc.constantFrom<Span["placement"][]>("all", "hash"),
  cohort: fc.constantFrom(undefined, "ga"),
  event: fc.constantFrom(undefined, "sale"),
});
const step = fc.record({
  /** Silence before it, ticks: of seconds, minutes, hours or days. */
  gap: fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 90 }),
    // Minutes, windows and hours, so that things fall on their edges.
    fc.constantFrom(5, 29, 30, 31, 150, 1_770, 1_800),
    fc.integer({ min: 0, max: 3_000 }),
    fc.integer({ min: 0, max: 40_000 }),
  ),
  /** When in its tick, milliseconds. */
  offset: fc.constantFrom(0, 0, 700),
  /** How late it comes, ticks. */
  late: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 })),
  where,
  counts: fc.record({
    requests: fc.integer({ min: 1, max: 9 }),
    errors: fc.integer({ min: 0, max: 3 }),
    run: fc.integer({ min: 0, max: 3 }),
    visitor: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  }),
  next: fc.constantFrom("nothing", "nothing", "settle", "reload", "stage"),
});

describe("a series", () => {
  it("says of each span what was counted in it, at any point of its life, however it was written down", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: "max" }), asked, (steps, parts) => {
        const stored = new StoredPages();
        let series = new Series(stored, 0);
        let tick = START / TICK_MS;
        let stageAt = START;
        const releaseAt = START;
        series.begin("2.0", releaseAt, stageAt, START);
        const all: Counted[] = [];
        for (const { gap, offset, late, where, counts, next } of steps) {
          tick += gap;
          const now = tick * TICK_MS + offset;
          const { visitor, ...numbers } = counts;
          const counted = {
            where,
            tick: tick - late,
            tally: tally({ ...numbers, sketch: sketchOfOne(visitor) }),
          };
          series.take(counted.where, counted.tick, counted.tally);
          all.push(counted);
          if (next === "stage") {
            stageAt = now;
            series.begin("2.0", releaseAt, stageAt, now);
          }
          if (next === "settle" || next === "reload") stored.settle(series, now);
          if (next === "reload") series = stored.reload(series);
          const expectSpan = (from: number, to: number, exactFrom: number, exactTo: number) => {
            const of = span({ ...parts, from, to });
            expect(series.counts(of, now)).toEqual(bruteForce(all, of, "2.0", exactFrom, exactTo));
          };
          const ever = Number.POSITIVE_INFINITY;
          expectSpan(stageAt, now + 1, stageAt, ever);
          if (stageAt !== releaseAt) expectSpan(releaseAt, now + 1, releaseAt, ever);
          for (const from of [now - 10_000, now - 60_000])
            if (from !== stageAt && from !== releaseAt)
              expectSpan(from, now + 1, floorTo(from, TICK_MS), ever);
          for (const minutes of [5, 60, 24 * 60]) {
            const from = now - minutes * MINUTE_MS;
            if (from !== stageAt && from !== releaseAt)
              expectSpan(from, now + 1, floorTo(from, MINUTE_MS), ever);
          }
          const week = now - 7 * DAY;
          const unit = hasMinutes(week, stageAt, now) ? MINUTE_MS : HOUR_MS;
          expectSpan(week, now + 1, floorTo(week, unit), ever);
          const before = stageAt - 10 * MINUTE_MS;
          expectSpan(before, stageAt, floorTo(before, MINUTE_MS), stageAt);
        }
      }),
      { numRuns: 120 },
    );
  });

  it("begins a stage at the tick: what started before is not in it, what comes late of before neither", () => {
    const series = new Series(new StoredPages(), 0);
    const at = START + 5_000;
    series.begin("2.0", START, START, START);
    series.take(GREEN, (START + 4_000) / TICK_MS, tally({ requests: 1 }));
    series.take(GREEN, (START + 6_000) / TICK_MS, tally({ requests: 10 }));
    series.begin("2.0", START, at, at);
    series.take(GREEN, (START + 4_000) / TICK_MS, tally({ requests: 100 }));
    series.take(GREEN, (START + 6_000) / TICK_MS, tally({ requests: 1000 }));
    const now = START + 9_000;
    expect(series.counts(span({ from: at, to: now }), now)?.requests).toBe(1010);
    expect(series.counts(span({ from: START, to: now }), now)?.requests).toBe(1111);
    expect(series.counts(span({ from: at - MINUTE_MS, to: at }), now)?.requests).toBe(101);
  });

  it("begins anew for the green of another release; blue goes on, and the first release is still known", () => {
    const series = new Series(new StoredPages(), 0);
    const blue: Where = { ...GREEN, variant: "blue" };
    const requests = (variant: Span["variant"], now: number) =>
      series.counts(span({ variant, from: now - MINUTE_MS, to: now + 1 }), now)?.requests;
    series.begin("2.0", START, START, START);
    for (const where of [GREEN, blue]) series.take(where, START / TICK_MS, tally({ requests: 5 }));
    const then = START + 10_000;
    series.begin("3.0", then, then, then);
    expect([requests("green", then), requests("blue", then)]).toEqual([0, 5]);
    expect(series.cohorts()).toEqual([]);
    series.take({ ...GREEN, release: "3.0", cohort: "beta" }, then / TICK_MS, tally({ requests: 7 }));
    expect([requests("green", then), requests("blue", then)]).toEqual([7, 5]);
    expect(series.cohorts()).toEqual(["beta"]);
  });

  it("keeps the minute before a stage for as long as the stage lasts, a month if need be", () => {
    const stored = new StoredPages();
    const series = new Series(stored, 0);
    series.begin("2.0", START, START, START);
    const stageAt = START + 10 * MINUTE_MS + 31_000;
    for (let minute = 0; minute < 20; minute++)
      series.take(GREEN, (START + minute * MINUTE_MS) / TICK_MS, tally({ requests: 10 ** (minute % 10) }));
    series.begin("2.0", START, stageAt, stageAt);
    stored.settle(series, stageAt + 5 * MINUTE_MS);
    const later = START + 30 * DAY;
    stored.settle(series, later);
    const requests = (from: number, to: number) => series.counts(span({ from, to }), later)?.requests;
    expect(requests(stageAt - 5 * MINUTE_MS, stageAt)).toBe(
      10 ** 5 + 10 ** 6 + 10 ** 7 + 10 ** 8 + 10 ** 9 + 1,
    );
    expect(requests(START - HOUR_MS, stageAt)).toBe(1_111_111_112);
    expect(requests(START + 29 * DAY, START + 29 * DAY + HOUR_MS)).toBe(0);
  });

  it("moves other spans of the past back to where minutes begin, after a day to where hours begin", () => {
    const stored = new StoredPages();
    const series = new Series(stored, 0);
    series.begin("2.0", START, START, START);
    for (let minute = 0; minute < 8; minute++)
      series.take(
        GREEN,
        (START + 5 * HOUR_MS + minute * 10 * MINUTE_MS) / TICK_MS,
        tally({ requests: 10 ** minute }),
      );
    const day = START + DAY;
    stored.settle(series, day);
    const requests = (from: number, to: number, now: number) =>
      series.counts(span({ from: START + 5 * HOUR_MS + from, to: START + 5 * HOUR_MS + to }), now)?.requests;
    expect(requests(MINUTE_MS, 11 * MINUTE_MS, day)).toBe(10);
    expect(requests(10 * MINUTE_MS + 59_999, 11 * MINUTE_MS + 59_998, day)).toBe(10);
    expect(requests(10 * MINUTE_MS + 10_000, 10 * MINUTE_MS + 20_000, day)).toBe(10);
    // Minutes of 25 hours ago are still there, those of 26 no more.
    const [known, gone] = [START + 30 * HOUR_MS, START + 31 * HOUR_MS + 1];
    expect(requests(10 * MINUTE_MS, 20 * MINUTE_MS, known)).toBe(10);
    expect(requests(10 * MINUTE_MS, 20 * MINUTE_MS, gone)).toBe(111_111);
    const week = START + 7 * DAY + 6 * HOUR_MS + 30 * MINUTE_MS;
    stored.settle(series, week);
    expect(requests(30 * MINUTE_MS, 90 * MINUTE_MS, week)).toBe(111_111);
    expect(requests(0, 10 * MINUTE_MS, week)).toBe(111_111);
    expect(requests(60 * MINUTE_MS, 120 * MINUTE_MS, week)).toBe(11_000_000);
  });

  it("does not know what was before counting began or too long ago, but always what is in the last minute", () => {
    const series = new Series(new StoredPages(), START);
    const now = START + 30_000;
    const counts = (from: number) => series.counts(span({ from, to: now }), now);
    expect(counts(now - MINUTE_MS)).toEqual(emptyTally());
    expect(counts(now - 2 * MINUTE_MS)).toBeUndefined();
    const later = START + 40 * DAY;
    expect(series.counts(span({ from: later - 14 * DAY, to: later - 7 * DAY }), later)).toEqual(emptyTally());
    expect(series.counts(span({ from: later - 16 * DAY, to: later }), later)).toBeUndefined();
  });

  it("gives earlier windows of the same length, oldest first, without empty ones", () => {
    const stored = new StoredPages();
    const series = new Series(stored, 0);
    series.begin("2.0", START, START, START);
    for (let i = 0; i < 6; i++) {
      if (i === 2) continue;
      series.take(
        GREEN,
        (START + i * 5 * MINUTE_MS) / TICK_MS,
        tally({ requests: i + 1, errors: i, diverted: 1 }),
      );
    }
    const now = START + 30 * MINUTE_MS;
    const asked = span({ from: now - 5 * MINUTE_MS, to: now });
    const all = [
      { count: 2, failures: 1 },
      { count: 3, failures: 2 },
      { count: 5, failures: 4 },
      { count: 6, failures: 5 },
    ];
    expect(series.earlier(asked, 10, now)).toEqual(all);
    stored.settle(series, now + 10 * MINUTE_MS);
    expect(series.earlier(asked, 10, now)).toEqual(all);
    expect(series.earlier(asked, 2, now)).toEqual(all.slice(2));
  });

  it("reads few pages for long spans, and none twice within a minute", () => {
    const stored = new StoredPages();
    const series = new Series(stored, 0);
    series.begin("2.0", START, START, START);
    const now = START + 8 * DAY + 59 * MINUTE_MS;
    for (let at = START; at < now; at += MINUTE_MS) series.take(GREEN, at / TICK_MS, tally({ requests: 1 }));
    stored.settle(series, now + 5 * MINUTE_MS);
    const week = span({ from: now - 7 * DAY, to: now });
    expect(series.counts(week, now)?.requests).toBe(7 * 24 * 60 + 59);
    expect(stored.reads).toBeLessThan(300);
    const reads = stored.reads;
    series.counts(week, now);
    expect(stored.reads).toBe(reads);
  });
});
