/** Promises of gates: what they measure, when they open, what they say is missing, and how long they wait. */
import { describe, expect, it } from "vitest";
import { type GateMemory, gatesOf } from "../../../src/core/analysis/gates.ts";
import type { Span } from "../../../src/core/analysis/telemetry.ts";
import { gate as gateSchema } from "../../../src/core/flag/plan.ts";
import { type Flag, type FlagInput, flagSchema } from "../../../src/core/flag/schema.ts";
import { NOW } from "./counts.ts";
import { telemetryOf, type Words } from "./made-up.ts";

function flagOf(slos: FlagInput["slos"] = {}): Flag {
  return flagSchema.parse({ state: "canary", percentage: 10, release: "1.0", slos });
}

function gated(
  gates: unknown[],
  words: Words,
  { now = NOW, memory, flag = flagOf() }: { now?: number; memory?: GateMemory; flag?: Flag } = {},
) {
  const parsed = gates.map((gate) => gateSchema.parse(gate));
  const result = gatesOf(
    parsed,
    { flag, window: undefined, telemetry: telemetryOf(words, now), now },
    memory,
  );
  // As stored.
  return { ...result, memory: JSON.parse(JSON.stringify(result.memory)) as GateMemory };
}

const finding = (gate: unknown, words: Words) => gated([gate], words).findings[0]!;

describe("a gate", () => {
  const atMost = { metric: "error_rate", atMost: 0.005 };

  it("says what was measured and when it opens", () => {
    expect(finding(atMost, { green: [1204, 9] })).toEqual({
      rule: "error_rate <= 0.005",
      verdict: "unhealthy",
      sentence:
        "Green failed 0.75 % of 1,204 requests since the stage began; the gate opens at 0.5 % or less",
      figures: { requests: 1204, failures: 9, diverted: 0, rate: 9 / 1204, limit: 0.005 },
    });
    const said = (gate: object, words: Words) => finding(gate, words).sentence;
    expect(said({ metric: "gauge", gauge: "csat", atLeast: 95 }, { gauges: { csat: 94 } })).toBe(
      "Gauge csat is 94; the gate opens at 95 or more",
    );
    expect(
      said({ metric: "adoption", above: 0.1 }, { green: { requests: 9, distinct: 1 }, blue: [99, 0] }),
    ).toMatch(/^1.01 % of 99 visitors were on green since the stage began; the gate opens above 10 %$/);
    expect(said({ metric: "health_check", below: 1 }, { health: 2 })).toBe(
      "2 health checks of green failed in a row (status 500); the gate opens below 1",
    );
  });

  it("looks at the whole stage unless it says otherwise, and never back beyond the release", () => {
    const spans: Span[] = [];
    const telemetry = telemetryOf({ green: [10, 0], age: 1000 });
    const counts = (span: Span) => {
      spans.push(span);
      return telemetry.counts(span);
    };
    const look = (gate: object) => {
      spans.length = 0;
      const sources = {
        flag: flagOf(),
        window: undefined,
        telemetry: { ...telemetry, stageAt: NOW - 400_000, counts },
      };
      gatesOf([gateSchema.parse(gate)], { ...sources, now: NOW });
      return spans.map(({ from, to }) => [NOW - from, to - NOW]);
    };
    expect(look(atMost)).toEqual([[400_000, 1]]);
    expect(look({ ...atMost, window: 300 })).toEqual([[300_000, 1]]);
    expect(look({ ...atMost, window: 86_400 })).toEqual([[1_000_000, 1]]);
  });

  it("is undefined for a word that somebody gives", () => {
    const word = { signOff: "product_owner", what: "Product owner approval" };
    expect(gated([word, atMost], { green: [10, 0] }).findings.map((f) => f?.verdict)).toEqual([
      undefined,
      "healthy",
    ]);
  });

  it("waits for requests and visitors that have not come, and is not failed by them", () => {
    const requests = { metric: "requests", atLeast: 100 };
    expect(finding(requests, { green: [99, 0] })).toMatchObject({
      verdict: "insufficient",
      sentence: "Green had 99 requests since the stage began; the gate opens at 100 or more",
    });
    expect(finding(requests, { green: [100, 0] }).verdict).toBe("healthy");
    const visitors = { metric: "visitors", atLeast: 50 };
    expect(finding(visitors, { green: { requests: 500, distinct: 49 } }).verdict).toBe("insufficient");
    expect(finding(visitors, { green: { requests: 500, distinct: 50 } }).verdict).toBe("healthy");
    expect(finding({ ...atMost, minRequests: 100 }, { green: [99, 0] })).toMatchObject({
      verdict: "insufficient",
      sentence: "Green had 99 requests since the stage began; 100 are needed",
    });
  });

  it("cannot be measured without telemetry", () => {
    const sources = { flag: flagOf(), window: undefined, telemetry: undefined, now: NOW };
    const gates = [
      atMost,
      { metric: "gauge", gauge: "csat", above: 1 },
      { metric: "smoke_test", is: "passed" },
    ];
    const { findings } = gatesOf(
      gates.map((gate) => gateSchema.parse(gate)),
      sources,
    );
    expect(findings.map((f) => f?.verdict)).toEqual(["unmeasured", "unmeasured", "unmeasured"]);
  });

  it("over each cohort opens when it is open in all of them", () => {
    const each = { ...atMost, scope: "cohort" };
    const cohorts = { beta: [1000, 5], friendly_gp: [1000, 6] } satisfies Words["cohorts"];
    expect(finding(each, { cohorts })).toMatchObject({
      verdict: "unhealthy",
      sentence: expect.stringMatching(/^Cohort friendly_gp: Green failed 0.6 %/),
    });
    expect(finding(each, { cohorts: { ...cohorts, friendly_gp: [1000, 5] } }).verdict).toBe("healthy");
  });

  it("of a time that is over stays open", () => {
    const early = { metric: "error_rate", atMost: 0, within: 600 };
    expect(finding(early, { green: [10, 1], age: 600 }).verdict).toBe("unhealthy");
    expect(finding(early, { green: [10, 1], age: 601 }).verdict).toBe("healthy");
  });

  it("asks the test of non-inferiority", () => {
    const gate = { metric: "non_inferiority", margin: 0.005 };
    expect(finding(gate, { nonInferior: true }).verdict).toBe("healthy");
    expect(finding(gate, { nonInferior: false })).toMatchObject({
      verdict: "unhealthy",
      sentence: "Evidence that green fails at most 0.5 % more than blue is 20; the gate opens at 20",
    });
    expect(finding(gate, {}).verdict).toBe("insufficient");
  });

  it("compares with green before the stage where it says so", () => {
    const gate = { metric: "latency_p75", below: { baseline: "before", times: 1.1 } };
    const slow = { requests: 10, ms: [[10, 130]] } satisfies Words["green"];
    const fast = { requests: 10, ms: [[10, 100]] } satisfies Words["green"];
    expect(finding(gate, { green: fast, before: fast }).verdict).toBe("healthy");
    expect(finding(gate, { green: slow, before: fast }).verdict).toBe("unhealthy");
    expect(finding(gate, { green: slow, before: [0, 0] }).verdict).toBe("insufficient");
    expect(finding(gate, { green: slow }).verdict).toBe("unmeasured");
  });
});

