/** Promises of the bucket: even within chance, independent between flags, exact at the edges. */
import { describe, expect, test } from "vitest";
import { BUCKETS, bucketOf, seedOf, sliceOf } from "../../../src/core/hashing/bucket.ts";
import { murmur3 } from "../../../src/core/hashing/murmur3.ts";

/** How far from the mean a count may be, in standard deviations: a fair coin fails 1 in 1.7 million. */
const SIGMAS = 5;
const IDS = 1_000_000;

/** The kinds of ids that visitors have: each makes the i-th one, always the same. */
const KINDS: Record<string, (i: number) => string> = {
  "sequential numbers": (i) => String(i),
  UUIDs: (i) => {
    const h = (seed: number) => murmur3(String(i), seed).toString(16).padStart(8, "0");
    const [a, b, c, d] = [h(1), h(2), h(3), h(4)];
    return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`;
  },
  "e-mail addresses": (i) => `user.${i}@example.com`,
  "client addresses": (i) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
};

describe.each(Object.entries(KINDS))("the split of 1,000,000 %s", (_name, idOf) => {
  const counts = new Uint32Array(BUCKETS);
  const seed = seedOf("checkout");
  for (let i = 0; i < IDS; i++) counts[bucketOf(seed, idOf(i))]!++;

  test.each([1, 1_000, 10_000, 50_000])("is exact within chance at %i thousandths of a percent", (share) => {
    const p = share / BUCKETS;
    const green = counts.subarray(0, share).reduce((sum, n) => sum + n, 0);
    expect(Math.abs(green - IDS * p)).toBeLessThanOrEqual(SIGMAS * Math.sqrt(IDS * p * (1 - p)));
  });

  test("fills all 100,000 buckets evenly", () => {
    const mean = IDS / BUCKETS;
    const chi2 = counts.reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0);
    expect(Math.abs(chi2 - (BUCKETS - 1))).toBeLessThan(SIGMAS * Math.sqrt(2 * (BUCKETS - 1)));
  });
});

describe("buckets of two flags are independent", () => {
  const CELLS = 20;
  const VISITORS = 200_000;

  test.each([
    ["checkout", "search", "u"],
    ["flag-1", "flag-2", ""],
    ["a", "b", "user@"],
    ["checkout", "checkout ", "id:"],
  ])("%j and %j, ids %j + number", (one, other, prefix) => {
    const seeds = [seedOf(one), seedOf(other)] as const;
    const table = new Uint32Array(CELLS * CELLS);
    for (let i = 0; i < VISITORS; i++) {
      const key = prefix + i;
      const [row, column] = seeds.map((seed) => Math.floor((bucketOf(seed, key) * CELLS) / BUCKETS));
      table[row! * CELLS + column!]!++;
    }
    const mean = VISITORS / CELLS ** 2;
    const chi2 = table.reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0);
    const freedom = CELLS ** 2 - 1;
    expect(chi2).toBeLessThan(freedom + SIGMAS * Math.sqrt(2 * freedom));
  });
});

test("every bucket is an integer from 0 to 99,999, and slices share blue evenly at every percentage", () => {
  const slices = new Set<number>();
  for (let i = 0; i < 100_000; i++) {
    const bucket = bucketOf(0, String(i));
    if (!Number.isInteger(bucket) || bucket < 0 || bucket >= BUCKETS) throw new Error(`bucket ${bucket}`);
    slices.add(sliceOf(bucket));
  }
  expect([...slices].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i));
  const ofBlue = Array.from({ length: BUCKETS / 2 }, (_, i) => sliceOf(BUCKETS / 2 + i));
  for (const slice of slices) expect(ofBlue.filter((s) => s === slice)).toHaveLength(BUCKETS / 32);
});
