/** Promises of the saved state: nothing is lost by being saved at any moment, and what is no state is not taken for one. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Stream } from "../../../bench/halt/streams.ts";
import { Comparison } from "../../../src/core/analysis/comparison.ts";
import { StateReader, StateWriter } from "../../../src/core/analysis/state-io.ts";
import { buckets, chance, config, type Event, events, happen, NONE, Random, Run, TICK_MS } from "./ticks.ts";

describe("numbers", () => {
  const any = fc.oneof(fc.constant(0), fc.double(), fc.integer(), fc.constantFrom(Number.NaN, -0, Infinity));

  test("come back as they are, to the last bit, in any number", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(any, fc.constant(0)), { maxLength: 600 }), (numbers) => {
        const writer = new StateWriter();
        for (const n of numbers) expect(writer.number(n)).toBe(n);
        const reader = new StateReader(writer.text());
        for (const n of numbers) expect(reader.number()).toBe(n);
        reader.end();
      }),
    );
  });

  test("come back in runs of any length, zeros and others", () => {
    for (const length of [254, 255, 256, 511, 600]) {
      for (const fill of [0, 1.5]) {
        const writer = new StateWriter();
        writer.array(new Float64Array(length).fill(fill));
        writer.number(7);
        const reader = new StateReader(writer.text());
        const read = new Float64Array(length);
        reader.array(read);
        expect(read).toEqual(new Float64Array(length).fill(fill));
        expect(reader.number()).toBe(7);
        reader.end();
      }
    }
  });

  test("zeros cost next to nothing", () => {
    const writer = new StateWriter();
    writer.array(new Float64Array(1000));
    expect(writer.text().length).toBeLessThan(20);
  });

  test("are missed when the text is cut off anywhere, and noticed when there are too many", () => {
    const numbers = [1, 0, 0, 2.5, 0, 3];
    const writer = new StateWriter();
    for (const n of numbers) writer.number(n);
    const text = writer.text();
    for (let length = 0; length < text.length - 1; length++) {
      expect(() => {
        const reader = new StateReader(text.slice(0, length));
        for (const _ of numbers) reader.number();
        reader.end();
      }, `cut to ${length} of ${text.length}`).toThrow();
    }
    const reader = new StateReader(text);
    reader.number();
    expect(() => reader.end()).toThrow(RangeError);
  });
});

/** Ticks that are alike enough to learn from: some minutes of traffic with latencies, then something happens. */
const courses = fc.record({
  calm: fc.integer({ min: 0, max: 400 }),
  share: fc.constantFrom(0.05, 0.5),
  worse: fc.constantFrom(0.01, 0.3),
  slower: fc.constantFrom(0, 6),
  /** Short: a blue that falls silent loses what its latencies were scored by. */
  after: events(200, 30, 8000),
});

function calmTick(random: Random, share: number, rate: number, slower: number, ms = TICK_MS): Event {
  const side = (part: number, p: number, shift: number) => {
    const requests = Math.round(40 * part);
    const latency = buckets({});
    for (let i = 0; i < requests; i++) latency[50 + shift + Math.floor(random.uniform() * 10)]! += 1;
    return { ...chance(random, requests, p), latency };
  };
  return { kind: "tick", ms, blue: side(1 - share, 0.01, 0), green: side(share, rate, slower) };
}