describe("a gate that must hold for some time", () => {
  const gate = { metric: "error_rate", atMost: 0.01, window: 300, for: 600 };
  const GOOD: Words = { green: [1000, 10] };
  const BAD: Words = { green: [1000, 11] };
  const NONE: Words = { green: [0, 0] };

  /** Looks every minute at what comes; answers the minutes at which it was open. */
  function open(minutes: Words[]): number[] {
    let memory: GateMemory | undefined;
    return minutes.flatMap((words, i) => {
      const result = gated([gate], words, { now: NOW + i * 60_000, ...(memory && { memory }) });
      memory = result.memory;
      return result.findings[0]!.verdict === "healthy" ? [i] : [];
    });
  }
  const times = (n: number, words: Words) => Array<Words>(n).fill(words);

  it("opens at the look at which it has held that long, and says before for how long it has", () => {
    expect(open(times(12, GOOD))).toEqual([10, 11]);
    const first = gated([gate], GOOD);
    const later = gated([gate], GOOD, { now: NOW + 90_000, memory: first.memory });
    expect(later.findings[0]).toMatchObject({
      verdict: "insufficient",
      sentence: "Green failed 1 % of 1,000 requests in 5 min, for 90 s now; the gate waits for 10 min",
    });
  });

  it("begins again when it was shut, and only stands still without requests", () => {
    expect(open([...times(8, GOOD), BAD, ...times(11, GOOD)])).toEqual([19]);
    expect(open([...times(8, GOOD), NONE, ...times(4, GOOD)])).toEqual([12]);
  });

  it("takes two minutes at most from a look, however late the next one comes", () => {
    const { memory } = gated([gate], GOOD);
    const late = gated([gate], GOOD, { now: NOW + 86_400_000, memory });
    expect(late.findings[0]).toMatchObject({ verdict: "insufficient", figures: { heldSeconds: 120 } });
  });
});

describe("a set of objectives", () => {
  const flag = flagOf({
    all: [
      { metric: "error_rate", atMost: 0.01 },
      { metric: "gauge", gauge: "memory", below: 0.9, for: 120 },
    ],
  });
  const met = { metric: "slos", set: "all", are: "met" };
  const verdict = (words: Words, options: { now?: number; memory?: GateMemory } = {}) =>
    gated([met], words, { flag, ...options });

  it("is met when each of them is, and has been for as long as it must", () => {
    const fine: Words = { green: [100, 1], gauges: { memory: 0.5 } };
    const first = verdict(fine);
    expect(first.findings[0]!.verdict).toBe("insufficient");
    const second = verdict(fine, { now: NOW + 119_000, memory: first.memory });
    expect(second.findings[0]!.verdict).toBe("insufficient");
    const third = verdict(fine, { now: NOW + 120_000, memory: second.memory });
    expect(third.findings[0]).toMatchObject({
      verdict: "healthy",
      sentence: "All 2 objectives of all are met",
    });
  });

  it("names those that are not met, and is unknown where it does not exist", () => {
    expect(verdict({ green: [100, 2], gauges: { memory: 0.95 } }).findings[0]).toMatchObject({
      verdict: "unhealthy",
      sentence:
        "2 of 2 objectives of all breached: Green failed 2 % of 100 requests in 60 s; asked is 1 %; Gauge memory is 0.95; asked is 0.9; the gate opens while all is met",
    });
    expect(verdict({ green: [100, 1] }).findings[0]!.verdict).toBe("unmeasured");
    expect(gated([{ ...met, set: "none" }], {}, { flag }).findings[0]!.verdict).toBe("unmeasured");
  });
});
