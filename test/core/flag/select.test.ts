/** Promises of choosing tenants: quotas that can be met are met, the rest is said, and more keeps those before. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { thorbisDirectory } from "../../../fixtures/directories/thorbis.ts";
import { apportion, spreadEvenly } from "../../../src/core/flag/apportion.ts";
import { type Directory, selection as selectionSchema } from "../../../src/core/flag/cohort.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import { MAX_SELECTED, selectTenants } from "../../../src/core/flag/select.ts";
import { seedOf } from "../../../src/core/hashing/bucket.ts";

const SEED = seedOf("invoices.write");
const thorbis = thorbisDirectory();
const text = readFileSync(join(import.meta.dirname, "../../../fixtures/flags/tenants.json"), "utf8");
const canary = parseDocument(text).flags.get("invoices.write")!.cohorts.canary_10!.select!;

const select = (directory: Directory, input: object, seed = SEED) =>
  selectTenants(directory, selectionSchema.parse({ directory: "d", ...input }), seed);

/** How many of the tenants have each value of an attribute. */
function counts(directory: Directory, tenants: readonly string[], attribute: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const id of tenants) {
    const value = directory.tenants[id]![attribute] ?? "none";
    found[value] = (found[value] ?? 0) + 1;
  }
  return found;
}

/** A directory with so many tenants of each kind. */
function directoryOf(kinds: [number, Record<string, string>][]): Directory {
  const tenants = kinds.flatMap(([n, attributes], kind) =>
    Array.from({ length: n }, (_, i) => [`${kind}-${i}`, attributes]),
  );
  return { tenants: Object.fromEntries(tenants) };
}

describe("10 % of 500 tenants, as Thorbis chooses them", () => {
  const { tenants, unmet } = selectTenants(thorbis, canary, SEED);

  test("are 50, all of low risk, with every quota met to the tenant, in every region alike", () => {
    expect(unmet).toEqual([]);
    expect(new Set(tenants).size).toBe(50);
    expect(counts(thorbis, tenants, "risk")).toEqual({ low: 50 });
    expect(counts(thorbis, tenants, "size")).toEqual({ small: 20, medium: 20, large: 10 });
    expect(counts(thorbis, tenants, "industry")).toEqual({ field_services: 30, restaurants: 20 });
    const regions = Object.values(counts(thorbis, tenants, "region"));
    expect(regions.sort()).toEqual([12, 12, 13, 13]);
  });

  test("are more often in the beta programme and engaged than tenants are at all", () => {
    const all = Object.keys(thorbis.tenants);
    const rate = (ids: string[], name: string, value: string) =>
      counts(thorbis, ids, name)[value]! / ids.length;
    expect(rate(tenants, "beta", "true")).toBeGreaterThan(2 * rate(all, "beta", "true"));
    expect(rate(tenants, "engagement", "high")).toBeGreaterThan(1.2 * rate(all, "engagement", "high"));
  });

  test("are the same in whatever order the directory lists them, and others under another seed", () => {
    const backwards = { tenants: Object.fromEntries(Object.entries(thorbis.tenants).reverse()) };
    expect(selectTenants(backwards, canary, SEED)).toEqual({ tenants, unmet });
    expect(selectTenants(thorbis, canary, SEED + 1).tenants).not.toEqual(tenants);
  });

  test("what cannot be met is said, and the number is full all the same", () => {
    const large = Object.entries(thorbis.tenants).filter(
      ([, { size, risk }]) => size === "large" && risk === "low",
    );
    const gone = new Set(large.slice(3).map(([id]) => id));
    const kept = Object.entries(thorbis.tenants).filter(([id]) => !gone.has(id));
    const fewer = select(
      { tenants: Object.fromEntries(kept) },
      { ...canary, percentage: undefined, count: 50 },
    );
    expect(fewer.unmet).toContain("size large: 3 of 10 wanted");
    expect(fewer.tenants).toHaveLength(50);
  });
});

