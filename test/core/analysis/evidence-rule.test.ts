/** Promises of the rule `evidence`: when it halts, when it cannot tell, and that it says why in words and numbers. */
import { describe, expect, it } from "vitest";
import type { ComparisonView } from "../../../src/core/analysis/comparing.ts";
import { type Judgement, judge } from "../../../src/core/analysis/judge.ts";
import type { RuleMemory } from "../../../src/core/analysis/rule-memory.ts";
import { newWindow } from "../../../src/core/analysis/window.ts";
import type { FlagInput } from "../../../src/core/flag/schema.ts";
import { add, flag, NOW, view, windowOf } from "./counts.ts";

const EVIDENCE = { metric: "evidence" } as const;
const SEEN = {
  evidence: 1240.7,
  errors: 2480,
  blue: { requests: 7800, errors: 78 },
  green: { requests: 412, errors: 20 },
};

/** What is found of a release with so many visitor-minutes on green, of whom these visitors have failed. */
function judged(
  parts: Partial<ComparisonView> | undefined,
  { units = 412, visitors = [1, 2, 3] }: { units?: number; visitors?: number[] } = {},
  rule: NonNullable<FlagInput["rules"]>[number] = EVIDENCE,
) {
  const window = windowOf([{ variant: "green" }, { requests: units, units, visitors }]);
  return judge({
    flag: flag([rule]),
    window,
    heardAt: NOW,
    now: NOW,
    comparison: parts && view(parts),
  });
}

