/** Promises of cohorts, as an isolate serves them: who is in which, what stops one, and that nobody is taken off. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileTable } from "../../../src/core/flag/compile.ts";
import { type Decision, decide } from "../../../src/core/flag/evaluate.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import type { FlagInput } from "../../../src/core/flag/schema.ts";
import { bucketOf, seedOf } from "../../../src/core/hashing/bucket.ts";
import { effectiveFlags, type Knowledge } from "../../../src/core/rollout/effective.ts";
import type { FlagStatus, Halt, Snapshot } from "../../../src/core/rollout/snapshot.ts";

const NOW = 1_000_000;

interface World {
  flags?: Record<string, FlagInput>;
  status?: Partial<FlagStatus>;
  halts?: Partial<Halt>[];
  kill?: string;
  /** An edit in KV that nobody has published. */
  edit?: Record<string, FlagInput>;
  alone?: boolean;
}

/** What everybody is told about `shop`, by the snapshot and the edit. */
function shop(input: Partial<FlagInput>, world: World = {}) {
  const flag: FlagInput = { state: "canary", ...input };
  const { flags } = parseDocument(JSON.stringify({ flags: { shop: flag, ...world.flags } }));
  const share = Math.round((flag.percentage ?? 0) * 1000);
  const snapshot: Snapshot = {
    v: 1,
    revision: 5,
    at: 0,
    specHash: "s",
    enabled: true,
    flags: Object.fromEntries(flags),
    status: { shop: { generation: "g", share, ...world.status } },
    halts: (world.halts ?? []).map((halt) => ({
      flag: "shop",
      release: "unversioned",
      action: "rollback",
      at: 0,
      rule: "",
      reason: "",
      figures: {},
      ...halt,
    })),
    faults: [],
  };
  const parsed = world.edit && parseDocument(JSON.stringify({ flags: world.edit }));
  const knowledge: Knowledge = {
    snapshot,
    document: parsed && { hash: "edit", revision: undefined, parsed },
    kill: world.kill ?? "",
    heardAt: world.alone ? 0 : NOW,
    now: NOW,
  };
  const compiled = compileTable(effectiveFlags(knowledge)).flags.get("shop")!;
  return (who: string | number, attributes: Record<string, string[]> = {}): Decision => {
    const key = typeof who === "number" ? idIn(who) : who;
    return decide(
      compiled,
      {
        key,
        placement: "hash",
        trusted: true,
        attributes: new Map(Object.entries(attributes)),
      },
      0,
    );
  };
}

const said = ({ variant, reason, cohort, placement }: Decision) =>
  `${variant} ${reason} ${cohort} ${placement}`;

/** An id that falls into a bucket of the flag, found once. */
const ids = new Map<number, string>();
function idIn(bucket: number): string {
  for (let i = 0; !ids.has(bucket); i++) {
    if (i === 0 && ids.size === 0) for (let j = 0; j < 400_000; j++) note(`v${j}`);
    note(`w${i}`);
  }
  return ids.get(bucket)!;
}
function note(id: string) {
  const bucket = bucketOf(seedOf("shop"), id);
  if (!ids.has(bucket)) ids.set(bucket, id);
}

/** Members whose buckets are above all percentages here: 95,360, 84,939 and 99,421. */
const [ENG, GP, OPT_IN] = ["eng-4", "gp@example.com", "opt-in"];

const CANARY = {
  internal_test: { users: [ENG], percentage: 0.5 },
  friendly_gp: { users: [GP], percentage: 5 },
  beta: { users: [OPT_IN], percentage: 25 },
};