test("further quotas are met as far as the first two leave room, under any seed", () => {
  const quotas = {
    size: { small: 40, medium: 40, large: 20 },
    industry: { field_services: 60, restaurants: 40 },
    engagement: { high: 50, medium: 30, low: 20 },
    beta: { true: 50, false: 50 },
  };
  for (let seed = 0; seed < 20; seed++) {
    const { tenants, unmet } = select(thorbis, { count: 50, quotas }, seed);
    expect(unmet).toEqual([]);
    expect(counts(thorbis, tenants, "size")).toEqual({ small: 20, medium: 20, large: 10 });
    expect(counts(thorbis, tenants, "industry")).toEqual({ field_services: 30, restaurants: 20 });
    expect(counts(thorbis, tenants, "engagement")).toEqual({ high: 25, medium: 15, low: 10 });
    expect(counts(thorbis, tenants, "beta")).toEqual({ true: 25, false: 25 });
  }
});

test("too few tenants, and a spread that cannot be even, are said", () => {
  const few = directoryOf([
    [3, { region: "eu", size: "small" }],
    [9, { region: "us", size: "small" }],
  ]);
  expect(select(few, { count: 20 }).unmet).toEqual(["tenants: 12 of 20 wanted"]);
  expect(select(few, { count: 8, spread: ["region"] })).toMatchObject({ unmet: [] });
  expect(counts(few, select(few, { count: 8, spread: ["region"] }).tenants, "region")).toEqual({
    eu: 3,
    us: 5,
  });
  const split = directoryOf([
    [5, { region: "eu", size: "small" }],
    [5, { region: "us", size: "large" }],
  ]);
  const torn = select(split, { count: 4, quotas: { size: { small: 100 } }, spread: ["region"] });
  expect(torn.unmet).toEqual(["region us: 0 of 2 wanted for an even spread"]);
  expect(select(split, { count: 4, quotas: { size: { small: 50, huge: 50 } } }).unmet).toEqual([
    "size huge: 0 of 2 wanted",
  ]);
});

test("quotas of less than 100 % leave the rest to the others", () => {
  const some = select(thorbis, { count: 50, quotas: { size: { large: 20 } } });
  expect(some.unmet).toEqual([]);
  expect(counts(thorbis, some.tenants, "size").large).toBe(10);
  const none = select(directoryOf([[9, { size: "large" }]]), { count: 5, quotas: { size: { large: 20 } } });
  expect(none.unmet).toEqual(["other size: 0 of 4 wanted"]);
});

test("a percentage is of all tenants, rounded down; with a count the lesser of the two", () => {
  const tenants = (input: object) => select(thorbis, input).tenants.length;
  expect([tenants({ percentage: 10 }), tenants({ percentage: 0.3 }), tenants({ percentage: 0.1 })]).toEqual([
    50, 1, 0,
  ]);
  expect([tenants({ percentage: 10, count: 7 }), tenants({ percentage: 1, count: 7 })]).toEqual([7, 5]);
  expect(tenants({ require: { size: ["large"] } })).toBe(
    counts(thorbis, Object.keys(thorbis.tenants), "size").large,
  );
});

test("no more are chosen than a cohort can have", () => {
  const all = select(thorbisDirectory(MAX_SELECTED + 1), {});
  expect([all.tenants.length, all.unmet]).toEqual([MAX_SELECTED, ["tenants: 10000 of 10001 wanted"]]);
});

test("the first preference weighs more than all that follow", () => {
  const directory = directoryOf([
    [3, { a: "no", b: "yes", c: "yes" }],
    [3, { a: "yes", b: "no", c: "no" }],
    [3, { a: "yes", b: "no", c: "yes" }],
  ]);
  const { tenants } = select(directory, { count: 6, prefer: { a: ["yes"], b: ["yes"], c: ["yes"] } });
  expect(tenants.map((id) => id[0]).join("")).toBe("222111");
});

