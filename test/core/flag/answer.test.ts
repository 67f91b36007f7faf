/** Promises of an answer: the precedence, the time of an override, what is depended on, and that it is the router's. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketFrom, type Evaluation, evaluateAll, evaluateFlag } from "../../../src/core/flag/answer.ts";
import { decide } from "../../../src/core/flag/evaluate.ts";
import type { FlagInput, Value } from "../../../src/core/flag/schema.ts";
import type { Table } from "../../../src/core/flag/table.ts";
import { identify } from "../../../src/router/identity.ts";
import { type Beside, haltOf, ROUTE, served } from "./served.ts";

const NOON = Date.parse("2026-12-01T12:00:00Z");

interface Who {
  key?: string;
  tenant?: string;
  bucket?: number;
  now?: number;
}

function ask(table: Table, name: string, { key = "ann", tenant, bucket, now = NOON }: Who = {}): Evaluation {
  const attributes = tenant === undefined ? {} : { tenant: [tenant] };
  return evaluateFlag(table, name, { targetingKey: key, attributes, bucket }, now);
}

const decidedBy = ({ steps }: Evaluation) => steps.findLast(({ decided }) => decided);
const brief = (answer: Evaluation) => `${answer.variant} ${answer.reason} ${decidedBy(answer)?.step}`;

/** A routed flag, all of whose ways to say yes are open to ann of acme. */
const open: FlagInput = {
  state: "canary",
  percentage: 100,
  route: ROUTE,
  cohorts: { beta: { users: ["ann"] } },
  overrides: { users: { ann: { state: "on" } }, tenants: { acme: { state: "on" } } },
};
const off = { users: { ann: { state: "off" as const } } };
const none = { overrides: {} };
const acme: Who = { tenant: "acme" };
const need: FlagInput = { state: "off" };

describe("precedence", () => {
  test.each<[string, Partial<FlagInput>, Beside, string]>([
    ["the kill key beats all", {}, { kill: "a" }, "blue DISABLED kill"],
    ["the state kill beats all", { state: "kill" }, {}, "blue DISABLED kill"],
    [
      "the command kill beats all",
      {},
      { halts: [haltOf("a", { action: "kill", release: "*" })] },
      "blue DISABLED kill",
    ],
    ["the global switch beats overrides", {}, { enabled: false }, "blue DISABLED switch"],
    ["a halt beats overrides", {}, { halts: [haltOf("a")] }, "blue DISABLED halt"],
    [
      "the halt of a cohort beats overrides of its visitors",
      {},
      { halts: [haltOf("a", { cohort: "beta" })] },
      "blue DISABLED halt",
    ],
    [
      "a user's override beats their tenant's",
      { overrides: { ...open.overrides, ...off } },
      {},
      "blue TARGETING_MATCH override",
    ],
    [
      "a tenant's override beats a hand-written off",
      { state: "off", overrides: { tenants: { acme: { state: "on" } } } },
      {},
      "green TARGETING_MATCH override",
    ],
    [
      "an override beats the environment",
      { environments: ["production"] },
      {},
      "green TARGETING_MATCH override",
    ],
    ["an override beats a dependency", { dependencies: ["need"] }, {}, "green TARGETING_MATCH override"],
    ["an override beats shadow", { state: "shadow", percentage: 0 }, {}, "green TARGETING_MATCH override"],
    ["an override off beats on", { state: "on", overrides: off }, {}, "blue TARGETING_MATCH override"],
    ["an override off beats a cohort", { overrides: off }, {}, "blue TARGETING_MATCH override"],
    [
      "environment goes before on",
      { ...none, state: "on", environments: ["production"] },
      {},
      "blue DISABLED environment",
    ],
    [
      "off goes before dependencies",
      { ...none, state: "off", dependencies: ["need"] },
      {},
      "blue DISABLED state",
    ],
    [
      "dependencies go before on",
      { ...none, state: "on", dependencies: ["need"] },
      {},
      "blue DISABLED dependencies",
    ],
    ["dependencies go before cohorts", { ...none, dependencies: ["need"] }, {}, "blue DISABLED dependencies"],
    ["a cohort goes before the percentage", { ...none, percentage: 0 }, {}, "green TARGETING_MATCH cohort"],
    ["the percentage comes last", { ...none, cohorts: {} }, {}, "green SPLIT percentage"],
    ["on is the default of everyone", { ...none, state: "on" }, {}, "green DEFAULT state"],
    ["shadow is blue", { ...none, state: "shadow", percentage: 0 }, {}, "blue DEFAULT state"],
  ])("%s", (_promise, change, beside, expected) => {
    const table = served({ a: { ...open, ...change }, need }, beside);
    expect(brief(ask(table, "a", acme))).toBe(expected);
  });

  test("an answer has one step that decided, the last that was taken", () => {
    const { steps } = ask(served({ a: open }), "a", acme);
    expect(steps.map(({ step }) => step)).toEqual(["kill", "switch", "halt", "override"]);
    expect(steps.filter(({ decided }) => decided)).toEqual([steps.at(-1)]);
  });
});