describe("a visitor is in the first cohort that admits them", () => {
  test.each([
    [ENG, "green TARGETING_MATCH internal_test match"],
    [GP, "green TARGETING_MATCH friendly_gp match"],
    [0, "green SPLIT internal_test hash"],
    [499, "green SPLIT internal_test hash"],
    [500, "green SPLIT friendly_gp hash"],
    [4_999, "green SPLIT friendly_gp hash"],
    [5_000, "green SPLIT beta hash"],
    [24_999, "green SPLIT beta hash"],
    [25_000, "blue SPLIT ga hash"],
  ])("%s: %s", (who, expected) => expect(said(shop({ cohorts: CANARY })(who))).toBe(expected));

  test("a member of a later cohort whom an earlier percentage admits is in the earlier one", () => {
    const ask = shop({ cohorts: { early: { percentage: 50 }, late: { users: [idIn(10)] } } });
    expect(said(ask(10))).toBe("green SPLIT early hash");
  });

  test("by group, by tenant, by all attributes that are given, or by none of them", () => {
    const cohorts = {
      groups: { groups: ["qa", "eng"] },
      tenants: { tenants: ["acme"] },
      attributes: { attributes: { region: ["eu", "us"], plan: ["pro"] } },
    };
    const ask = shop({ cohorts });
    const cohortOf = (attributes: Record<string, string[]>) => ask(90_000, attributes).cohort;
    expect(cohortOf({ group: ["sales", "qa"] })).toBe("groups");
    expect(cohortOf({ tenant: ["acme"] })).toBe("tenants");
    expect(cohortOf({ region: ["eu"], plan: ["pro"] })).toBe("attributes");
    expect(cohortOf({ region: ["eu"], plan: ["free"] })).toBe("ga");
    expect(cohortOf({ region: ["eu"] })).toBe("ga");
    expect(cohortOf({})).toBe("ga");
    expect(said(ask(90_000, { tenant: ["acme"] }))).toBe("green TARGETING_MATCH tenants match");
  });

  test("segments restrict the percentage to ids and groups that they name, and never the members", () => {
    const beta = { percentage: 50, segments: ["staff", idIn(7)], users: ["ann"] };
    const ask = shop({ cohorts: { beta } });
    expect(said(ask(6))).toBe("blue SPLIT ga hash");
    expect(said(ask(7))).toBe("green SPLIT beta match");
    expect(said(ask(6, { group: ["staff"] }))).toBe("green SPLIT beta match");
    expect(said(ask("ann"))).toBe("green TARGETING_MATCH beta match");
  });

  test("tenants that were chosen are members, while the cohort chooses any", () => {
    const select = { directory: "d", count: 1 };
    const status = { selected: { beta: ["acme"], other: ["acme"] } };
    const ask = (cohort: object) =>
      shop({ cohorts: { beta: cohort } }, { status })(90_000, { tenant: ["acme"] });
    expect(said(ask({ select }))).toBe("green TARGETING_MATCH beta match");
    expect(said(ask({}))).toBe("blue SPLIT ga hash");
    expect(said(ask({ enabled: false, select }))).toBe("blue SPLIT ga hash");
    expect(said(shop({ cohorts: { constructor: { select } } }, { status })(90_000))).toBe(
      "blue SPLIT ga hash",
    );
  });
});

test("those whom a segment singles out stay out of comparisons on both sides: half of the staff is no sample of all", () => {
  const ask = shop({ cohorts: { beta: { percentage: 50, segments: ["staff"] } }, percentage: 70 });
  const staff = [49_999, 50_000, 70_000].map((bucket) => said(ask(bucket, { group: ["staff"] })));
  expect(staff).toEqual(["green SPLIT beta match", "green SPLIT ga match", "blue SPLIT ga match"]);
  expect([69_999, 70_000].map((bucket) => said(ask(bucket)))).toEqual([
    "green SPLIT ga hash",
    "blue SPLIT ga hash",
  ]);
});