describe("more tenants", () => {
  const larger = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }));
  const grown = (small: readonly string[], large: readonly string[]) =>
    small.filter((id) => !large.includes(id));

  test("keep all before them where there is no quota", () => {
    fc.assert(
      fc.property(larger, fc.integer(), ([a, b], seed) => {
        const prefer = { beta: ["true"] };
        const small = select(thorbis, { count: Math.min(a, b) + 1, prefer }, seed).tenants;
        const large = select(thorbis, { count: Math.max(a, b) + 1, prefer }, seed).tenants;
        expect(grown(small, large)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  test("keep all before them with one quota, but for what rounding takes from a value", () => {
    const shares = { small: 40, medium: 40, large: 20 };
    const thousandths = Object.values(shares).map((percent) => percent * 1000);
    fc.assert(
      fc.property(larger, fc.integer(), ([a, b], seed) => {
        const [few, many] = [Math.min(a, b) + 1, Math.max(a, b) + 1];
        const [less, more] = [apportion(few, thousandths), apportion(many, thousandths)];
        const lost = less.reduce((sum, n, i) => sum + Math.max(0, n - more[i]!), 0);
        const small = select(thorbis, { count: few, quotas: { size: shares } }, seed).tenants;
        const large = select(thorbis, { count: many, quotas: { size: shares } }, seed).tenants;
        expect(grown(small, large)).toHaveLength(lost);
      }),
      { numRuns: 50 },
    );
  });

  test("keep nearly all before them with the quotas and the spread of Thorbis", () => {
    const steps = [5, 10, 15, 20];
    const chosen = steps.map((percentage) => selectTenants(thorbis, { ...canary, percentage }, SEED).tenants);
    const lost = chosen.slice(1).map((large, i) => grown(chosen[i]!, large).length / chosen[i]!.length);
    for (const share of lost) expect(share).toBeLessThanOrEqual(0.1);
  });
});

test("two quotas are met together wherever any choice meets them, else as closely as any choice does", () => {
  const cell = fc.integer({ min: 0, max: 4 });
  const percents = fc.constantFrom(0, 20, 25, 40, 50, 60, 75, 100);
  fc.assert(
    fc.property(
      fc.tuple(cell, cell, cell, cell),
      percents,
      percents,
      fc.integer({ min: 0, max: 12 }),
      (cells, p, q, n) => {
        const kinds = [
          { a: "x", b: "x" },
          { a: "x", b: "y" },
          { a: "y", b: "x" },
          { a: "y", b: "y" },
        ];
        const directory = directoryOf(cells.map((size, i) => [size, kinds[i]!]));
        const quotas = { a: { x: p, y: 100 - p }, b: { x: q, y: 100 - q } };
        const { tenants } = select(directory, { count: n + 1, quotas });
        const wantA = apportion(n + 1, [p * 1000, (100 - p) * 1000])[0]!;
        const wantB = apportion(n + 1, [q * 1000, (100 - q) * 1000])[0]!;
        const total = Math.min(
          n + 1,
          cells.reduce((sum, size) => sum + size, 0),
        );
        const missed = (xx: number, xy: number, yx: number, yy: number) =>
          over(xx + xy, wantA) +
          over(yx + yy, n + 1 - wantA) +
          over(xx + yx, wantB) +
          over(xy + yy, n + 1 - wantB);
        let best = Number.POSITIVE_INFINITY;
        for (let xx = 0; xx <= cells[0]; xx++)
          for (let xy = 0; xy <= cells[1]; xy++)
            for (let yx = 0; yx <= cells[2]; yx++) {
              const yy = total - xx - xy - yx;
              if (yy >= 0 && yy <= cells[3]) best = Math.min(best, missed(xx, xy, yx, yy));
            }
        const [xx, xy, yx, yy] = kinds.map(
          ({ a, b }) =>
            tenants.filter((id) => directory.tenants[id]!.a === a && directory.tenants[id]!.b === b).length,
        );
        expect(tenants).toHaveLength(total);
        expect(missed(xx!, xy!, yx!, yy!)).toBe(best);
      },
    ),
    { numRuns: 200 },
  );
});

function over(have: number, want: number): number {
  return Math.max(0, have - want);
}

test("shares of a whole go by largest remainder, exactly", () => {
  expect(apportion(50, [40_000, 40_000, 20_000])).toEqual([20, 20, 10]);
  expect(apportion(7, [40_000, 40_000, 20_000])).toEqual([3, 3, 1]);
  expect(apportion(3, [33_333, 33_333, 33_334])).toEqual([1, 1, 1]);
  expect(apportion(1, [50_000, 50_000])).toEqual([1, 0]);
  expect(apportion(10, [29_000, 71_000])).toEqual([3, 7]);
  expect(apportion(10, [20_000])).toEqual([2]);
  expect(spreadEvenly(8, [3, 9]).map(({ least, most }) => `${least}-${most}`)).toEqual(["3-3", "5-6"]);
  expect(spreadEvenly(50, [20, 20, 20, 20])).toEqual(Array(4).fill({ least: 12, most: 13 }));
});
