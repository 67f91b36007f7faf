/** Promises of the plug: it is the product's own comparison, fed as the contract says, and it keeps nothing of the caller's. */
import { describe, expect, test } from "vitest";
import { create, type OwnDetector, stateBytes } from "../../../bench/halt/detector.ts";
import { SLICES, TICK_MS } from "../../../bench/halt/plug.ts";
import { Random } from "../../../bench/halt/random.ts";
import type { ComparisonView, Side } from "../../../src/core/analysis/comparing.ts";
import { Comparison } from "../../../src/core/analysis/comparison.ts";
import { BUCKETS, bucketOf, upperBoundMs } from "../../../src/core/analysis/histogram.ts";

const CONFIG = { alpha: 0.001, signals: ["errors", "latency"] } as const;
const NONE: Side = { requests: 0, errors: 0 };

interface Cohort {
  requests: number;
  errors: number;
  latency: Uint32Array;
  slices: Uint16Array;
}

/** A tick of a cohort: latencies around a bucket, errors by chance. */
function drawn(random: Random, requests: number, rate: number, bucket = 55): Cohort {
  const cohort = { requests, errors: 0, latency: new Uint32Array(BUCKETS), slices: new Uint16Array(SLICES) };
  for (let i = 0; i < requests; i++) {
    cohort.latency[bucket + Math.floor(8 * random.uniform())]! += 1;
    if (random.uniform() >= rate) continue;
    cohort.errors += 1;
    cohort.slices[Math.floor(SLICES * random.uniform())]! += 1;
  }
  return cohort;
}

function blueTick(detector: OwnDetector, at: number, blue: Cohort): "ok" | "halt" {
  const { requests, errors, latency, slices } = blue;
  return detector.observe(at, "blue", requests, errors, latency, { shardErrors: slices });
}

function greenTick(detector: OwnDetector, at: number, green: Cohort): "ok" | "halt" {
  return detector.observe(at, "green", green.requests, green.errors, green.latency);
}

/** How a detector stands, as the product sees it. */
function viewOf(detector: OwnDetector): ComparisonView {
  return Comparison.load(JSON.parse(detector.state()), CONFIG).view();
}

/** Ten minutes of history, and a stage that begins at 0. */
function begun(random: Random, detector = create({ plannedShare: 0.1 })): OwnDetector {
  for (let at = -600_000 + TICK_MS; at <= 0; at += TICK_MS) blueTick(detector, at, drawn(random, 100, 0.01));
  detector.onStage(0, 0.1);
  return detector;
}

describe("bucket i holds latencies up to 2^((i-79)/8) seconds", () => {
  test.each([
    [0, 1.06495],
    [79, 1000],
    [127, 64_000],
  ])("bucket %d ends at %d ms, in the plug as in the product", (bucket, ms) => {
    expect(1000 * 2 ** ((bucket - 79) / 8)).toBeCloseTo(ms, 4);
    expect(upperBoundMs(bucket)).toBeCloseTo(ms, 4);
  });

  test("what lies just below an end is in its bucket, what lies just above in the next", () => {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const end = 1000 * 2 ** ((bucket - 79) / 8);
      expect(bucketOf(end * (1 - 1e-9))).toBe(bucket);
      expect(bucketOf(end * (1 + 1e-9))).toBe(Math.min(BUCKETS - 1, bucket + 1));
    }
    expect(bucketOf(1000)).toBe(79);
  });

  test("the first holds all that is faster, the last all that is slower", () => {
    expect(bucketOf(0.001)).toBe(0);
    expect(bucketOf(1e9)).toBe(127);
  });

  test.each([
    [0, 20],
    [79, 99],
    [100, 127],
  ])("what comes in buckets %d and %d is told in their milliseconds", (fast, slow) => {
    const random = new Random("buckets", 0);
    const detector = create({ plannedShare: 0.1 });
    const all = (bucket: number): Cohort => ({
      ...drawn(random, 100, 0),
      latency: new Uint32Array(BUCKETS).fill(100, bucket, bucket + 1),
    });
    let at = 0;
    for (; at < 120_000; at += TICK_MS) blueTick(detector, at, all(fast));
    detector.onStage(at, 0.5);
    let verdict: "ok" | "halt" = "ok";
    for (let i = 0; i < 60 && verdict === "ok"; i++) {
      at += TICK_MS;
      blueTick(detector, at, all(fast));
      verdict = greenTick(detector, at, all(slow));
    }
    expect(verdict).toBe("halt");
    const { leading, slower } = viewOf(detector);
    expect(leading).toBe("latency");
    // The middle of a bucket is told: half a bucket, 4.5 %, below its end.
    const middle = (bucket: number) => 1000 * 2 ** ((bucket - 79) / 8 - 1 / 16);
    expect(slower!.blueMs / middle(fast)).toBeCloseTo(1, 6);
    expect(slower!.greenMs / middle(slow)).toBeCloseTo(1, 6);
  });
});

test("is the product's comparison and nothing else", () => {
  const random = new Random("same", 0);
  const detector = create({ plannedShare: 0.1 });
  const comparison = new Comparison(CONFIG);
  const side = ({ requests, errors, latency, slices }: Cohort): Side => ({
    requests,
    errors,
    latency,
    slices,
  });
  for (let at = -100_000; at <= 200_000; at += TICK_MS) {
    const blue = drawn(random, 90, 0.01);
    if (at === TICK_MS) {
      detector.onStage(0, 0.1);
      comparison.stage(0, 0.1);
    }
    blueTick(detector, at, blue);
    const { requests, errors, latency } = drawn(random, 10, 0.03, 57);
    const green = at > 0 ? { requests, errors, latency } : NONE;
    if (at > 0) detector.observe(at, "green", requests, errors, latency);
    comparison.observe({ at, ms: TICK_MS, blue: side(blue), green });
  }
  expect(JSON.parse(detector.state())).toEqual(comparison.save());
  expect(viewOf(detector)).toEqual(comparison.view());
});