describe("a plan", () => {
  test("has its cohorts on green that it has enabled so far, and no others", () => {
    const ask = shop({ cohorts: CANARY }, { status: { cohorts: ["internal_test", "friendly_gp"] } });
    expect([ENG, GP, OPT_IN].map((who) => ask(who).variant)).toEqual(["green", "green", "blue"]);
    expect([ask(4_999).cohort, ask(5_000).variant]).toEqual(["friendly_gp", "blue"]);
  });

  test("counts whom its percentages place by the bands of its stages", () => {
    const bands = [
      { cohort: "internal_test", share: 500 },
      { cohort: "friendly_gp", share: 5_000 },
    ];
    const ask = shop({}, { status: { share: 25_000, bands } });
    const cohorts = [0, 499, 500, 4_999, 5_000, 24_999, 25_000].map((bucket) => said(ask(bucket)));
    expect(cohorts).toEqual([
      "green SPLIT internal_test hash",
      "green SPLIT internal_test hash",
      "green SPLIT friendly_gp hash",
      "green SPLIT friendly_gp hash",
      "green SPLIT ga hash",
      "green SPLIT ga hash",
      "blue SPLIT ga hash",
    ]);
  });
});

describe("a cohort is stopped alone", () => {
  const off: FlagInput = { state: "off" };
  const stopped = "blue DISABLED friendly_gp";

  test.each<[string, World]>([
    ["by a halt of the cohort", { halts: [{ cohort: "friendly_gp" }] }],
    ["by its switch", { flags: { "canary.cohort.friendly_gp.enabled": off } }],
    [
      "by its switch in the state kill",
      { flags: { "canary.cohort.friendly_gp.enabled": { state: "kill" } } },
    ],
    [
      "by its switch in the kill key, be it in the document or not",
      { kill: "canary.cohort.friendly_gp.enabled" },
    ],
    [
      "by its switch in an edit",
      {
        edit: {
          shop: { state: "canary", percentage: 50, cohorts: CANARY },
          "canary.cohort.friendly_gp.enabled": off,
        },
      },
    ],
  ])("%s: its own visitors are on blue, and in no other cohort", (_how, world) => {
    const ask = shop(
      { cohorts: CANARY, percentage: 50 },
      world.edit ? { ...world, flags: { "canary.cohort.friendly_gp.enabled": { state: "on" } } } : world,
    );
    expect(said(ask(GP))).toBe(`${stopped} match`);
    expect(said(ask(500))).toBe(`${stopped} hash`);
    expect(said(ask(4_999))).toBe(`${stopped} hash`);
    expect([ask(499), ask(5_000), ask(49_999), ask(ENG), ask(OPT_IN)].map(said)).toEqual([
      "green SPLIT internal_test hash",
      "green SPLIT beta hash",
      "green SPLIT ga hash",
      "green TARGETING_MATCH internal_test match",
      "green TARGETING_MATCH beta match",
    ]);
  });

  test("also when the plan's percentages have placed its visitors, and also ga", () => {
    const bands = [{ cohort: "internal_test", share: 500 }];
    const ask = (cohort: string) => shop({}, { status: { share: 5_000, bands }, halts: [{ cohort }] });
    expect([ask("internal_test")(499), ask("internal_test")(500)].map(said)).toEqual([
      "blue DISABLED internal_test hash",
      "green SPLIT ga hash",
    ]);
    expect([ask("ga")(499), ask("ga")(500)].map(said)).toEqual([
      "green SPLIT internal_test hash",
      "blue DISABLED ga hash",
    ]);
  });

  test("a halt of ga stops a flag that is on, a switch of ga does not", () => {
    expect(said(shop({ state: "on" }, { status: { share: 100_000 }, halts: [{ cohort: "ga" }] })(1))).toBe(
      "blue DISABLED ga hash",
    );
    const flags = { "canary.cohort.ga.enabled": off };
    expect(said(shop({ state: "on" }, { status: { share: 100_000 }, flags })(1))).toBe(
      "green DEFAULT ga hash",
    );
    expect(said(shop({ percentage: 50 }, { flags })(1))).toBe("blue DISABLED ga hash");
  });

  test("disabled in the document it is as if it were not there", () => {
    const cohorts = { ...CANARY, friendly_gp: { ...CANARY.friendly_gp, enabled: false } };
    const ask = shop({ cohorts });
    expect([ask(GP), ask(500)].map(said)).toEqual(["blue SPLIT ga hash", "green SPLIT beta hash"]);
  });
});

