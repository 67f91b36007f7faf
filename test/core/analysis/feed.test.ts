import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ComparisonTick } from "../../../src/core/analysis/comparing.ts";
import { Feed, IDLE_SETTLE_MS, LONGEST_SILENCE_MS, SETTLE_MS } from "../../../src/core/analysis/feed.ts";
import type { Tally, Variant } from "../../../src/core/analysis/tally.ts";
import { TICK_MS } from "../../../src/core/wire/messages.ts";
import { NOW, TICK, tally } from "./counts.ts";

/** The moment at which a tick is complete. */
const completeAt = (tick: number) => (tick + 1) * TICK_MS + SETTLE_MS;
const units = (n: number, more: Partial<Tally> = {}) => tally({ units: n, ...more });
const brief = ({ at, blue, green }: ComparisonTick) => [
  at / TICK_MS - 1 - TICK,
  blue.requests,
  blue.errors,
  green.requests,
  green.errors,
];

/** A feed that has closed everything before the tick TICK. */
function feedAt(now = completeAt(TICK - 1)): Feed {
  const feed = new Feed();
  feed.close(now, SETTLE_MS);
  return feed;
}

describe("a tick", () => {
  it("is handed on 7 s after its end, both sides together, and once", () => {
    const feed = feedAt();
    feed.add("green", { tick: TICK, tally: units(3, { unitErrors: 1 }) });
    feed.add("blue", { tick: TICK, tally: units(9, { unitErrors: 2, slices: { 3: 1, 15: 1 } }) });
    feed.add("blue", { tick: TICK, tally: units(1) });
    expect(feed.close(completeAt(TICK) - 1, SETTLE_MS)).toEqual([]);
    const [tick, ...more] = feed.close(completeAt(TICK), SETTLE_MS);
    expect(brief(tick!)).toEqual([0, 10, 2, 3, 1]);
    expect({ ms: tick!.ms, slices: [...Array.from(tick!.blue.slices!)], more }).toEqual({
      ms: TICK_MS,
      slices: [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
      more: [],
    });
    expect(feed.close(completeAt(TICK), SETTLE_MS)).toEqual([]);
    expect(feed.openUntil).toBeUndefined();
  });

  it("waits longer where isolates flush seldom", () => {
    const feed = feedAt();
    feed.add("blue", { tick: TICK, tally: units(3) });
    expect(feed.close(completeAt(TICK), IDLE_SETTLE_MS)).toEqual([]);
    expect(feed.close(completeAt(TICK) + IDLE_SETTLE_MS - SETTLE_MS, IDLE_SETTLE_MS)).toHaveLength(1);
  });

  it("that comes late counts in the oldest open one, of both sides", () => {
    const feed = feedAt();
    feed.add("blue", { tick: TICK - 12, tally: units(2, { unitErrors: 2 }) });
    feed.add("green", { tick: TICK - 3, tally: units(1, { unitErrors: 1 }) });
    feed.add("green", { tick: TICK, tally: units(5) });
    expect(feed.close(completeAt(TICK), SETTLE_MS).map(brief)).toEqual([[0, 2, 2, 6, 1]]);
  });

  it("has the latencies of both sides or of neither", () => {
    const feed = feedAt();
    feed.add("green", { tick: TICK, tally: units(3, { unitLatency: { 56: 2, 127: 1 } }) });
    feed.add("green", { tick: TICK + 1, tally: units(3) });
    const [timed, untimed] = feed.close(completeAt(TICK + 1), SETTLE_MS);
    expect(timed!.green.latency![56]).toBe(2);
    expect(timed!.green.latency![127]).toBe(1);
    expect(timed!.blue.latency).toEqual(new Uint32Array(128));
    expect(untimed!.blue.latency ?? untimed!.green.latency).toBeUndefined();
  });

  it("never holds more failures than visitors: who fails with a second request brings the visitor", () => {
    const feed = feedAt();
    feed.add("green", { tick: TICK, tally: tally({ unitErrors: 4, units: 1 }) });
    expect(feed.close(completeAt(TICK), SETTLE_MS).map(brief)).toEqual([[0, 0, 0, 4, 4]]);
  });

  it("is not opened by what no comparison looks at", () => {
    const feed = feedAt();
    feed.add("green", { tick: TICK, tally: tally({ requests: 9, errors: 9, diverted: 3 }) });
    expect(feed.openUntil).toBeUndefined();
  });
});

describe("silence", () => {
  it("of a short while is handed on as empty ticks, once something comes", () => {
    const feed = feedAt();
    feed.add("blue", { tick: TICK, tally: units(1) });
    feed.add("blue", { tick: TICK + 3, tally: units(1) });
    expect(feed.close(completeAt(TICK + 9), SETTLE_MS).map(brief)).toEqual([
      [0, 1, 0, 0, 0],
      [1, 0, 0, 0, 0],
      [2, 0, 0, 0, 0],
      [3, 1, 0, 0, 0],
    ]);
  });

  it("of hours is left out", () => {
    const feed = feedAt();
    feed.add("blue", { tick: TICK, tally: units(1) });
    expect(feed.close(completeAt(TICK), SETTLE_MS)).toHaveLength(1);
    const later = TICK + 10_000;
    expect(feed.close(completeAt(later - 1), SETTLE_MS)).toEqual([]);
    feed.add("blue", { tick: later, tally: units(1) });
    expect(feed.close(completeAt(later), SETTLE_MS)).toHaveLength(1);
    const next = later + LONGEST_SILENCE_MS / TICK_MS;
    feed.add("blue", { tick: next, tally: units(1) });
    expect(feed.close(completeAt(next), SETTLE_MS)).toHaveLength(LONGEST_SILENCE_MS / TICK_MS);
  });
});

describe("a feed", () => {
  it("forgets green of another release, and keeps blue", () => {
    const feed = feedAt();
    feed.add("green", { tick: TICK, tally: units(5, { unitErrors: 5 }) });
    feed.add("blue", { tick: TICK, tally: units(7) });
    feed.dropGreen();
    expect(feed.close(completeAt(TICK), SETTLE_MS).map(brief)).toEqual([[0, 7, 0, 0, 0]]);
  });

  it("neither loses nor doubles anything, in order of time, evicted between any two steps", () => {
    const step = fc.record({
      variant: fc.constantFrom<Variant>("blue", "green"),
      late: fc.integer({ min: -2, max: 20 }),
      units: fc.integer({ min: 1, max: 9 }),
      passes: fc.integer({ min: 0, max: 9_000 }),
      evicted: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let evicted = feedAt(NOW);
        const kept = feedAt(NOW);
        const ticks: ComparisonTick[] = [];
        const sum = { blue: 0, green: 0 };
        let now = NOW;
        for (const { variant, late, units: n, passes, evicted: isEvicted } of steps) {
          now += passes;
          const closed = kept.close(now, SETTLE_MS);
          expect(evicted.close(now, SETTLE_MS)).toEqual(closed);
          ticks.push(...closed);
          const cell = { tick: Math.floor(now / TICK_MS) - late, tally: units(n) };
          evicted.add(variant, cell);
          kept.add(variant, cell);
          sum[variant] += n;
          if (isEvicted) evicted = Feed.load(JSON.parse(JSON.stringify(evicted.save())));
        }
        ticks.push(...kept.close(now + 60_000, SETTLE_MS));
        const times = ticks.map(({ at }) => at);
        expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
        expect(ticks.reduce((total, { blue }) => total + blue.requests, 0)).toBe(sum.blue);
        expect(ticks.reduce((total, { green }) => total + green.requests, 0)).toBe(sum.green);
      }),
    );
  });
});