describe("a saved comparison", () => {
  test("goes on as if nothing had happened, to the last digit, wherever it was saved", () => {
    fc.assert(
      fc.property(courses, fc.nat(), fc.integer({ min: 1, max: 40 }), (course, seed, every) => {
        const random = new Random("saved", seed);
        const { calm, share, worse, slower } = course;
        const all: Event[] = Array.from({ length: calm }, () => calmTick(random, share, 0.01, 0));
        all.push({ kind: "stage", share });
        for (let i = 0; i < 30; i++) all.push(calmTick(random, share, worse, slower));
        all.push(...course.after);
        for (let i = 0; i < 30; i++) all.push(calmTick(random, share, worse, slower));
        const unbroken = new Comparison(config());
        let evicted = new Comparison(config());
        let at = 0;
        all.forEach((event, i) => {
          if (i % every === 0)
            evicted = Comparison.load(JSON.parse(JSON.stringify(evicted.save())), config());
          happen(evicted, event, at);
          at = happen(unbroken, event, at);
          expect(evicted.view()).toEqual(unbroken.view());
        });
        expect(evicted.save()).toEqual(unbroken.save());
      }),
      { numRuns: 30 },
    );
  });

  test("goes on while green is compared with its own past", () => {
    const [unbroken, evicted] = [new Run(), new Run()];
    let peers = "";
    for (const run of [unbroken, evicted]) {
      run.stage(1);
      const random = new Random("own", 0);
      for (let i = 0; i < 600; i++) {
        if (run === evicted) run.comparison = Comparison.load(run.comparison.save(), config());
        const view = run.tick(NONE, chance(random, 40, i < 560 ? 0.01 : 0.05));
        if (i === 599) peers += view.peer;
      }
    }
    expect(peers).toBe("ownown");
    expect(evicted.comparison.view()).toEqual(unbroken.comparison.view());
  });

  test("of a form that is not known begins anew", () => {
    const run = new Run();
    run.stage(0.5);
    run.seconds(60, () => [
      { requests: 50, errors: 0 },
      { requests: 50, errors: 5 },
    ]);
    const saved = run.comparison.save();
    for (const v of [saved.v + 1, 0, Number.NaN]) {
      const anew = Comparison.load({ ...saved, v }, config());
      expect(anew.view()).toEqual(new Comparison(config()).view());
      expect(anew.save()).toEqual(new Comparison(config()).save());
    }
  });

  test("with another alpha keeps what blue taught, and begins evidence anew", () => {
    const run = new Run();
    run.stage(0.5);
    run.seconds(20, () => [
      { requests: 50, errors: 0 },
      { requests: 50, errors: 3 },
    ]);
    expect(run.comparison.view().evidence).not.toBe(1);
    const loaded = Comparison.load(run.comparison.save(), config({ alpha: 0.01 }));
    expect(loaded.view()).toMatchObject({
      evidence: 1,
      threshold: 100,
      knownMs: run.comparison.view().knownMs,
    });
  });

  test("that was cut off or added to is refused, never half read", () => {
    const run = new Run();
    run.stage(0.5);
    const random = new Random("cut", 0);
    for (let i = 0; i < 300; i++) run.tick(chance(random, 50, 0.02), chance(random, 50, 0.02));
    const saved = run.comparison.save();
    for (const part of [0, 0.1, 0.5, 0.9, 0.99]) {
      const state = saved.state.slice(0, Math.floor(saved.state.length * part));
      expect(() => Comparison.load({ ...saved, state }, config())).toThrow();
    }
    expect(() => Comparison.load({ ...saved, state: "no base64 ∞" }, config())).toThrow();
  });

  test("is less than 16 kB after a day, however wide the latencies spread", () => {
    const scenario = {
      name: "size",
      rate: 50,
      errorRate: 0.02,
      stages: [{ atHours: 0, share: 0.5 }],
      historyHours: 22,
      hours: 2,
    };
    const stream = new Stream(scenario, 0);
    const comparison = new Comparison(config());
    const random = new Random("wide", 0);
    // Drawn once and handed on again and again, shifted: a day of histograms would take longer than all other tests.
    const wide = Array.from({ length: 16 }, () => {
      const latency = buckets({});
      for (let i = 0; i < 50; i++) latency[Math.floor(random.uniform() * 128)]! += 1;
      return latency;
    });
    let largest = 0;
    for (let tick = 0; stream.next(); tick++) {
      if (stream.staged) comparison.stage(stream.startMs, stream.share);
      const latency = wide[tick % 16]!;
      comparison.observe({
        at: stream.endMs,
        ms: TICK_MS,
        blue: { ...pick(stream.blue), latency },
        green: { ...pick(stream.green), latency: wide[(tick + 5) % 16]! },
      });
      if (tick % 997 === 0) largest = Math.max(largest, JSON.stringify(comparison.save()).length);
    }
    expect(Math.max(largest, JSON.stringify(comparison.save()).length)).toBeLessThan(16_000);
  });
});

function pick({ requests, errors, slices }: { requests: number; errors: number; slices: Uint16Array }) {
  return { requests, errors, slices };
}