describe("the switch of all canaries", () => {
  test("sends flags in canary to blue, members too, and leaves those that are on", () => {
    for (const world of [
      { flags: { "system.canary.enabled": { state: "off" } as FlagInput } },
      { kill: "system.canary.enabled" },
    ]) {
      expect(said(shop({ cohorts: CANARY, percentage: 50 }, world)(ENG))).toBe("blue DISABLED ga hash");
      expect(shop({ state: "on" }, { ...world, status: { share: 100_000 } })(1).variant).toBe("green");
    }
    expect(shop({ percentage: 50 }, { flags: { "system.canary.enabled": { state: "on" } } })(1).variant).toBe(
      "green",
    );
  });
});

describe("a halt", () => {
  test.each<[Partial<Halt>, string]>([
    [{ action: "rollback" }, "blue DISABLED ga hash"],
    [{ action: "kill", release: "*" }, "blue DISABLED ga hash"],
    [{ action: "rollback", release: "other" }, "green TARGETING_MATCH internal_test match"],
    [{ action: "pause" }, "green TARGETING_MATCH internal_test match"],
    [{ action: "reduce", cap: 100 }, "green TARGETING_MATCH internal_test match"],
  ])("%j: a member is told %s", (halt, expected) => {
    expect(said(shop({ cohorts: CANARY, percentage: 50 }, { halts: [halt] })(ENG))).toBe(expected);
  });

  test("reduce caps whom the hash has placed, by the flag's share and by a cohort's", () => {
    const ask = shop({ cohorts: CANARY, percentage: 50 }, { halts: [{ action: "reduce", cap: 10_000 }] });
    expect([ask(499), ask(9_999), ask(10_000), ask(30_000)].map(said)).toEqual([
      "green SPLIT internal_test hash",
      "green SPLIT beta hash",
      "blue SPLIT beta hash",
      "blue SPLIT ga hash",
    ]);
    const one = shop(
      { cohorts: CANARY, percentage: 50 },
      { halts: [{ action: "reduce", cohort: "beta", cap: 10_000 }] },
    );
    expect([one(4_999), one(9_999), one(10_000), one(25_000)].map((d) => d.variant)).toEqual([
      "green",
      "green",
      "blue",
      "green",
    ]);
    const on = shop(
      { state: "on" },
      { status: { share: 100_000 }, halts: [{ action: "reduce", cap: 50_000 }] },
    );
    expect([on(49_999), on(50_000)].map((d) => d.variant)).toEqual(["green", "blue"]);
  });
});

describe("an edit that waits to be published", () => {
  const plan = { stages: [{ percentage: 5 }, { percentage: 25 }, { percentage: 100 }] };
  const planned: FlagInput = { state: "canary", plan, cohorts: CANARY };
  const status = { share: 25_000, cohorts: ["internal_test"] };
  const green = (edit: Partial<FlagInput>, who: string | number, alone = false) =>
    shop(planned, { status, edit: { shop: { ...planned, ...edit } }, alone })(who).variant === "green";

  test.each([false, true])("of the notes of a planned flag moves nobody (alone: %s)", (alone) => {
    const answers = [24_999, 25_000, ENG, GP].map((who) => green({ notes: "hm" }, who, alone));
    expect(answers).toEqual([true, false, true, false]);
  });

  test.each<[string, Partial<FlagInput>, number | string, boolean]>([
    ["a percentage set by hand lowers", { percentage: 10 }, 9_999, true],
    ["a percentage set by hand lowers", { percentage: 10 }, 10_000, false],
    ["a percentage set by hand does not raise", { percentage: 90 }, 25_000, false],
    ["the state off lowers", { state: "off" }, 0, false],
    ["a plan taken out leaves the spec's own percentage", { plan: undefined }, 5_000, false],
    ["on raises nothing", { state: "on" }, 25_000, false],
    ["a cohort taken out lowers", { cohorts: {}, percentage: 0.001 }, ENG, false],
    [
      "a cohort disabled lowers",
      { cohorts: { internal_test: { users: [ENG], enabled: false } }, percentage: 0.001 },
      ENG,
      false,
    ],
  ])("%s", (_what, edit, who, expected) => expect(green(edit, who)).toBe(expected));

  test("that brings the first plan is held to no cohorts by an isolate on its own", () => {
    const flag: FlagInput = { state: "canary", cohorts: CANARY };
    const edit = { shop: { ...flag, plan } };
    expect(shop(flag, { edit })(ENG).variant).toBe("green");
    expect(shop(flag, { edit, alone: true })(ENG).variant).toBe("blue");
  });
});

