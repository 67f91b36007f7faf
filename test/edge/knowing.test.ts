/** Promises about what an isolate takes for true. */
import { describe, expect, test } from "vitest";
import { compileTable } from "../../src/core/flag/compile.ts";
import { decide } from "../../src/core/flag/evaluate.ts";
import { parseDocument } from "../../src/core/flag/parse.ts";
import { type FlagInput, flagSchema } from "../../src/core/flag/schema.ts";
import { hashText } from "../../src/core/hashing/text.ts";
import { SNAPSHOT_VERSION, type Snapshot } from "../../src/core/rollout/snapshot.ts";
import { bundledFlags } from "../../src/edge/bundled.ts";
import { Knowing } from "../../src/edge/knowing.ts";

const T = 1_790_000_000_000;
const route = { blue: "https://blue.test", green: "https://green.test" };
const flagOf = (percentage: number): FlagInput => ({ state: "canary", percentage, route, rules: [] });
const textOf = (percentage: number) => JSON.stringify({ flags: { shop: flagOf(percentage) } });

function snapshotOf(revision: number, percentage: number, halted = false): Snapshot {
  return {
    v: SNAPSHOT_VERSION,
    revision,
    at: T,
    specHash: hashText(textOf(percentage)),
    enabled: true,
    flags: { shop: flagSchema.parse(flagOf(percentage)) },
    status: { shop: { generation: "g", share: percentage * 1000 } },
    halts: halted
      ? [
          {
            flag: "shop",
            release: "unversioned",
            action: "rollback",
            at: T,
            rule: "r",
            reason: "x",
            figures: {},
          },
        ]
      : [],
    faults: [],
  };
}

const kv = (
  given: { flags?: string; revision?: number; kill?: string; snapshot?: Snapshot | string } = {},
) => ({
  flags: given.flags,
  revision: given.revision,
  kill: given.kill,
  snapshot: typeof given.snapshot === "object" ? JSON.stringify(given.snapshot) : given.snapshot,
  snapshotRevision: typeof given.snapshot === "object" ? given.snapshot.revision : undefined,
});

const shareOf = (knowing: Knowing) => knowing.table.flags.get("shop")?.share;

describe("the kill key", () => {
  test("holds for an isolate that cannot read KV, by what the controller has read there", () => {
    const knowing = new Knowing();
    knowing.takeAnswer({ ...snapshotOf(7, 20), kill: "shop" }, T);
    expect(knowing.table.flags.get("shop")).toMatchObject({ share: 0, stop: "kill" });
  });

  test("is what the isolate reads itself as soon as it can: a person has lifted it", () => {
    const knowing = new Knowing();
    knowing.takeAnswer({ ...snapshotOf(7, 20), kill: "shop" }, T);
    knowing.takeKv(kv({ flags: textOf(20), revision: 7, kill: " " }), T);
    expect(shareOf(knowing)).toBe(20_000);
  });
});

describe("revisions", () => {
  test("never go back, whether KV or a shard is behind", () => {
    const knowing = new Knowing();
    knowing.takeAnswer(snapshotOf(7, 20), T);
    knowing.takeKv(kv({ flags: textOf(20), revision: 7, snapshot: snapshotOf(5, 50) }), T);
    expect([knowing.revision, shareOf(knowing)]).toEqual([7, 20_000]);
    knowing.takeAnswer(snapshotOf(6, 50), T);
    expect([knowing.revision, shareOf(knowing)]).toEqual([7, 20_000]);
    knowing.takeKv(kv({ flags: textOf(20), revision: 7, snapshot: snapshotOf(8, 30) }), T);
    expect(knowing.revision).toBe(8);
  });

  test("a halt in a newer snapshot takes green out at once", () => {
    const knowing = new Knowing();
    knowing.takeKv(kv({ flags: textOf(50), revision: 1, snapshot: snapshotOf(1, 50) }), T);
    expect(shareOf(knowing)).toBe(50_000);
    knowing.takeAnswer(snapshotOf(2, 50, true), T);
    expect(knowing.table.flags.get("shop")).toMatchObject({ share: 0, stop: "halt" });
  });
});

