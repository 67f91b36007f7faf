/** Promises of rules that look further than the last minute: what fires, what decides, and what cannot be told. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JudgeInput, type Judgement, judge } from "../../../src/core/analysis/judge.ts";
import { newWindow } from "../../../src/core/analysis/window.ts";
import { stage as stageSchema } from "../../../src/core/flag/plan.ts";
import { type Flag, type FlagInput, flagSchema } from "../../../src/core/flag/schema.ts";
import { NOW, view } from "./counts.ts";
import { telemetryOf, type Words, windowFor } from "./made-up.ts";

type RuleInput = NonNullable<FlagInput["rules"]>[number];

function flagOf(rules: RuleInput[], more: Partial<FlagInput> = {}): Flag {
  return flagSchema.parse({ state: "canary", percentage: 10, release: "1.0", rules, ...more });
}

function judged(rules: RuleInput[], words: Words, more: Partial<JudgeInput> = {}): Judgement {
  const now = more.now ?? NOW;
  const sources = { window: windowFor(words, now), telemetry: telemetryOf(words, now) };
  return judge({ flag: flagOf(rules), ...sources, heardAt: now, now, ...more });
}

const actions = ({ fired }: Judgement) => fired.map(({ action }) => action);

describe("the rules that fire", () => {
  const bad = { metric: "error_rate", above: 0.1 } as const;
  const words: Words = { green: [100, 50], blue: [100, 0] };

  it("are all told, the gravest first, and it decides", () => {
    const rules: RuleInput[] = [
      { ...bad, action: "alert" },
      { ...bad, action: "pause" },
      { metric: "error_rate", above: 0.4, action: "rollback" },
      { ...bad, action: "reduce" },
      { metric: "error_rate", above: 0.6 },
    ];
    const judgement = judged(rules, words);
    expect(actions(judgement)).toEqual(["rollback", "reduce", "pause", "alert"]);
    expect(judgement).toMatchObject({ verdict: "unhealthy", rule: "error_rate > 0.4" });
    expect(judgement.findings.map(({ verdict }) => verdict)).toEqual([
      ...Array<string>(4).fill("unhealthy"),
      "healthy",
    ]);
  });

  it("leave the verdict alone where they only alert, also where they cannot tell", () => {
    const judgement = judged(
      [
        { ...bad, action: "alert" },
        { metric: "gauge", gauge: "cpu", above: 0.8, action: "alert" },
        { metric: "error_rate", above: 0.6 },
      ],
      words,
    );
    expect([judgement.verdict, ...actions(judgement)]).toEqual(["healthy", "alert"]);
  });

  it("name themselves alike at every look", () => {
    const keys = [NOW, NOW + 5000].map((now) => judged([bad], words, { now }).fired.map(({ key }) => key));
    expect(keys[0]).toEqual(keys[1]);
  });
});

describe("the rules in force", () => {
  it("are those of the flag, of the stage, and its highest error rate", () => {
    const stage = stageSchema.parse({
      percentage: 10,
      maxErrorRate: 0.05,
      minRequests: 20,
      rules: [{ metric: "evidence" }, { metric: "consecutive_errors", atLeast: 9 }],
    });
    const judgement = judged([{ metric: "evidence" }], { green: [20, 2], blue: [20, 2] }, { stage });
    expect(judgement.findings.map(({ rule }) => rule)).toEqual([
      "evidence >= 1000",
      "consecutive_errors >= 9",
      "error_rate > 0.05",
    ]);
    expect(judgement).toMatchObject({
      verdict: "unhealthy",
      sentence: "Green failed 10 % of 20 requests since the stage began; the limit is 5 %",
    });
  });

  it("take the stage's evidence where the flag has none", () => {
    const stage = stageSchema.parse({ percentage: 10, rules: [{ metric: "evidence" }] });
    expect(judged([], { green: [1, 0] }, { stage }).findings).toHaveLength(1);
  });
});

describe("without traffic", () => {
  const alert = { metric: "alerts", atLeast: 1 } as const;
  const security = { metric: "event_count", event: "security_alert", atLeast: 1 } as const;

  it("what is not counted from requests fires all the same", () => {
    const words: Words = {
      alerts: [{ severity: "critical" }],
      events: { security_alert: { green: [1, 0] } },
    };
    const quiet = { window: undefined };
    expect(actions(judged([alert, security], words, quiet))).toEqual(["rollback", "rollback"]);
    expect(judged([alert], { alerts: [] }, quiet)).toMatchObject({
      verdict: "insufficient",
      rule: "minimum",
    });
    expect(judged([alert], {}, quiet).verdict).toBe("unmeasured");
  });

  it("and without a word from isolates nothing counted does, and nothing is healthy", () => {
    const silent = { heardAt: NOW - 60_001 };
    const words: Words = { green: [100, 100], alerts: [], events: { security_alert: { green: [1, 0] } } };
    const rules: RuleInput[] = [{ metric: "error_rate", above: 0.5 }, security, alert];
    expect(judged(rules, words, silent)).toMatchObject({
      verdict: "unmeasured",
      rule: "telemetry",
      fired: [],
    });
    const firing = { ...words, alerts: [{ severity: "critical" }] };
    expect(judged(rules, firing, silent)).toMatchObject({ verdict: "unhealthy", rule: "alerts >= 1" });
  });

  it("or telemetry, what would need it is unmeasured, which is graver than too little", () => {
    const rules: RuleInput[] = [
      { metric: "error_rate", above: 0.5, minRequests: 1000 },
      { metric: "error_rate", above: 0.5, window: 300 },
    ];
    const judgement = judged(rules, { green: [100, 0] }, { telemetry: undefined });
    expect(judgement.findings.map(({ verdict }) => verdict)).toEqual(["insufficient", "unmeasured"]);
    expect(judgement.verdict).toBe("unmeasured");
  });
});

describe("a rule of the first seconds of a release", () => {
  const rule = { metric: "error_rate", above: 0.1, within: 600 } as const;
  const bad: Words = { green: [100, 50], blue: [100, 0] };

  it("fires in the last of them, and is healthy afterwards", () => {
    expect(judged([rule], { ...bad, age: 600 }).verdict).toBe("unhealthy");
    expect(judged([rule], { ...bad, age: 600.001 })).toMatchObject({
      verdict: "healthy",
      sentence: expect.stringContaining("no longer looked at"),
    });
  });

  it("cannot be told without knowing when the release began", () => {
    expect(judged([rule], bad, { telemetry: undefined }).verdict).toBe("unmeasured");
  });
});

describe("what was before the last resume", () => {
  it("is no evidence: longer windows begin there as well", () => {
    const from: number[] = [];
    const telemetry = telemetryOf({ green: [10, 0] });
    const spy: typeof telemetry = {
      ...telemetry,
      counts: (span) => {
        from.push(NOW - span.from);
        return telemetry.counts(span);
      },
    };
    const look = (resumed: number) => {
      from.length = 0;
      const rule = { metric: "event_count", event: "crash", atLeast: 1, window: 3600 } as const;
      judged([rule], {}, { telemetry: spy, window: newWindow(NOW - resumed) });
      return from[0];
    };
    expect(look(20_000)).toBe(20_000);
    // Longer ago counts are kept by the minute: from the first whole one on.
    expect(look(90_000)).toBeLessThanOrEqual(90_000);
    expect((NOW - look(90_000)!) % 60_000).toBe(0);
    expect(look(7_200_000)).toBe(3_600_000);
  });

  it("is no alert after a deployment either", () => {
    const rule = { metric: "alerts", atLeast: 1, within: 600 } as const;
    const words: Words = { age: 500, alerts: [{ severity: "critical", at: 100 }] };
    expect(judged([rule], words, { window: newWindow(NOW - 450_000) }).fired).toHaveLength(1);
    expect(judged([rule], words, { window: newWindow(NOW - 300_000) }).fired).toHaveLength(0);
  });
});

describe("a number that is fetched", () => {
  it("speaks of now for three of its intervals, or five minutes", () => {
    const rule = { metric: "gauge", gauge: "csat", below: 85 } as const;
    const pulls = { csat: { url: "https://example.com", interval: 600 } };
    const verdict = (gaugeAge: number) =>
      judged([], { green: [1, 0], gauges: { csat: 50 }, gaugeAge }, { flag: flagOf([rule], { pulls }) })
        .verdict;
    expect([verdict(1800), verdict(1801)]).toEqual(["unhealthy", "unmeasured"]);
  });

  it("may be negative", () => {
    const rule = { metric: "gauge", gauge: "drift", below: -0.5 } as const;
    const fires = (drift: number) => judged([rule], { gauges: { drift } }).fired.length;
    expect([fires(-0.5), fires(-0.51)]).toEqual([0, 1]);
  });
});

describe("a rule over each cohort", () => {
  const rule = { metric: "error_rate", above: 0.1, scope: "cohort", for: 60, action: "rollback" } as const;

  it("has a clock for each, names the one that is bad, and lets the others be", () => {
    const at = (s: number, beta: number, gp: number, before?: Judgement) =>
      judged(
        [rule],
        { green: [100, 0], cohorts: { beta: [100, beta], friendly_gp: [100, gp] } },
        { now: NOW + s * 1000, ...(before && { memory: before.memory }) },
      );
    const first = at(0, 50, 0);
    const second = at(30, 50, 50, first);
    const third = at(60, 50, 50, second);
    expect([first, second].flatMap(({ fired }) => fired)).toEqual([]);
    expect(third.fired.map(({ cohort }) => cohort)).toEqual(["beta"]);
    expect(third.fired[0]!.sentence).toMatch(/^Cohort beta: Green failed 50 % of 100 requests in 60 s/);
    expect(at(90, 0, 50, third).fired.map(({ cohort }) => cohort)).toEqual(["friendly_gp"]);
  });

  it("says nothing of the flag where a cohort has no traffic", () => {
    const words: Words = { green: [100, 0], cohorts: { beta: [0, 0] } };
    expect(judged([rule, { metric: "error_rate", above: 0.5 }], words).verdict).toBe("healthy");
  });
});

describe("an outage of both sides, over five minutes", () => {
  const rule = { metric: "error_rate", above: 0.1, window: 300 } as const;
  const both: Words = { green: [100, 50], blue: [100, 50] };

  it("holds, halts or is nothing, as the rule says", () => {
    const comparison = view({ errors: 2 });
    const verdict = (onSharedOutage: "hold" | "halt" | "ignore") =>
      judged([{ ...rule, onSharedOutage }], both, { comparison }).verdict;
    expect([verdict("hold"), verdict("halt"), verdict("ignore")]).toEqual([
      "insufficient",
      "unhealthy",
      "healthy",
    ]);
    expect(judged([rule], both, { comparison: view({ errors: 20 }) }).verdict).toBe("unhealthy");
    expect(judged([rule], { ...both, blue: [100, 0] }).verdict).toBe("unhealthy");
  });
});

describe("limits", () => {
  const OPERATORS = ["above", "atLeast", "below", "atMost"] as const;

  it("are compared exactly, whatever the decimals and counts", () => {
    const counts = fc.integer({ min: 1, max: 5000 }).chain((of) => fc.tuple(fc.nat(of), fc.constant(of)));
    const property = fc.property(
      counts,
      fc.nat(1000),
      fc.constantFrom(...OPERATORS),
      ([failed, of], mille, op) => {
        const rule = { metric: "error_rate", [op]: mille / 1000 } as RuleInput;
        // Integers only: failed / of against mille / 1000.
        const sign = Math.sign(failed * 1000 - mille * of);
        const met = { above: sign > 0, atLeast: sign >= 0, below: sign < 0, atMost: sign <= 0 }[op];
        expect(judged([rule], { green: [of, failed] }).fired.length > 0).toBe(met);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it("over blue by points are exact as well", () => {
    const points = fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(100));
    const property = fc.property(points, ([green, blue, mille]) => {
      const rule = { metric: "error_rate", above: { plus: mille / 1000 } } as const;
      const { fired } = judged([rule], { green: [1000, green], blue: [1000, blue] });
      expect(fired.length > 0).toBe(green > blue + mille && green >= 3);
    });
    fc.assert(property, { numRuns: 300 });
  });
});
