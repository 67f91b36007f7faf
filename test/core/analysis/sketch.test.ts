import fc from "fast-check";
import { expect, test } from "vitest";
import {
  Crowd,
  distinctIn,
  isSketch,
  mergeAll,
  mergeSketches,
  sketchOfOne,
} from "../../../src/core/analysis/sketch.ts";
import { murmur3 } from "../../../src/core/hashing/murmur3.ts";

function sketchOf(visitors: Iterable<number>) {
  const crowd = new Crowd();
  for (const visitor of visitors) crowd.see(visitor);
  return crowd.pack();
}

/** Few places with all that can happen below them, and many. */
const hash = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc
    .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 31 }))
    .map(([place, bit]) => ((place << 29) | (1 << bit)) >>> 0),
);
const crowd = fc.array(hash, { maxLength: 400, size: "max" });

test("merging equals counting all at once, in any order and grouping", () => {
  fc.assert(
    fc.property(crowd, crowd, crowd, (a, b, c) => {
      const all = sketchOf([...a, ...b, ...c]);
      const [x, y, z] = [sketchOf(a), sketchOf(b), sketchOf(c)];
      expect(mergeSketches(mergeSketches(x, y), z)).toBe(all);
      expect(mergeSketches(x, mergeSketches(z, y))).toBe(all);
      expect(mergeSketches(all, y)).toBe(all);
      expect(mergeAll([z, x, "", y, x])).toBe(all);
    }),
    { numRuns: 60 },
  );
});

test("one visitor more is a merge with the sketch of one", () => {
  fc.assert(
    fc.property(crowd, hash, (some, one) => {
      expect(mergeSketches(sketchOf(some), sketchOfOne(one))).toBe(sketchOf([...some, one]));
    }),
    { numRuns: 60 },
  );
});

test("a sketch knows itself; other texts are none", () => {
  fc.assert(
    fc.property(crowd, (some) => {
      expect(isSketch(sketchOf(some))).toBe(true);
    }),
    { numRuns: 60 },
  );
  for (const text of [
    "x",
    "s",
    "d",
    "sAAAA",
    "sAAA",
    "sAAABAAAB",
    `d${"z".repeat(1024)}`,
    `d${"A".repeat(9)}`,
  ])
    expect(isSketch(text)).toBe(false);
});

test("up to 200 visitors are counted to within one, 20,000 to within 10 %, in 20 crowds", () => {
  for (let trial = 0; trial < 20; trial++) {
    const some = (n: number) => sketchOf(Array.from({ length: n }, (_, i) => murmur3(`${trial}/${i}`, 7)));
    for (const n of [0, 1, 50, 200]) expect(Math.abs(distinctIn(some(n)) - n)).toBeLessThanOrEqual(1);
    for (const n of [300, 2000, 3000, 20_000])
      expect(Math.abs(distinctIn(some(n)) / n - 1)).toBeLessThan(0.1);
  }
});

test("the standard error is 3.25 %", () => {
  let squares = 0;
  const trials = 200;
  for (let trial = 0; trial < trials; trial++) {
    const n = 5000;
    const sketch = sketchOf(Array.from({ length: n }, (_, i) => murmur3(`${trial}:${i}`, 1)));
    squares += (distinctIn(sketch) / n - 1) ** 2;
  }
  expect(Math.sqrt(squares / trials)).toBeLessThan(0.04);
});

test("no sketch is longer than 1025 characters", () => {
  expect(sketchOf(Array.from({ length: 256 }, (_, i) => i * 4096)).length).toBe(1025);
  expect(sketchOf(Array.from({ length: 257 }, (_, i) => i * 4096)).length).toBe(1025);
});