describe("a hand edit", () => {
  test("that lowers green counts at once, one that raises it waits", () => {
    const knowing = new Knowing();
    knowing.takeKv(kv({ flags: textOf(50), snapshot: snapshotOf(1, 50) }), T);
    knowing.takeKv(kv({ flags: textOf(10), snapshot: snapshotOf(1, 50) }), T);
    expect(shareOf(knowing)).toBe(10_000);
    knowing.takeKv(kv({ flags: textOf(90), snapshot: snapshotOf(1, 50) }), T);
    expect(shareOf(knowing)).toBe(50_000);
    expect(knowing.edit).toMatchObject({ hash: hashText(textOf(90)), text: textOf(90) });
  });

  test("is no longer handed up once a snapshot knows it", () => {
    const knowing = new Knowing();
    knowing.takeKv(kv({ flags: textOf(50) }), T);
    expect(knowing.edit).toBeDefined();
    knowing.takeAnswer(snapshotOf(1, 50), T);
    expect(knowing.edit).toBeUndefined();
  });

  test("that raises green is taken without a shard after two minutes of asking in vain, not after being idle", () => {
    const knowing = new Knowing();
    knowing.takeKv(kv({ flags: textOf(50), snapshot: snapshotOf(1, 50) }), T);
    knowing.takeAnswer(undefined, T);
    const raised = kv({ flags: textOf(90), snapshot: snapshotOf(1, 50) });
    knowing.takeKv(raised, T + 600_000);
    expect(shareOf(knowing)).toBe(50_000);
    for (let s = 0; s <= 120; s += 20) knowing.noteSilence(T + 600_000 + s * 1000);
    knowing.takeKv(raised, T + 600_000 + 119_000);
    expect(shareOf(knowing)).toBe(50_000);
    knowing.takeKv(raised, T + 600_000 + 120_000);
    expect(shareOf(knowing)).toBe(90_000);
  });
});

describe("what cannot be read", () => {
  test.each([
    "",
    "{",
    "\0",
    "[]",
    '{"v":1}',
    '{"v":1,"revision":9,"specHash":"","enabled":true,"flags":{"shop":{}},"status":{},"halts":[]}',
  ])("as snapshot changes nothing: %j", (snapshot) => {
    const knowing = new Knowing();
    knowing.takeKv(kv({ flags: textOf(50), snapshot: snapshotOf(1, 50) }), T);
    knowing.takeKv(kv({ flags: textOf(50), snapshot }), T);
    expect([knowing.revision, shareOf(knowing)]).toEqual([1, 50_000]);
  });

  test.each(["", "{", "[]", '{"flags":7}', '{"flags":{"shop":{"state":"canary","percentage":"all"}}}'])(
    "as document keeps the last good form and says so: %j",
    (flags) => {
      const knowing = new Knowing();
      knowing.takeKv(kv({ flags: textOf(50), snapshot: snapshotOf(1, 50) }), T);
      knowing.takeKv(kv({ flags, snapshot: snapshotOf(1, 50) }), T);
      expect(shareOf(knowing)).toBe(50_000);
      expect(knowing.faults.length).toBeGreaterThan(0);
    },
  );

  test("in one flag leaves its neighbours alone", () => {
    const knowing = new Knowing();
    const off: FlagInput = { state: "off", route: { ...route, hosts: ["a.example"] } };
    knowing.takeKv(kv({ flags: JSON.stringify({ flags: { a: off, shop: flagOf(50) } }) }), T);
    knowing.takeKv(
      kv({ flags: JSON.stringify({ flags: { a: { state: "on" }, shop: { state: "broken" } } }) }),
      T,
    );
    expect(knowing.table.flags.get("a")?.spec.state).toBe("on");
    expect(knowing.table.flags.get("shop")?.spec.state).toBe("canary");
  });
});

test("without a snapshot every canary is at 0 %, and says that it is stale", () => {
  const knowing = new Knowing();
  knowing.takeKv(kv({ flags: textOf(50) }), T);
  expect(knowing.table.flags.get("shop")).toMatchObject({ share: 0, stale: true });
});