describe("an override", () => {
  const until = (expires: string): Table =>
    served({ a: { state: "on", overrides: { users: { ann: { state: "off", expires } } } } });

  test("applies until just before its time, and says so to the minute", () => {
    const table = until("2026-12-01T12:00:00Z");
    const before = ask(table, "a", { now: NOON - 1 });
    expect([before.enabled, decidedBy(before)?.sentence]).toEqual([
      false,
      "Override of the user until 2026-12-01T12:00Z: off",
    ]);
    expect(ask(table, "a", { now: NOON }).enabled).toBe(true);
    expect(ask(until("2026-12-01T13:00:00+01:00"), "a", { now: NOON }).enabled).toBe(true);
  });

  test("that is over leaves the word to that of the tenant", () => {
    const users = { ann: { state: "on" as const, expires: "2026-12-01T12:00:00Z" } };
    const table = served({ a: { state: "on", overrides: { users, tenants: { acme: { state: "off" } } } } });
    expect([ask(table, "a", { ...acme, now: NOON - 1 }).enabled, ask(table, "a", acme).enabled]).toEqual([
      true,
      false,
    ]);
  });

  test("of one tenant of several switches off where any says off", () => {
    const tenants = { acme: { state: "on" as const }, blob: { state: "off" as const } };
    const table = served({ a: { state: "on", overrides: { tenants } } });
    const attributes = { tenant: ["acme", "blob"] };
    expect(evaluateFlag(table, "a", { targetingKey: "x", attributes, bucket: undefined }, 0).enabled).toBe(
      false,
    );
  });

  test("puts nobody on green before halts are known, and takes off at once", () => {
    const cold = served({ a: { ...open, state: "off" } }, { cold: true });
    expect(ask(cold, "a").enabled).toBe(false);
    const down = served({ a: { ...open, state: "on", overrides: off } }, { cold: true });
    expect(ask(down, "a").enabled).toBe(false);
  });

  test("that waits to be published takes off at once and puts nobody on", () => {
    const a: FlagInput = { state: "canary", percentage: 100 };
    const lowered = served({ a }, { edit: { a: { ...a, overrides: off } } });
    const { enabled, steps } = ask(lowered, "a");
    expect([enabled, steps.at(-1)?.sentence]).toEqual([
      false,
      "By the text in KV, which is not published: override of the user: off",
    ]);
    expect(steps.filter(({ decided }) => decided)).toHaveLength(1);
    const on = { users: { ann: { state: "on" as const } } };
    const raised = served({ a: { state: "off" } }, { edit: { a: { state: "off", overrides: on } } });
    expect(ask(raised, "a").enabled).toBe(false);
  });

  test("stays out of comparisons on both sides, and is no sentence that names a person", () => {
    const table = served({ a: open });
    const id = { key: "ann", placement: "hash" as const, trusted: true };
    expect(decide(table.flags.get("a")!, id, NOON)).toMatchObject({ placement: "match", cohort: "beta" });
    expect(JSON.stringify(ask(table, "a", acme).steps)).not.toMatch(/ann|acme/);
  });

  test("matches no key that nobody vouches for", () => {
    const id = { key: "ann", placement: "hash" as const, trusted: false };
    const table = served({ a: { ...open, state: "off" } });
    expect(decide(table.flags.get("a")!, id, NOON).variant).toBe("blue");
  });
});

