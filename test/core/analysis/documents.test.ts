/** Every rule and gate of the five systems holds on the right side of its boundary, and as long as it must, not before. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type GateMemory, gatesOf } from "../../../src/core/analysis/gates.ts";
import { judge } from "../../../src/core/analysis/judge.ts";
import type { RuleMemory } from "../../../src/core/analysis/rule-memory.ts";
import { gate as gateSchema, plan as planSchema, stage as stageSchema } from "../../../src/core/flag/plan.ts";
import { PLANS } from "../../../src/core/flag/plans.ts";
import { rule as ruleSchema } from "../../../src/core/flag/rule.ts";
import { type Flag, type FlagInput, flagSchema } from "../../../src/core/flag/schema.ts";
import { NOW } from "./counts.ts";
import { telemetryOf, type Words, windowFor } from "./made-up.ts";

interface Case extends Words {
  when: string;
  expect: "fires" | "quiet" | "open" | "shut" | "insufficient" | "unmeasured";
  cohort?: string;
}

interface Fixture {
  system: string;
  rules?: { name: string; says: string; rule: NonNullable<FlagInput["rules"]>[number]; at: Case[] }[];
  gates?: { name: string; says: string; gate: unknown; at: Case[] }[];
  stages?: { name: string; says: string; stage: unknown; at: Case[] }[];
}

const FOLDER = join(import.meta.dirname, "../../../fixtures/rules");
const fixtures = readdirSync(FOLDER).map(
  (file) => JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Fixture,
);

/** Objectives that the set `all` of the Canary plan stands for. */
const SLOS = {
  all: [
    { metric: "error_rate", below: 0.005, window: 300 },
    { metric: "latency_p75", below: 500, window: 300 },
  ],
} satisfies FlagInput["slos"];

const VERDICTS = {
  fires: "unhealthy",
  quiet: "healthy",
  open: "healthy",
  shut: "unhealthy",
  insufficient: "insufficient",
  unmeasured: "unmeasured",
} as const;

function flagOf(rules: NonNullable<FlagInput["rules"]>): Flag {
  return flagSchema.parse({ state: "canary", percentage: 10, release: "1.0", rules, slos: SLOS });
}

/** Time between two looks, seconds. */
const STEP = 10;

describe.each(fixtures)("$system", ({ rules = [], gates = [], stages = [] }) => {
  describe.each(rules)("$name: $says", ({ rule, at }) => {
    const flag = flagOf([rule]);
    const lasting = ("for" in rule && rule.for) || 0;

    function look(words: Case, now: number, memory?: RuleMemory) {
      const sources = { window: windowFor(words, now), telemetry: telemetryOf(words, now) };
      return judge({ flag, ...sources, heardAt: now, now, memory });
    }

    it.each(at)("$when: $expect", (given) => {
      let judgement = look(given, NOW);
      for (let held = 0; held < lasting; held += STEP) {
        expect(judgement.fired).toEqual([]);
        judgement = look(given, NOW + (held + STEP) * 1000, judgement.memory);
      }
      const verdicts = judgement.findings.map(({ verdict }) => verdict);
      expect(verdicts, judgement.sentence).toContain(VERDICTS[given.expect]);
      for (const { sentence } of judgement.findings) expect(sentence).toMatch(/.{10}/);
      const action = rule.action ?? "rollback";
      expect(judgement.fired.map((fired) => [fired.action, fired.cohort])).toEqual(
        given.expect === "fires" ? [[action, given.cohort]] : [],
      );
    });
  });

  describe.each(stages)("$name: $says", ({ stage, at }) => {
    const parsed = stageSchema.parse(stage);

    it.each(at)("$when: $expect", (given) => {
      const sources = { window: windowFor(given), telemetry: telemetryOf(given) };
      const judgement = judge({ flag: flagOf([]), stage: parsed, ...sources, heardAt: NOW, now: NOW });
      expect(judgement.findings[0]!.verdict).toBe(VERDICTS[given.expect]);
      expect(judgement.fired.map(({ action }) => action)).toEqual(
        given.expect === "fires" ? ["rollback"] : [],
      );
    });
  });

  describe.each(gates)("gate $name: $says", ({ gate, at }) => {
    const parsed = gateSchema.parse(gate);
    const lasting = ("for" in parsed && parsed.for) || 0;
    const flag = flagOf([]);

    it.each(at)("$when: $expect", (given) => {
      const look = (now: number, memory?: GateMemory) =>
        gatesOf([parsed], { flag, window: undefined, telemetry: telemetryOf(given, now), now }, memory);
      let { findings, memory } = look(NOW);
      // No look speaks for more than two minutes.
      for (let held = 0; held < lasting; held += 120) {
        expect(findings[0]!.verdict).not.toBe("healthy");
        ({ findings, memory } = look(NOW + (held + 120) * 1000, memory));
      }
      expect([findings[0]!.verdict, findings[0]!.sentence]).toEqual([
        VERDICTS[given.expect],
        expect.stringMatching(/.{10}/),
      ]);
    });
  });
});

describe("the ready-made plans", () => {
  const known = new Set(
    fixtures.flatMap(({ rules = [], gates = [] }) => [
      ...rules.map(({ rule }) => JSON.stringify(ruleSchema.parse(rule))),
      ...gates.map(({ gate }) => JSON.stringify(gateSchema.parse(gate))),
    ]),
  );
  const limits = new Set(
    fixtures.flatMap(({ stages = [] }) => stages.map(({ stage }) => limitOf(stageSchema.parse(stage)))),
  );

  function limitOf({
    percentage,
    maxErrorRate,
  }: {
    percentage?: number | undefined;
    maxErrorRate?: number | undefined;
  }) {
    return `${maxErrorRate} at ${percentage} %`;
  }

  it.each(Object.entries(PLANS))(
    "%s has no rule, gate or limit of errors but those tried here",
    (_, input) => {
      const plan = planSchema.parse(input);
      const conditions = [
        ...(plan.rules ?? []),
        ...plan.stages.flatMap(({ entry, exit, rules = [] }) => [...entry, ...exit, ...rules]),
      ];
      for (const condition of conditions) {
        if (!("signOff" in condition)) expect(known).toContain(JSON.stringify(condition));
      }
      for (const stage of plan.stages)
        if (stage.maxErrorRate !== undefined) expect(limits).toContain(limitOf(stage));
    },
  );
});
