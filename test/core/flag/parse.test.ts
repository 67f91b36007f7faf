/** Promises of reading a flag document: every fault with its place, neighbours unharmed, nothing thrown. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_FAULTS } from "../../../src/core/flag/faults.ts";
import { MAX_BYTES, MAX_FILLED, MAX_FLAGS, parseDocument } from "../../../src/core/flag/parse.ts";
import { type FlagInput, flagFields } from "../../../src/core/flag/schema.ts";

const fixture = (name: string) =>
  readFileSync(join(import.meta.dirname, "../../../fixtures/flags", name), "utf8");
const route = { blue: "https://blue.example.com", green: "service:GREEN" };
const documentOf = (flags: Record<string, unknown>) => JSON.stringify({ flags });
const said = (text: string) => parseDocument(text).faults.map((f) => [f.path, f.message]);

const NAME = "is not a name: at most 64 letters, digits and . _ + -, a letter or digit first";
const HOST = "is not a host in lower case without port: shop.example.com, *.example.com or *";
const PATH = "is not an exact path (/cart) or a prefix that ends in /* (/shop/*)";
const ORIGIN =
  "is not an origin such as https://blue.example.com, without path or credentials, or a binding such as service:BLUE";

const METRICS = `"evidence", "error_rate", "success_rate", "timeout_rate", "latency_p50", "latency_p75", "latency_p95", "latency_p99", "value_p50", "value_p75", "value_p95", "value_p99", "consecutive_errors", "requests", "visitors", "event_count", "adoption", "gauge", "health_check", "alerts", "slos", "smoke_test"`;
const ONE_LIMIT = "a condition with exactly one of above, atLeast, below, atMost";

test("the example, which uses every field, has no fault", () => {
  const { enabled, flags, broken, faults } = parseDocument(fixture("example.json"));
  expect(faults).toEqual([]);
  expect([enabled, [...flags.keys()], broken.size]).toEqual([
    true,
    ["checkout", "payments-v2", "max-retries", "search-ranking"],
    0,
  ]);
  // A routed flag has no variants of its own.
  const used = new Set([...Object.keys(flags.get("checkout")!), ...Object.keys(flags.get("max-retries")!)]);
  expect([...used].sort()).toEqual(Object.keys(flagFields.shape).sort());
  expect(Object.keys(flags.get("checkout")!.route!).sort()).toEqual(
    Object.keys(flagFields.shape.route.unwrap().shape).sort(),
  );
});

describe("the broken document", () => {
  const document = parseDocument(fixture("broken.json"));

  test("is reported with all of its faults in one pass, each with its path", () => {
    expect(document.faults.map((f) => [f.path, f.message])).toEqual([
      ["enabeld", 'unknown key; did you mean "enabled"?'],
      [
        "flags.values.state",
        '"cannary" is not one of "off", "shadow", "canary", "on", "kill"; did you mean "canary"?',
      ],
      ["flags.values.percentage", '"45%" is not a number'],
      ["flags.values.release", `"2.1 final" ${NAME}`],
      [
        "flags.values.stickBy",
        '"cookies:session" is not one of visitor, ip, header:NAME, cookie:NAME or jwt:CLAIM',
      ],
      ["flags.values.fallback", '"red" is not one of "blue", "green"'],
      ["flags.values.cohorts.beta.enabled", '"yes" is not a boolean'],
      ["flags.values.cohorts.beta.users", "a string of 3 characters is not a list"],
      ['flags.values.cohorts["no spaces"]', `"no spaces" ${NAME}`],
      ["flags.finer-than-a-bucket.percentage", "0.0005 is not a percentage with at most three decimals"],
      ["flags.more-than-all.percentage", "101 is not a number of at most 100"],
      ["flags.shadow.notes", "5 is not a string"],
      ["flags.shadow.percentage", "10 is not 0 while the state is shadow"],
      ["flags.keys.state", "missing"],
      ["flags.keys.route.green", "missing"],
      ["flags.keys.route.gren", 'unknown key; did you mean "green"?'],
      ["flags.keys.State", 'unknown key; did you mean "state"?'],
      ["flags.keys.percent", "unknown key"],
      ["flags.routes.route.hosts[0]", `"Shop.example.com" ${HOST}`],
      ["flags.routes.route.hosts[1]", `"shop.example.com:8080" ${HOST}`],
      ["flags.routes.route.paths[0]", `"checkout" ${PATH}`],
      ["flags.routes.route.paths[1]", `"/shop*" ${PATH}`],
      ["flags.routes.route.paths[2]", `"/cart?x=1" ${PATH}`],
      ["flags.routes.route.blue", `"https://blue.example.com/path" ${ORIGIN}`],
      ["flags.routes.route.green", `"http://[green" ${ORIGIN}`],
      ["flags.routes.route.timeout", "0 is not a number above 0"],
      ["flags.routes.route.rescue", '"always" is not one of "unreachable", "any-5xx", "off"'],
      ["flags.routes.route.errorStatuses[1]", "500 is not a number of at most 499"],
      ["flags.routes.route.breaker.failureThreshold", "0 is not a number of at least 1"],
      ["flags.routes.route.retry.attempts", "missing"],
      ["flags.rules.rules[0].metric", `"errors" is not one of ${METRICS}`],
      ["flags.rules.rules[1]", `an object is not ${ONE_LIMIT}`],
      ["flags.rules.rules[2]", `an object is not ${ONE_LIMIT}`],
      ["flags.rules.rules[3].minRequest", 'unknown key; did you mean "minRequests"?'],
      ["flags.rules.rules[3].above", "5 is not a ratio from 0 to 1: 0.05 is 5 %"],
      ["flags.rules.rules[4].count", "unknown key"],
      ["flags.rules.rules[4]", `an object is not ${ONE_LIMIT}`],
      ["flags.rules.rules[5]", '"error_rate > 5%" is not an object'],
      ['flags["not/a/name"]', `"not/a/name" ${NAME}`],
      ["flags.twice.state", "this key stands twice in one object"],
      ["flags.prototype.cohorts.__proto__", "this key is not allowed"],
      [
        "flags.zz-shadowed.route.paths[1]",
        "/healthy/* on host * is routed by flag healthy too, which wins because its name sorts first",
      ],
    ]);
  });

  test("says for every fault what was expected", () => {
    expect(document.faults.filter((f) => f.expected === "")).toEqual([]);
    const expected = Object.fromEntries(document.faults.map((f) => [f.path, f.expected]));
    expect(expected["flags.keys.state"]).toBe('one of "off", "shadow", "canary", "on", "kill"');
    expect(expected["flags.rules.rules[1]"]).toBe(ONE_LIMIT);
    expect(expected["flags.rules.rules[4].count"]).toBe(
      "one of metric, above, atLeast, below, atMost, window, minRequests, minVisitors, scope, within, onSharedOutage, action",
    );
  });

  test("keeps the flags that are good, the shadowed one too, and names those that are not", () => {
    expect([...document.flags.keys()]).toEqual(["healthy", "zz-shadowed"]);
    expect([...document.broken.keys()]).toHaveLength(10);
    expect(document.broken.get("shadow")!.map((f) => f.path)).toEqual([
      "flags.shadow.notes",
      "flags.shadow.percentage",
    ]);
    expect(document.enabled).toBe(true);
  });
});

test.each([
  ["", "not JSON: line 1, column 1: the text ends"],
  ["\u0000", 'not JSON: line 1, column 1: found "\\u0000"'],
  ['{\n  "flags": {\n    "a": { "state": "on", }\n  }\n}', 'not JSON: line 3, column 27: found "}"'],
  ['{"flags": {} "enabled": true}', 'not JSON: line 1, column 14: found "\\""'],
  ["{'flags': {}}", 'not JSON: line 1, column 2: found "\'"'],
  ['{"flags": yes}', 'not JSON: line 1, column 11: found "yes"'],
  ['{"flags": {}}\n}', 'not JSON: line 2, column 1: found "}"'],
  ['{"flags": "', "not JSON: line 1, column 12: the text ends"],
  ['"\\x"', 'not JSON: line 1, column 2: found "\\\\"'],
  ["[]", "an empty list is not an object with the key flags"],
  ["null", "null is not an object with the key flags"],
])("%j cannot be read: %s", (text, message) => {
  const document = parseDocument(text);
  expect(document.faults.map((f) => [f.path, f.message])).toEqual([["", message]]);
  expect([document.enabled, document.flags.size, document.broken.size]).toEqual([undefined, 0, 0]);
});

test.each([
  [
    '{"flag":{}}',
    [
      ["flags", "missing"],
      ["flag", 'unknown key; did you mean "flags"?'],
    ],
  ],
  ['{"flags":[1]}', [["flags", "a list of 1 is not an object"]]],
  ['{"flags":{},"flags":{}}', [["flags", "this key stands twice in one object"]]],
])("%s holds no flags, and the switch cannot be told", (text, faults) => {
  expect(said(text)).toEqual(faults);
  expect(parseDocument(text).enabled).toBeUndefined();
});

test("a switch that cannot be told does not break the flags", () => {
  for (const enabled of ['"enabled":"no"', '"enabled":true,"enabled":false']) {
    const document = parseDocument(`{${enabled},"flags":{"a":{"state":"on"}}}`);
    expect([document.enabled, [...document.flags.keys()], document.faults.length]).toEqual([
      undefined,
      ["a"],
      1,
    ]);
  }
});

test("a byte order mark is skipped", () => {
  expect(parseDocument(`\ufeff${documentOf({ a: { state: "on" } })}`).flags.size).toBe(1);
});

test("a flag that stands twice is not guessed at", () => {
  const document = parseDocument('{"flags":{"a":{"state":"on"},"a":{"state":"off"},"b":{"state":"off"}}}');
  expect([[...document.flags.keys()], [...document.broken.keys()]]).toEqual([["b"], ["a"]]);
});

test("a flag called __proto__ breaks nothing", () => {
  const document = parseDocument('{"flags":{"__proto__":{"state":"on"},"constructor":{"state":"on"}}}');
  expect([[...document.flags.keys()], [...document.broken.keys()]]).toEqual([["constructor"], ["__proto__"]]);
  expect(({} as { state?: string }).state).toBeUndefined();
});

test.each<[Record<string, unknown>, ...[string, string][]]>([
  [
    { rules: [{ metric: "error_rate", above: 0.1, action: "halt" }] },
    ["rules[0].action", '"halt" is not one of "alert", "pause", "reduce", "rollback"'],
  ],
  [{ rules: [{ above: 0.1 }] }, ["rules[0].metric", "missing"]],
  [{ rules: [{ metric: "latency_p95" }] }, ["rules[0]", `an object is not ${ONE_LIMIT}`]],
  [
    { rules: [{ metric: "error_rate", abov: 1 }] },
    ["rules[0].abov", 'unknown key; did you mean "above"?'],
    ["rules[0]", `an object is not ${ONE_LIMIT}`],
  ],
  [
    {
      rules: [
        { metric: "evidence" },
        { metric: "error_rate", above: 0.1 },
        { metric: "evidence", alpha: 0.01 },
      ],
    },
    ["rules[2]", "an object is not the only rule with the metric evidence"],
  ],
  [
    { rules: [{ metric: "evidence", signals: [] }] },
    ["rules[0].signals", "an empty list is not a list of at least 1"],
  ],
  [
    { rules: [{ metric: "evidence", signals: ["errors", "errors"] }] },
    ["rules[0].signals", "a list of 2 is not a list that names each signal once"],
  ],
  [
    { rules: [{ metric: "evidence", alpha: 0.5 }] },
    ["rules[0].alpha", "0.5 is not a number of at most 0.05"],
  ],
  [
    {
      rules: [
        { metric: "latency_p95", above: 900, guarded: true },
        { metric: "evidence", signals: ["errors"] },
      ],
    },
    ["rules[0].guarded", "true is not false while the rule evidence does not compare latency"],
  ],
  [{ rules: "none" }, ["rules", '"none" is not a list']],
  [
    { rules: [{ metric: "error_rat", above: 0.1 }] },
    ["rules[0].metric", `"error_rat" is not one of ${METRICS}; did you mean "error_rate"?`],
  ],
  [
    { rules: [{ metric: "non_inferiority", margin: 0.01 }] },
    ["rules[0].metric", `"non_inferiority" is not one of ${METRICS}`],
  ],
  [
    { rules: [{ metric: "error_rate", above: "5%" }] },
    ["rules[0].above", '"5%" is not a number or an object'],
  ],
  [
    { rules: [{ metric: "error_rate", above: { plus: 0.1, times: 2 } }] },
    ["rules[0].above", "more than one of plus, times"],
  ],
  [
    { rules: [{ metric: "error_rate", above: { plus: 2 } }] },
    ["rules[0].above.plus", "2 is not points as a ratio from 0 to 1: 0.02 is 2 points"],
  ],
  [{ rules: [{ metric: "event_count", atLeast: 1 }] }, ["rules[0].event", "missing"]],
  [
    { rules: [{ metric: "timeout_rate", event: "payment", above: 0.1 }] },
    ["rules[0].event", '"payment" is not absent: an event has no timeouts'],
  ],
  [{ rules: [{ metric: "value_p75", above: 2 }] }, ["rules[0].event", "missing"]],
  [
    { rules: [{ metric: "latency_p95", above: { sigma: 3 } }] },
    ["rules[0].above", "an object is not a limit without sigma: latency_p95 has no history for it"],
  ],
  [
    { rules: [{ metric: "gauge", gauge: "cpu", above: { plus: 3 } }] },
    ["rules[0].above", "an object is not a number: gauge has no baseline"],
  ],
  [
    { rules: [{ metric: "consecutive_errors", atLeast: 2.5 }] },
    ["rules[0].atLeast", "2.5 is not a whole number of at least 0"],
  ],
  [
    { rules: [{ metric: "error_rate", event: "payment", above: 0.1, guarded: true }] },
    ["rules[0].guarded", "true is not false with an event: evidence compares requests"],
  ],
  [{ stickBy: [] }, ["stickBy", "an empty list is not a list of at least 1"]],
  [
    { stickBy: 5 },
    ["stickBy", "5 is not one of visitor, ip, header:NAME, cookie:NAME or jwt:CLAIM or a list"],
  ],
  [
    { stickBy: ["ip", "host"] },
    ["stickBy[1]", '"host" is not one of visitor, ip, header:NAME, cookie:NAME or jwt:CLAIM'],
  ],
])("%j is explained by what it comes closest to", (fields, ...faults) => {
  expect(said(documentOf({ a: { state: "on", ...fields } }))).toEqual(
    faults.map(([path, message]) => [`flags.a.${path}`, message]),
  );
});

test("keys that are no plain words stand in brackets", () => {
  expect(said(documentOf({ "checkout.v2": { state: "on", percentage: -1 } }))).toEqual([
    ['flags["checkout.v2"].percentage', "-1 is not a number of at least 0"],
  ]);
});

test("more than 1 MB is refused, just as much is not", () => {
  const empty = documentOf({ a: { state: "on", notes: "" } });
  const full = empty.replace('""', `"${"x".repeat(MAX_BYTES - empty.length)}"`);
  expect(parseDocument(full).flags.size).toBe(1);
  expect(said(full.replace("xx", "xxx"))).toEqual([["", "more than 1048576 bytes (1 MB)"]]);
  expect(said(full.replace("xx", "xü"))).toEqual([["", "more than 1048576 bytes (1 MB)"]]);
});

test("a flag whose defaults would not fit into a stored row is broken, and its neighbours go on", () => {
  const cohorts = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`c${i}`, {}]));
  const document = parseDocument(documentOf({ big: { state: "on", cohorts }, small: { state: "on" } }));
  expect([...document.broken.keys()]).toEqual(["big"]);
  expect([...document.flags.keys()]).toEqual(["small"]);
});

test("a document of 1 MB of faults is cut short", () => {
  const flags = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`f${i}`, 0]));
  const document = parseDocument(documentOf(flags));
  expect(document.broken.size).toBe(20_000);
  expect(document.faults).toHaveLength(MAX_FAULTS + 1);
  expect(document.faults.at(-1)!.message).toBe("19900 more faults, not listed");
});

test("too many flags or routes break those that are too many", () => {
  const on: FlagInput = { state: "on" };
  const many = Object.fromEntries(Array.from({ length: MAX_FLAGS + 1 }, (_, i) => [`f${i}`, on]));
  expect([...parseDocument(documentOf(many)).broken.keys()]).toEqual([`f${MAX_FLAGS}`]);
  const hosts = Array.from({ length: 300 }, (_, i) => `h${i}`);
  const paths = Array.from({ length: 300 }, (_, i) => `/p${i}`);
  const wide = parseDocument(
    documentOf({ wide: { ...on, route: { ...route, hosts, paths } }, ok: { ...on, route } }),
  );
  expect([[...wide.flags.keys()], [...wide.broken.keys()]]).toEqual([["ok"], ["wide"]]);
});

test("no nesting is too deep", () => {
  const deep = `${"[".repeat(400_000)}${"]".repeat(400_000)}`;
  expect(said(`{"flags":{"a":${deep}}}`)).toEqual([["flags.a", "a list of 1 is not an object"]]);
  expect(said(`{"flags":{"a":{"state":"on","variants":{"on":${deep},"off":[]}}}}`)).toEqual([
    ["flags.a.variants.on", "a list of 1 is not JSON that is nested at most 32 deep"],
  ]);
  expect(said("[".repeat(1_000_000))).toEqual([["", "not JSON: line 1, column 1000001: the text ends"]]);
});

test("parsing what was parsed changes nothing", () => {
  const first = parseDocument(fixture("example.json"));
  const second = parseDocument(documentOf(Object.fromEntries(first.flags)));
  expect(second.flags).toEqual(first.flags);
});

describe("groups", () => {
  test("and cohorts are told of their faults without any id of a person, for faults are logged", () => {
    const id = `ann@example.com${"x".repeat(300)}`;
    const cohort = { users: [4711, id], segments: [id] };
    const flags = { a: { state: "canary", cohorts: { beta: cohort } } };
    const { faults } = parseDocument(JSON.stringify({ groups: { staff: [id] }, flags }));
    expect(faults.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "groups.staff[0]: a string of 315 characters is not a string of at most 256 characters",
      "flags.a.cohorts.beta.users[0]: a number is not a string",
      "flags.a.cohorts.beta.users[1]: a string of 315 characters is not a string of at most 256 characters",
      "flags.a.cohorts.beta.segments[0]: a string of 315 characters is not a string of at most 256 characters",
    ]);
  });

  const flag = (cohort: object) => ({ state: "canary", cohorts: { beta: cohort } });
  const parsed = (groups: unknown, cohort: object) =>
    parseDocument(JSON.stringify({ groups, flags: { a: flag(cohort), other: { state: "on" } } }));
  const beta = (groups: unknown, cohort: object) => parsed(groups, cohort).flags.get("a")?.cohorts.beta;

  test("give way to their members in users and segments, in groups of the visitor they do not", () => {
    const groups = { eng: ["ann", "bob"], qa: ["bob", "eve"] };
    const cohort = { users: ["zoe", "eng", "qa"], segments: ["eng"], groups: ["eng"] };
    expect(beta(groups, cohort)).toMatchObject({
      users: ["zoe", "ann", "bob", "eve"],
      segments: ["ann", "bob"],
      groups: ["eng"],
    });
  });

  test("may name others, in a circle too, so that reading what was read changes nothing", () => {
    const groups = { all: ["eng", "zoe"], eng: ["ann", "all"] };
    const first = beta(groups, { users: ["all"] });
    expect(first!.users.toSorted()).toEqual(["ann", "zoe"]);
    expect(beta(groups, first!)).toEqual(first);
  });

  test("that are empty leave nobody, and never open the percentage to everyone", () => {
    expect(beta({ eng: [] }, { users: ["eng"], segments: ["eng"] })).toMatchObject({
      users: [],
      segments: ["eng"],
    });
  });

  test("that are broken break the flags that name them and no others", () => {
    const groups = { eng: "ann", "no spaces": [], nested: ["eng"], ok: ["ann"] };
    const document = parsed(groups, { users: ["nested"] });
    expect(document.faults.map((f) => [f.path, f.message])).toEqual([
      ["groups.eng", "a string of 3 characters is not a list"],
      ['groups["no spaces"]', `"no spaces" ${NAME}`],
      ["groups.nested", '"eng" is not a group without faults'],
      ["flags.a.cohorts.beta.users[0]", '"nested" is not an id, or a group without faults'],
    ]);
    expect([...document.flags.keys()]).toEqual(["other"]);
    expect(beta(groups, { users: ["ok"] })!.users).toEqual(["ann"]);
    expect(beta("none", { users: ["zoe"] })).toBeUndefined();
    expect(beta("none", { groups: ["zoe"] })).toBeDefined();
  });

  test("are never more than a list takes", () => {
    const ids = Array.from({ length: 6000 }, (_, i) => `u${i}`);
    const groups = { one: ids, two: ids.map((id) => `x${id}`), both: ["one", "two"] };
    expect(said(JSON.stringify({ groups, flags: {} }))).toEqual([
      ["groups.both", "a list of 2 is not a group of at most 10000 members"],
    ]);
    const { both: _, ...good } = groups;
    expect(parsed(good, { users: ["one", "two"] }).faults).toEqual([
      {
        path: "flags.a.cohorts.beta.users",
        message: "more than 10000 ids with the members of the groups",
        expected: "at most 10000 ids with the members of the groups",
      },
    ]);
    expect(beta(good, { users: ["one"] })!.users).toHaveLength(6000);
  });
});

describe("plans", () => {
  const stages = [{ percentage: 5 }, { percentage: 100 }];
  const parsed = (plans: unknown, plan: unknown, more: object = {}) =>
    parseDocument(
      JSON.stringify({ plans, flags: { a: { state: "canary", plan, ...more }, b: { state: "on" } } }),
    );

  test("are looked up in the document first, then among the ready-made ones, and go into the flag", () => {
    const own = parsed({ togetheros: { stages } }, "togetheros").flags.get("a")!.plan!;
    expect([own.name, own.stages.map((s) => s.percentage)]).toEqual(["togetheros", [5, 100]]);
    const ready = parsed({}, "togetheros").flags.get("a")!;
    expect(ready.plan!.stages.map((s) => s.percentage)).toEqual([10, 50, 100]);
    const again = parseDocument(documentOf({ a: ready }));
    expect([again.faults, again.flags.get("a")]).toEqual([[], ready]);
  });

  test("that are broken break the flags that name them, each fault with its path", () => {
    const plans = {
      mine: { stages: [{ percentage: 5, exit: [{ metric: "error_rat", below: 1 }] }] },
      ok: { stages },
    };
    const document = parsed(plans, "mine");
    expect(document.faults.map((f) => f.path)).toEqual([
      "plans.mine.stages[0].exit[0].metric",
      "flags.a.plan",
    ]);
    expect(document.faults[0]!.message).toMatch(/did you mean "error_rate"\?$/);
    expect([...document.flags.keys()]).toEqual(["b"]);
    expect(parsed(plans, "ok").flags.has("a")).toBe(true);
    expect([...parsed("none", "togetheros").broken.keys()]).toEqual(["a"]);
    expect([...parsed("none", { stages }).flags.keys()]).toEqual(["a", "b"]);
  });

  test("of no name that is known are faults", () => {
    const { faults } = parsed({}, "togetherus");
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ path: "flags.a.plan" });
    expect(faults[0]!.message).toMatch(/^"togetherus" is not a plan of the document or one of /);
  });

  test("name cohorts that the flag has, and sets of objectives that it or they have", () => {
    const cohort = { stages: [{ cohort: "beta" }] };
    const paths = (document: ReturnType<typeof parsed>) => document.faults.map((f) => f.path);
    expect(paths(parsed({}, cohort))).toEqual(["flags.a.plan.stages[0].cohort"]);
    expect(paths(parsed({ mine: cohort }, "mine"))).toEqual(["flags.a.plan"]);
    expect(paths(parsed({ mine: cohort }, "mine", { cohorts: { beta: {} } }))).toEqual([]);
    const met = { metric: "slos", set: "calm", are: "met" };
    const calm = { calm: [{ metric: "error_rate", below: 0.01 }] };
    const gated = { stages: [{ percentage: 5, entry: [met], exit: [met] }] };
    expect(paths(parsed({}, gated))).toEqual([
      "flags.a.plan.stages[0].entry[0].set",
      "flags.a.plan.stages[0].exit[0].set",
    ]);
    expect(paths(parsed({}, gated, { slos: calm }))).toEqual([]);
    expect(paths(parsed({}, { ...gated, slos: calm }))).toEqual([]);
    expect(paths(parsed({}, undefined, { rules: [met] }))).toEqual(["flags.a.rules[0].set"]);
  });
});

test("notifications that are broken are undefined, and break nothing else", () => {
  const notify = {
    receivers: { ops: { type: "slak", url: "secret:OPS" } },
    routes: [{ on: ["halt"], to: ["ops"] }],
  };
  const document = parseDocument(JSON.stringify({ notify, flags: { a: { state: "on" } } }));
  expect(document.faults.map((f) => [f.path, f.message])).toEqual([
    [
      "notify.receivers.ops.type",
      '"slak" is not one of "slack", "pagerduty", "webhook"; did you mean "slack"?',
    ],
  ]);
  expect([document.notify, document.flags.size]).toEqual([undefined, 1]);
  expect(parseDocument('{"flags":{}}').notify).toEqual({ receivers: {}, routes: [], dryRun: false });
  expect(parseDocument('{"notify":{},"notify":{},"flags":{}}').notify).toBeUndefined();
});

test("a part that stands twice breaks only what needs it", () => {
  const text = `{"groups":{},"groups":{},"plans":{},"plans":{},"flags":{"a":{"state":"on"},
    "b":{"state":"canary","plan":"togetheros"},"c":{"state":"canary","cohorts":{"x":{"users":["ann"]}}}}}`;
  expect([...parseDocument(text).flags.keys()]).toEqual(["a"]);
});

test("plans and groups cannot blow a document up beyond what fits into one KV value", () => {
  const crowd = Array.from({ length: 9000 }, (_, i) => `somebody-${String(i).padStart(4, "0")}@example.com`);
  const flags = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [
      `f${i}`,
      { state: "canary", cohorts: { x: { users: ["crowd"] } } },
    ]),
  );
  const document = parseDocument(JSON.stringify({ groups: { crowd }, flags }));
  const size = [...document.flags.values()].reduce((sum, flag) => sum + JSON.stringify(flag).length, 0);
  expect(size).toBeLessThanOrEqual(MAX_FILLED);
  expect(document.broken.size).toBeGreaterThan(0);
  expect(document.flags.size + document.broken.size).toBe(60);
});

test("a gate that is neither a condition nor a sign-off is explained by what it comes closest to", () => {
  const said = (gate: object) =>
    parseDocument(
      documentOf({ a: { state: "canary", plan: { stages: [{ percentage: 5, exit: [gate] }] } } }),
    ).faults.map((f) => `${f.path.replace("flags.a.plan.stages[0].exit[0]", "")} ${f.message.slice(0, 40)}`);
  expect(said({ metric: "error_rat", below: 1 })[0]).toMatch(/^\.metric "error_rat" is not one of /);
  expect(said({ signOff: "product_owner" })).toEqual([".what missing"]);
  expect(said({ signOf: "po", what: "go" })).toEqual([".signOff missing", ".signOf unknown key"]);
});

test("a key of another kind of rule is not offered for itself", () => {
  const rules = [{ metric: "evidence", minRequests: 5 }];
  expect(said(documentOf({ a: { state: "off", rules } }))).toEqual([
    ["flags.a.rules[0].minRequests", "unknown key"],
  ]);
});

describe("whatever the text", () => {
  /** Good as it is or with one change: close to the documents that people write. */
  const words = fc.constantFrom(
    "flags",
    "state",
    "route",
    "rules",
    "hosts",
    "stickBy",
    "on",
    "canary",
    "__proto__",
    "a",
    "cohorts",
  );
  const nested = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.oneof(words, fc.double(), fc.boolean(), fc.constant(null)),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.array(fc.tuple(words, tie("value")), { maxLength: 6 }).map((pairs) => Object.fromEntries(pairs)),
    ),
  })).value;
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    nested.map((value) => JSON.stringify({ flags: { a: value } }) ?? ""),
    nested.map((value) => JSON.stringify({ flags: { a: { state: "on", rules: [value], route: value } } })),
    fc.tuple(nested, nested).map(([part, value]) => {
      const a = { state: "canary", plan: value, cohorts: { a: value, on: { users: ["a"] } } };
      const plans = { a: part, on: { stages: [part] } };
      return JSON.stringify({ groups: { a: part, on: ["a"] }, plans, notify: part, flags: { a } });
    }),
    fc
      .tuple(fc.nat(fixture("broken.json").length), fc.nat(8), fc.string({ maxLength: 3 }))
      .map(
        ([at, cut, put]) =>
          fixture("broken.json").slice(0, at) + put + fixture("broken.json").slice(at + cut),
      ),
  );

  test("nothing is thrown, faults are complete and short, and no flag is both good and broken", () => {
    fc.assert(
      fc.property(text, (t) => {
        const document = parseDocument(t);
        for (const { path, message, expected } of document.faults) {
          expect(message).not.toBe("");
          expect(expected).not.toBe("");
          expect(path.length + message.length + expected.length).toBeLessThan(2000);
        }
        for (const [name, faults] of document.broken) {
          expect(document.flags.has(name)).toBe(false);
          expect(faults.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("it is JSON for us exactly when it is for the platform", () => {
    fc.assert(
      fc.property(text, (t) => {
        let isJson = true;
        try {
          JSON.parse(t);
        } catch {
          isJson = false;
        }
        const refused = parseDocument(t).faults.some((f) => f.message.startsWith("not JSON"));
        expect(refused).toBe(!isJson && !t.startsWith("\ufeff"));
      }),
      { numRuns: 1000 },
    );
  });
});