describe("dependencies", () => {
  test("have to be on for the same key; the answer names the one that is not, and why", () => {
    const table = served({
      a: { state: "on", dependencies: ["b", "c"] },
      b: { state: "on" },
      c: { state: "kill" },
    });
    const answer = ask(table, "a");
    expect(answer).toMatchObject({ enabled: false, reason: "DISABLED", dependency: "c" });
    expect(answer.steps.slice(-2).map(({ sentence }) => sentence)).toEqual([
      "It depends on b, which is on",
      "It depends on c, which is off: its state is kill",
    ]);
  });

  test("go on in turn, each by its own salt, overrides and halts", () => {
    const flags = {
      a: { state: "on" as const, dependencies: ["b"] },
      b: { state: "on" as const, dependencies: ["c"] },
      c: { state: "off" as const, overrides: { tenants: { acme: { state: "on" as const } } } },
    };
    expect(ask(served(flags), "a", acme).enabled).toBe(true);
    expect(ask(served(flags), "a")).toMatchObject({ enabled: false, dependency: "b" });
    expect(ask(served(flags, { halts: [haltOf("c")] }), "a", acme).enabled).toBe(false);
  });

  test("keep visitors away who are then no sample of anything", () => {
    const table = served({
      a: { state: "canary", percentage: 50, dependencies: ["b"] },
      b: { state: "off" },
    });
    const id = { key: "ann", placement: "hash" as const, trusted: true };
    expect(decide(table.flags.get("a")!, id, 0)).toMatchObject({ placement: "match", dependency: "b" });
  });

  test("that an edit adds count at once, and so does what an edit does to them; none go round for ever", () => {
    const a: FlagInput = { state: "on" };
    const added = { a: { ...a, dependencies: ["b"] }, b: { state: "off" as const } };
    expect(ask(served({ a, b: { state: "off" } }, { edit: added }), "a").enabled).toBe(false);
    const turned = served(
      { a: { ...a, dependencies: ["b"] }, b: a },
      { edit: { a, b: { ...a, dependencies: ["a"] } } },
    );
    expect(ask(turned, "a").enabled).toBe(false);
  });
});

test("a flag that names environments counts there alone, and says when this one has no name", () => {
  const a: FlagInput = { state: "on", environments: ["staging", "production"] };
  expect(ask(served({ a }, { environment: "production" }), "a").enabled).toBe(true);
  const sentence = (beside: Beside) => decidedBy(ask(served({ a }, beside), "a"))?.sentence;
  const only = "It counts in staging and production only, and";
  expect(sentence({ environment: "preview" })).toBe(`${only} this is preview: off`);
  expect(sentence({})).toBe(`${only} the variable ENVIRONMENT is not set: off`);
});

describe("a plain flag", () => {
  const variants = { usual: 3, patient: 10, hasty: 1 };
  const retries: FlagInput = {
    state: "canary",
    percentage: 40,
    variants,
    onVariant: "patient",
    offVariant: "usual",
  };

  test("answers the values of its variants, and by an override any of them", () => {
    const tenants = { acme: { state: "on" as const, variant: "hasty" } };
    const table = served({ retries: { ...retries, overrides: { tenants } } });
    const value = (who: Who): [string | null, Value] => {
      const answer = ask(table, "retries", who);
      return [answer.variant, answer.value];
    };
    expect(value({ bucket: 39_999 })).toEqual(["patient", 10]);
    expect(value({ bucket: 40_000 })).toEqual(["usual", 3]);
    expect(value({ tenant: "acme", bucket: 99_999 })).toEqual(["hasty", 1]);
  });

  test("is true or false where it names no variants; a routed one answers blue or green", () => {
    const table = served({ plain: { state: "on" }, routed: { state: "on", route: ROUTE } });
    expect(evaluateAll(table, { targetingKey: "x", attributes: {}, bucket: undefined }, 0)).toMatchObject([
      { flag: "plain", variant: "on", value: true, release: null },
      { flag: "routed", variant: "green", value: "green", release: "unversioned" },
    ]);
  });
});

test("a flag that is not there is an error, not a failure", () => {
  const { reason, variant, enabled, steps } = ask(served({}), "nothing");
  expect([reason, variant, enabled, steps[0]?.sentence]).toEqual([
    "ERROR",
    null,
    false,
    "FLAG_NOT_FOUND: there is no flag nothing",
  ]);
});

test.each([
  [45, "0.27", true],
  [45, "0.45", false],
  [45, "0.4499999", true],
  [29, "0.29", false],
  [29, "0.28999", true],
  [0.29, "0.0029", false],
  [100, "0.99999", true],
])("at %d %% bucket %s is enabled: %s", (percentage, bucket, enabled) => {
  const table = served({ planner: { state: "canary", percentage } });
  const answer = ask(table, "planner", { bucket: bucketFrom(bucket) });
  expect([answer.enabled, answer.threshold]).toEqual([enabled, percentage]);
});