test("the kill key counts whatever the snapshot says, until a person changes it", () => {
  const knowing = new Knowing();
  const texts = { flags: textOf(50), snapshot: snapshotOf(1, 50) };
  knowing.takeKv(kv({ ...texts, kill: "\n shop\tother " }), T);
  expect(knowing.table.flags.get("shop")).toMatchObject({ share: 0, stop: "kill" });
  knowing.takeKv(kv({ ...texts, kill: "" }), T);
  expect(shareOf(knowing)).toBe(50_000);
});

describe("the document of the build", () => {
  const parsed = (flags: object, more: object = {}) => parseDocument(JSON.stringify({ flags, ...more }));

  test("gives routes with each flag's fallback, whatever it says about their state", () => {
    const green = { ...flagOf(50), fallback: "green" };
    const flags = {
      a: green,
      b: { ...flagOf(50), state: "on" },
      c: { ...green, environments: ["elsewhere"] },
    };
    const found = bundledFlags(parsed(flags));
    expect(found.map(({ name, share, stale }) => [name, share, stale])).toEqual([
      ["a", 100_000, true],
      ["b", 0, true],
      ["c", 0, true],
    ]);
  });

  test("gives plain flags as they stand there, cohorts and switches included", () => {
    const cohorts = { staff: { users: ["ann"] }, guests: { users: ["bob"] } };
    const flags = {
      lit: { state: "on" },
      dark: { state: "off" },
      some: { state: "canary", percentage: 45, cohorts },
      "canary.cohort.guests.enabled": { state: "off" },
    };
    const table = compileTable(bundledFlags(parsed(flags)));
    const answer = (name: string, key: string) => {
      const { variant, reason } = decide(
        table.flags.get(name)!,
        { key, placement: "hash", trusted: true },
        T,
      );
      return [variant, reason];
    };
    expect(answer("lit", "ann")).toEqual(["green", "STALE"]);
    expect(answer("dark", "ann")).toEqual(["blue", "DISABLED"]);
    expect(answer("some", "ann")).toEqual(["green", "STALE"]);
    expect(answer("some", "bob")).toEqual(["blue", "DISABLED"]);
    expect(table.flags.get("some")?.share).toBe(45_000);
    const off = bundledFlags(parsed({ lit: { state: "on" } }, { enabled: false }));
    expect(off).toMatchObject([{ name: "lit", stop: "switch" }]);
  });
});

describe("which source answered", () => {
  test("is said of each flag: KV, else nobody but the caller's default", () => {
    const knowing = new Knowing();
    expect([knowing.source, knowing.sourceOf("shop")]).toEqual(["default", "default"]);
    knowing.takeKv(kv({ flags: textOf(20), revision: 1, snapshot: snapshotOf(1, 20) }), T);
    expect([knowing.source, knowing.sourceOf("shop"), knowing.sourceOf("other")]).toEqual([
      "kv",
      "kv",
      "default",
    ]);
  });

  test("is a variable where one overrides the flag, and only where that is switched on", () => {
    const vars = { ENABLE_SHOP: "false", ENABLE_SEARCH: "true", ENABLE_X: "perhaps" };
    const config = {
      refreshMs: 1000,
      shards: 1,
      defaultOrigin: undefined,
      adminHosts: [],
      environment: "preview",
    };
    const knowing = new Knowing();
    knowing.takeConfig({ ...config, overrides: vars });
    knowing.takeKv(kv({ flags: textOf(20), revision: 1, snapshot: snapshotOf(1, 20) }), T);
    expect([knowing.sourceOf("shop"), knowing.sourceOf("search")]).toEqual(["env", "env"]);
    expect(shareOf(knowing)).toBe(0);
    expect(knowing.faults).toMatchObject([{ path: "env ENABLE_X" }]);

    const production = new Knowing();
    production.takeConfig({ ...config, overrides: undefined });
    production.takeKv(kv({ flags: textOf(20), revision: 1, snapshot: snapshotOf(1, 20) }), T);
    expect([production.sourceOf("shop"), production.sourceOf("search")]).toEqual(["kv", "default"]);
    expect(shareOf(production)).toBe(20_000);
  });
});