test("the caller may reuse its arrays at once", () => {
  const [kept, reused] = [create({ plannedShare: 0.1 }), create({ plannedShare: 0.1 })];
  const random = new Random("reused", 0);
  const latency = new Uint32Array(BUCKETS);
  const slices = new Uint16Array(SLICES);
  /** Hands a tick over in arrays that are full of something else right after. */
  const lend = (cohort: Cohort, hand: (lent: Cohort) => unknown) => {
    latency.set(cohort.latency);
    slices.set(cohort.slices);
    hand({ ...cohort, latency, slices });
    latency.fill(9);
    slices.fill(9);
  };
  for (const detector of [kept, reused]) detector.onStage(0, 0.1);
  for (let at = TICK_MS; at <= 100_000; at += TICK_MS) {
    const blue = drawn(random, 90, 0.1);
    const green = drawn(random, 10, 0.1);
    blueTick(kept, at, blue);
    lend(blue, (lent) => blueTick(reused, at, lent));
    // Now and then green has nothing, and blue's tick is taken with the next.
    if (at % 7000 === 0) continue;
    greenTick(kept, at, green);
    lend(green, (lent) => greenTick(reused, at, lent));
  }
  expect(reused.state()).toBe(kept.state());
});

describe("history before the first stage", () => {
  test("is of blue, and known", () => {
    const detector = begun(new Random("history", 0));
    expect(viewOf(detector)).toMatchObject({ knownMs: 600_000, evidence: 1, peer: "none" });
  });

  test("tells nothing of green, and halts nothing, however bad", () => {
    const detector = create({ plannedShare: 0.1 });
    const random = new Random("bad history", 0);
    for (let at = -600_000; at <= 0; at += TICK_MS) {
      expect(blueTick(detector, at, drawn(random, 100, 0.01))).toBe("ok");
      expect(greenTick(detector, at, drawn(random, 100, 0.9))).toBe("ok");
    }
    expect(viewOf(detector).evidence).toBe(1);
  });
});

describe("a tick in which one side is missing", () => {
  test("of blue, with none for minutes, is no comparison with blue", () => {
    const random = new Random("green alone", 0);
    const detector = begun(random);
    for (let at = TICK_MS; at <= 180_000; at += TICK_MS)
      expect(greenTick(detector, at, drawn(random, 10, 0.01))).toBe("ok");
    expect(viewOf(detector).peer).not.toBe("blue");
    // Blue's time is known from the ticks all the same.
    expect(viewOf(detector).knownMs).toBe(780_000);
  });

  test("of green is taken before the next one of blue", () => {
    const random = new Random("blue alone", 0);
    const detector = begun(random);
    for (let at = TICK_MS; at <= 60_000; at += TICK_MS) blueTick(detector, at, drawn(random, 90, 0.01));
    // The last one still waits for green's.
    expect(viewOf(detector).knownMs).toBe(660_000 - TICK_MS);
    detector.onStage(60_000, 0.2);
    expect(viewOf(detector).knownMs).toBe(660_000);
  });

  test("is not mixed up with one of another time", () => {
    const random = new Random("apart", 0);
    const detector = begun(random);
    for (let at = TICK_MS; at <= 60_000; at += 2 * TICK_MS) {
      blueTick(detector, at, drawn(random, 90, 0.01));
      greenTick(detector, at + TICK_MS, drawn(random, 10, 0.01));
    }
    expect(viewOf(detector).knownMs).toBe(660_000);
  });
});

test("a green that is broken is halted, and stays halted when it is mended", () => {
  const random = new Random("broken", 0);
  const detector = begun(random);
  let at = 0;
  let verdict: "ok" | "halt" = "ok";
  while (verdict === "ok" && at < 60_000) {
    at += TICK_MS;
    expect(blueTick(detector, at, drawn(random, 90, 0.01))).toBe("ok");
    verdict = greenTick(detector, at, drawn(random, 10, 0.5));
  }
  expect(verdict).toBe("halt");
  for (let i = 0; i < 300; i++) {
    at += TICK_MS;
    expect(blueTick(detector, at, drawn(random, 90, 0.2))).toBe("halt");
    expect(greenTick(detector, at, drawn(random, 10, 0))).toBe("halt");
  }
  expect(viewOf(detector).unhealthy).toBe(false);
});

test("without latencies and slices there is a verdict, too", () => {
  const random = new Random("bare", 0);
  const detector = create({ plannedShare: 0.1 });
  detector.onStage(0, 0.1);
  let verdict: "ok" | "halt" = "ok";
  for (let at = TICK_MS; at <= 60_000 && verdict === "ok"; at += TICK_MS) {
    const [blue, green] = [drawn(random, 90, 0.01), drawn(random, 20, 0.6)];
    detector.observe(at, "blue", blue.requests, blue.errors);
    verdict = detector.observe(at, "green", green.requests, green.errors);
  }
  expect(verdict).toBe("halt");
});

test("the size of its state is that of the text that would be stored", () => {
  const detector = begun(new Random("size", 0));
  expect(stateBytes(detector)).toBe(detector.state().length);
});