test("the threshold is that of a cohort where its percentage is for them, so that it says why", () => {
  const table = served({
    planner: { state: "canary", cohorts: { staff: { percentage: 10, segments: ["staff"] } } },
  });
  const asked = (bucket: string, group: string) => {
    const context = { targetingKey: "ann", attributes: { group: [group] }, bucket: bucketFrom(bucket) };
    const { enabled, threshold } = evaluateFlag(table, "planner", context, NOON);
    return { enabled, threshold };
  };
  expect(asked("0.05", "staff")).toEqual({ enabled: true, threshold: 10 });
  expect(asked("0.1", "staff")).toEqual({ enabled: false, threshold: 10 });
  expect(asked("0.05", "guests")).toEqual({ enabled: false, threshold: 0 });
});

test("the step of a percentage says what was compared", () => {
  const table = served({ planner: { state: "canary", percentage: 45 } });
  const said = (bucket: number) => decidedBy(ask(table, "planner", { bucket }))?.sentence;
  expect(said(27_000)).toBe("Bucket 27,000 is below 45,000: 45 % of visitors");
  expect(said(45_000)).toBe("Bucket 45,000 is not below 45,000: 45 % of visitors");
});

test("a bucket goes by its digits, and what is none is refused", () => {
  const good = {
    "0": 0,
    "0.0": 0,
    ".5": 50_000,
    "0.29": 29_000,
    "0.4499999": 44_999,
    "1e-7": 0,
    "0.99999": 99_999,
  };
  for (const [text, bucket] of Object.entries(good)) expect(bucketFrom(text)).toBe(bucket);
  for (const text of ["", "1", "1.0", "-0.1", "0,5", "NaN", "1e-2", "0x1", "27000"])
    expect(() => bucketFrom(text), text).toThrow(RangeError);
});

const state = fc.constantFrom("off" as const, "canary" as const, "on" as const, "kill" as const);
const own = fc.record({ state: fc.constantFrom("on" as const, "off" as const) });
const person = fc.constantFrom("ann", "bob", "eve");
const tenant = fc.constantFrom("acme", "blob");
const anyFlag = fc.record({
  state,
  percentage: fc.integer({ min: 0, max: 100 }),
  environments: fc.constantFrom<string[]>([], ["here"], ["there"]),
  overrides: fc.record({ users: fc.dictionary(person, own), tenants: fc.dictionary(tenant, own) }),
  cohorts: fc.constantFrom<NonNullable<FlagInput["cohorts"]>>({}, { beta: { tenants: ["blob"] } }),
});
/** Flags of which each may depend on those after it. */
const anyFlags = fc
  .tuple(anyFlag, anyFlag, anyFlag, fc.subarray(["b", "c"]), fc.subarray(["c"]))
  .map(([a, b, c, ofA, ofB]) => ({ a: { ...a, dependencies: ofA }, b: { ...b, dependencies: ofB }, c }));

test("the answer is what a request with this key and tenant gets", () => {
  fc.assert(
    fc.property(anyFlags, person, tenant, (flags, key, of) => {
      const routed = {
        ...flags.a,
        route: ROUTE,
        stickBy: "header:x-user",
        context: { tenant: "header:x-tenant" },
      };
      const table = served({ ...flags, a: routed }, { environment: "here" });
      const flag = table.flags.get("a")!;
      const request = decide(flag, identify(flag, new Headers({ "x-user": key, "x-tenant": of })), NOON);
      const answer = ask(table, "a", { key, tenant: of });
      const { variant, reason, cohort, bucket } = request;
      expect(answer).toMatchObject({ variant, reason, cohort, bucket });
      expect(answer.steps.filter(({ decided }) => decided)).toHaveLength(1);
    }),
    { numRuns: 400 },
  );
});

test("a raise of any percentage takes nobody off, whatever overrides and dependencies say", () => {
  const which = fc.constantFrom("a" as const, "b" as const, "c" as const);
  fc.assert(
    fc.property(
      anyFlags,
      which,
      fc.integer({ min: 0, max: 100 }),
      fc.string(),
      person,
      (flags, name, to, id, who) => {
        const raised = { ...flags[name], percentage: Math.max(to, flags[name].percentage) };
        const after = served({ ...flags, [name]: raised }, { environment: "here" });
        const before = served(flags, { environment: "here" });
        for (const key of [id, who]) {
          if (ask(before, "a", { key }).enabled) expect(ask(after, "a", { key }).enabled).toBe(true);
        }
      },
    ),
    { numRuns: 300 },
  );
});