describe("evidence", () => {
  it("halts at its threshold and says what was measured", () => {
    expect(judged({ ...SEEN, unhealthy: true })).toMatchObject({
      verdict: "unhealthy",
      rule: "evidence >= 1000",
      sentence: "Green fails 4.85 % of 412 visitor-minutes, blue 1 %: evidence 1,240, halting at 1,000",
      figures: {
        evidence: 1240.7,
        limit: 1000,
        greenUnits: 412,
        greenUnitErrors: 20,
        blueUnits: 7800,
        blueUnitErrors: 78,
        failingVisitors: 3,
      },
    });
  });

  it("names the quantile that differs most where it is latency", () => {
    const slower = { quantile: 0.9, blueMs: 200, greenMs: 310 };
    const slow = { evidence: 2100.4, latency: 4200, leading: "latency", slower } as const;
    const { verdict, sentence, figures } = judged({ ...slow, unhealthy: true }, { visitors: [] });
    expect(verdict).toBe("unhealthy");
    expect(sentence).toBe("Green's p90 is 310 ms, blue's 200 ms: evidence 2,100, halting at 1,000");
    expect(figures).toMatchObject({ quantile: 0.9, greenMs: 310, blueMs: 200 });
  });

  it("needs three distinct failing visitors where it is failures", () => {
    const { verdict, sentence } = judged({ ...SEEN, unhealthy: true }, { visitors: [7, 9] });
    expect(verdict).toBe("insufficient");
    expect(sentence).toContain("but only 2 visitors failed and 3 are needed");
  });

  it("halts for latency alone whoever failed", () => {
    const both = { ...SEEN, latency: 5000, evidence: 3740, unhealthy: true };
    expect(judged(both, { visitors: [7] }).verdict).toBe("unhealthy");
    const errorsOnly = { ...EVIDENCE, signals: ["errors" as const] };
    expect(judged(both, { visitors: [7] }, errorsOnly).verdict).toBe("insufficient");
  });

  it("is healthy below the threshold once green had 20 visitor-minutes, and cannot tell before", () => {
    const calm = { evidence: 0.4, blue: { requests: 400, errors: 4 }, green: { requests: 20, errors: 0 } };
    expect(judged(calm, { units: 20, visitors: [] })).toMatchObject({
      verdict: "healthy",
      sentence: "Green fails 0 % of 20 visitor-minutes, blue 1 %: evidence 0.4, halting at 1,000",
    });
    expect(judged(calm, { units: 19, visitors: [] })).toMatchObject({
      verdict: "insufficient",
      sentence: "Green has had 19 visitor-minutes that can be compared; 20 are needed",
    });
    expect(judged(undefined, { units: 7 })).toMatchObject({
      verdict: "insufficient",
      sentence: "Green has had 7 visitor-minutes that can be compared; none is compared yet",
    });
    expect(judged({ evidence: 0.9 }, { units: 20 }).sentence).toBe(
      "Nothing speaks against green: evidence 0.9, halting at 1,000",
    );
  });

  it("does not call green healthy while evidence is on its way to the threshold: no stage is left then", () => {
    expect(judged({ ...SEEN, evidence: 19.9 }).verdict).toBe("healthy");
    expect(judged({ ...SEEN, evidence: 20 })).toMatchObject({
      verdict: "insufficient",
      sentence:
        "Green fails 4.85 % of 412 visitor-minutes, blue 1 %: evidence 20, halting at 1,000; from 20 on green is not called healthy",
    });
  });

  it("does not wait for 20 visitor-minutes to halt", () => {
    const few = { requests: 12, errors: 8 };
    expect(judged({ ...SEEN, green: few, unhealthy: true }, { units: 12 }).verdict).toBe("unhealthy");
  });

  it("says when green is compared with itself, or with nothing", () => {
    const own = { ...SEEN, unhealthy: true, peer: "own" as const };
    expect(judged(own).sentence).toBe(
      "Blue has no traffic, so green is compared with its own earlier window: green fails 4.85 % of 412 visitor-minutes, before 1 %: evidence 1,240, halting at 1,000",
    );
    const none = judged({ peer: "none" });
    expect(none.verdict).toBe("insufficient");
    expect(none.sentence).toContain("only absolute rules speak");
  });

  it("does not say that blue has no traffic before it has looked at any", () => {
    const units = { requests: 30, units: 30 };
    const window = windowOf([{ variant: "green" }, units], [{ variant: "blue" }, units]);
    const comparison = view({ peer: "none" });
    expect(judge({ flag: flag([EVIDENCE]), window, heardAt: NOW, now: NOW, comparison })).toMatchObject({
      verdict: "insufficient",
      sentence: "Green has had 30 visitor-minutes that can be compared; none is compared yet",
    });
    expect(judged({ peer: "none" }, { units: 0 }).sentence).toBe(
      "Green has had 0 visitor-minutes that can be compared; none is compared yet",
    );
  });

  it("halts at 1/alpha", () => {
    const words = (alpha: number) => judged(SEEN, {}, { ...EVIDENCE, alpha }).rule;
    expect([words(0.05), words(0.003), words(1e-6)]).toEqual([
      "evidence >= 20",
      "evidence >= 333",
      "evidence >= 1000000",
    ]);
  });

  it("gathers the failing visitors for as long as it grows, and forgets them when it has come to nothing", () => {
    const look = (after: number, errors: number, visitors: number[], memory?: RuleMemory) => {
      const now = NOW + after;
      const window = newWindow();
      add(window, { variant: "green" }, { requests: 30, units: 30, visitors }, 1, now);
      const comparison = view({ errors, evidence: errors, unhealthy: errors >= 1000 });
      return judge({ flag: flag([EVIDENCE]), window, heardAt: now, now, comparison, memory });
    };
    const minute = 60_000;
    const first = look(0, 5, [1]);
    const second = look(minute, 30, [2], first.memory);
    expect(look(2 * minute, 1001, [3], second.memory).verdict).toBe("unhealthy");
    // In between it had fallen back: what had failed before is not what brought it there.
    const calm = look(2 * minute, 0.8, [], second.memory);
    expect(look(3 * minute, 1001, [3], calm.memory)).toMatchObject({
      verdict: "insufficient",
      figures: { failingVisitors: 1 },
    });
  });

  it("does not take those whom a breaker kept away for failing beside one who failed before", () => {
    const window = newWindow();
    let memory: RuleMemory | undefined;
    let found: Judgement | undefined;
    for (let minutes = 0; minutes < 12; minutes++) {
      const now = NOW + minutes * 60_000;
      const open = minutes >= 4 ? { diverted: 30, visitors: [1, 2, 3, 4, 5, 7] } : { visitors: [7] };
      add(window, { variant: "green" }, { requests: 3, units: 2, unitErrors: 1, ...open }, 1, now);
      const comparison = view({ errors: 1001, evidence: 1001, unhealthy: true });
      found = judge({ flag: flag([EVIDENCE]), window, heardAt: now, now, comparison, memory });
      memory = found.memory;
    }
    const evidence = found?.findings.find(({ rule }) => rule === "evidence >= 1000");
    expect(evidence).toMatchObject({
      verdict: "insufficient",
      figures: { failingVisitors: 1, mostOfOne: 12 },
    });
  });

  it("counts as failing nobody but visitors that the hash has placed", () => {
    const match = { variant: "green", placement: "match" } as const;
    const window = windowOf(
      [{ variant: "green" }, { requests: 30, units: 30, visitors: [1] }],
      [match, { requests: 30, errors: 30, visitors: [2, 3, 4] }],
    );
    const comparison = view({ ...SEEN, unhealthy: true });
    const { verdict } = judge({ flag: flag([EVIDENCE]), window, heardAt: NOW, now: NOW, comparison });
    expect(verdict).toBe("insufficient");
  });
});

describe("visitors who leave before the answer", () => {
  const calm = view({
    evidence: 0.5,
    green: { requests: 90, errors: 0 },
    blue: { requests: 900, errors: 0 },
  });
  const left = (green: number, blue: number, rules: FlagInput["rules"] = [EVIDENCE]) => {
    const window = windowOf(
      [{ variant: "green" }, { requests: 100, units: 90, censored: green }],
      [{ variant: "blue" }, { requests: 1000, units: 900, censored: blue }],
    );
    return judge({ flag: flag(rules), window, heardAt: NOW, now: NOW, comparison: calm });
  };

  it("hold the rollout where green loses many more than blue, and halt nothing", () => {
    expect(left(30, 20)).toMatchObject({
      verdict: "insufficient",
      sentence:
        "Visitors leave green before it answers in 30 % of 100 requests, blue in 2 %: the rollout holds",
      findings: [{ verdict: "healthy" }, { rule: "going away" }],
    });
    expect(left(100, 0).verdict).toBe("insufficient");
  });

  it("are nothing where both lose as many, or nothing is compared", () => {
    expect(left(30, 300).verdict).toBe("healthy");
    expect(left(6, 20).verdict).toBe("healthy");
    expect(left(100, 0, []).verdict).toBe("healthy");
  });
});