describe("whatever the cohorts", () => {
  const name = fc.constantFrom("a", "b", "c");
  const share = fc.integer({ min: 0, max: 100_000 });
  const people = ["ann", "bob", "eve", ...Array.from({ length: 40 }, (_, i) => `v${i}`)];
  const cohort = fc.record({
    users: fc.subarray(["ann", "bob", "eve"]),
    segments: fc.subarray(["ann", "staff"]),
    percentage: share.map((s) => s / 1000),
    enabled: fc.boolean(),
  });
  const cohorts = fc
    .uniqueArray(fc.tuple(name, cohort), { selector: ([n]) => n })
    .map((list) => Object.fromEntries(list));
  const greens = (flag: Partial<FlagInput>, world: World) => {
    const ask = shop(flag, world);
    return people.filter((id) => ask(id, id === "v1" ? { group: ["staff"] } : {}).variant === "green");
  };
  const missing = (before: string[], after: string[]) => before.filter((id) => !after.includes(id));

  test("a larger share, the next cohort of the plan, a cohort enabled or raised takes nobody off green", () => {
    fc.assert(
      fc.property(cohorts, share, share, fc.subarray(["a", "b", "c"]), name, (all, s, t, on, which) => {
        const before = greens({ cohorts: all }, { status: { share: Math.min(s, t), cohorts: on } });
        const next = { status: { share: Math.max(s, t), cohorts: [...on, which] } };
        expect(missing(before, greens({ cohorts: all }, next))).toEqual([]);
        const one = all[which];
        if (one === undefined) return;
        const raised = { ...one, enabled: true, percentage: Math.max(one.percentage, s / 1000) };
        const after = greens(
          { cohorts: { ...all, [which]: raised } },
          { status: { share: Math.min(s, t), cohorts: on } },
        );
        expect(missing(before, after)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test("a pending edit puts nobody on green whom the published form leaves on blue, nor anyone whom it takes off itself", () => {
    fc.assert(
      fc.property(cohorts, cohorts, share, share, (published, edited, s, t) => {
        const edit: FlagInput = { state: "canary", cohorts: edited, percentage: t / 1000 };
        const waiting = greens({ cohorts: published, percentage: s / 1000 }, { edit: { shop: edit } });
        expect(missing(waiting, greens({ cohorts: published, percentage: s / 1000 }, {}))).toEqual([]);
        expect(missing(waiting, greens(edit, {}))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test("isolates with the same snapshot decide alike", () => {
    fc.assert(
      fc.property(cohorts, share, (all, s) => {
        const world = { status: { share: s, bands: [{ cohort: "a", share: Math.floor(s / 2) }] } };
        const [one, other] = [shop({ cohorts: all }, world), shop({ cohorts: all }, structuredClone(world))];
        for (const id of people) expect(other(id)).toEqual(one(id));
      }),
      { numRuns: 30 },
    );
  });
});

describe("rotation", () => {
  const first = (flag: Partial<FlagInput>) => {
    const ask = shop({ percentage: 10, ...flag });
    return Array.from({ length: 2000 }, (_, i) => `v${i}`).filter((id) => ask(id).variant === "green");
  };

  test("by release draws other early visitors for each, as many by chance in both as there would be", () => {
    const [one, two] = [
      first({ rotate: "release", release: "1" }),
      first({ rotate: "release", release: "2" }),
    ];
    const both = one.filter((id) => two.includes(id)).length;
    expect(Math.abs(one.length - 200)).toBeLessThan(5 * Math.sqrt(180));
    expect(Math.abs(both - 20)).toBeLessThan(5 * Math.sqrt(20));
  });

  test("never: the same are first at each release", () => {
    expect(first({ release: "1" })).toEqual(first({ release: "2" }));
  });
});

describe("the documents' cohorts", () => {
  const text = readFileSync(join(import.meta.dirname, "../../../fixtures/flags/cohorts.json"), "utf8");
  const read = (change: (written: string) => string = (written) => written) => {
    const { flags, faults } = parseDocument(change(text));
    expect(faults).toEqual([]);
    const status = Object.fromEntries([...flags.keys()].map((name) => [name, { generation: "g", share: 0 }]));
    const decided = { enabled: true, flags: Object.fromEntries(flags), status, halts: [], faults: [] };
    const snapshot: Snapshot = { v: 1, revision: 1, at: 0, specHash: "", ...decided };
    const table = compileTable(
      effectiveFlags({ snapshot, document: undefined, kill: "", heardAt: NOW, now: NOW }),
    );
    return (name: string, key: string, group: string[] = []) => {
      const attributes = new Map([["group", group]]);
      return decide(table.flags.get(name)!, { key, placement: "hash", trusted: true, attributes }, 0);
    };
  };
  /** Green of 20,000 visitors, in percent. */
  const greenOf = (ask: ReturnType<typeof read>, name: string, group?: string[]) => {
    let green = 0;
    for (let i = 0; i < 20_000; i++) if (ask(name, `visitor-${i}`, group).variant === "green") green++;
    return green / 200;
  };

  test("the Canary plan's first day: the engineers and half a percent, and each day's cohort beside those before", () => {
    const day = (n: number) =>
      read((written) => {
        let on = written;
        for (let i = 0; i < n; i++) on = on.replace('"enabled": false', '"enabled": true');
        return on;
      });
    const members = ["ada@example.com", "partner-1@example.com", "keen@example.com"];
    const told = (n: number) => members.map((key) => said(day(n)("canary", key)));
    expect(told(0)).toEqual([
      "green TARGETING_MATCH internal_test match",
      "blue SPLIT ga hash",
      "blue SPLIT ga hash",
    ]);
    expect(told(2)).toEqual([
      "green TARGETING_MATCH internal_test match",
      "green TARGETING_MATCH friendly_gp match",
      "green TARGETING_MATCH beta match",
    ]);
    const share = [0, 1, 2].map((n) => greenOf(day(n), "canary"));
    expect(share[0]).toBeCloseTo(0.5, 0);
    expect(Math.abs(share[1]! - 5)).toBeLessThan(0.8);
    expect(Math.abs(share[2]! - 25)).toBeLessThan(1.6);
  });

  test("its switches: one cohort alone, and all", () => {
    const off = (name: string) => (written: string) =>
      written.replace(`"${name}": { "state": "on" }`, `"${name}": { "state": "off" }`);
    expect(said(read(off("canary.cohort.internal_test.enabled"))("canary", "ada@example.com"))).toBe(
      "blue DISABLED internal_test match",
    );
    expect(said(read(off("system.canary.enabled"))("beta-testing", "user-123"))).toBe(
      "blue DISABLED ga hash",
    );
  });

  test("EcoTrips: a tenth of the staff and of the waitlist, and nobody else", () => {
    const ask = read();
    expect(greenOf(ask, "planner_v2")).toBe(0);
    expect(Math.abs(greenOf(ask, "planner_v2", ["sales", "staff"]) - 10)).toBeLessThan(1.1);
    expect(Math.abs(greenOf(ask, "planner_v2", ["beta_waitlist"]) - 10)).toBeLessThan(1.1);
  });

  test("TogetherOS: user and group admit, at 0 % nobody else", () => {
    const ask = read();
    expect(said(ask("beta-testing", "user-456"))).toBe("green TARGETING_MATCH beta match");
    expect(said(ask("beta-testing", "user-457", ["beta-testers"]))).toBe("green TARGETING_MATCH beta match");
    expect(greenOf(ask, "beta-testing")).toBe(0);
  });
});
