/** Promises of literal rules with conditions: guarded by evidence, lasting, and not for an outage of both sides. */
import { describe, expect, it } from "vitest";
import { type Judgement, judge } from "../../../src/core/analysis/judge.ts";
import type { RuleMemory } from "../../../src/core/analysis/rule-memory.ts";
import type { Tally } from "../../../src/core/analysis/tally.ts";
import { newWindow, pruneWindow, type Window } from "../../../src/core/analysis/window.ts";
import { type FlagInput, flagSchema } from "../../../src/core/flag/schema.ts";
import { TICK_MS } from "../../../src/core/wire/messages.ts";
import { add, flag, latencies, NOW, view, windowOf } from "./counts.ts";

type RuleInput = NonNullable<FlagInput["rules"]>[number];

const GREEN = { variant: "green" } as const;
const BLUE = { variant: "blue" } as const;
const visitors = [1, 2, 3];

function judged(
  rule: RuleInput,
  window: Window,
  evidence?: { errors?: number; latency?: number },
): Judgement {
  return judge({
    flag: flag([rule]),
    window,
    heardAt: NOW,
    now: NOW,
    comparison: evidence && view(evidence),
  });
}

describe("a guarded rule", () => {
  const failing = windowOf(
    [BLUE, { requests: 1000, units: 1000, unitErrors: 10 }],
    [GREEN, { requests: 100, errors: 5, units: 100, unitErrors: 5, visitors }],
  );

  it("fires on its limit only with evidence of 100 that green is worse at all", () => {
    const rule = { metric: "error_rate", above: { plus: 0.02 }, guarded: true } as const;
    expect(judged({ ...rule, guarded: false }, failing, { errors: 3 }).verdict).toBe("unhealthy");
    expect(judged(rule, failing, { errors: 99, latency: 1e6 })).toMatchObject({
      verdict: "insufficient",
      sentence: expect.stringContaining("evidence that green is worse is 99 and the rule is guarded by 100"),
      figures: { evidence: 99, guard: 100 },
    });
    expect(judged(rule, failing, { errors: 100 }).verdict).toBe("unhealthy");
    expect(judged(rule, failing).verdict).toBe("insufficient");
    expect(judged({ ...rule, above: { plus: 0.05 } }, failing, { errors: 1e6 }).verdict).toBe("healthy");
  });

  it("can be an absolute one", () => {
    const rule = { metric: "error_rate", above: 0.04, guarded: true } as const;
    expect(judged(rule, failing, { errors: 99 }).verdict).toBe("insufficient");
    expect(judged(rule, failing, { errors: 100 }).verdict).toBe("unhealthy");
  });

  it("asks latency's evidence where it is about latency", () => {
    const slow = windowOf(
      [BLUE, { requests: 100, unitLatency: latencies([100, 100]) }],
      [GREEN, { requests: 100, unitLatency: latencies([100, 900]) }],
    );
    const rule = { metric: "latency_p95", above: { times: 2 }, guarded: true } as const;
    expect(judged(rule, slow, { errors: 1e6, latency: 99 }).verdict).toBe("insufficient");
    expect(judged(rule, slow, { latency: 100 }).verdict).toBe("unhealthy");
  });
});

describe("a rule that asks for a lasting breach", () => {
  const rule = { metric: "error_rate", above: 0.1, minRequests: 10, window: 10, for: 30 } as const;
  const BAD = { requests: 20, errors: 10 };
  const GOOD = { requests: 20 };
  const FEW = { requests: 1, errors: 1 };

  /** Looks once a tick while the ticks come; answers the seconds after which it halts, and each verdict. */
  function looks(ticks: Partial<Tally>[]): { halted: number | undefined; verdicts: string[] } {
    const window = newWindow();
    const verdicts: string[] = [];
    let memory: RuleMemory | undefined;
    ticks.forEach((tick, i) => {
      const now = NOW + i * TICK_MS;
      add(window, GREEN, tick, 1, now);
      const judgement = judge({ flag: flag([rule]), window, heardAt: now, now, memory });
      // As stored: the controller keeps it as JSON.
      memory = JSON.parse(JSON.stringify(judgement.memory)) as RuleMemory;
      verdicts.push(judgement.verdict);
    });
    const first = verdicts.indexOf("unhealthy");
    return { halted: first < 0 ? undefined : (first * TICK_MS) / 1000, verdicts };
  }
  const times = (n: number, tick: Partial<Tally>) => Array<Partial<Tally>>(n).fill(tick);

  it("halts when it has held at every look for so long, and holds the rollout until then", () => {
    const { halted, verdicts } = looks(times(20, BAD));
    expect(halted).toBe(30);
    expect(new Set(verdicts.slice(0, 15))).toEqual(new Set(["insufficient"]));
  });

  it("begins again after a good window", () => {
    expect(looks([...times(8, BAD), ...times(6, GOOD), ...times(15, BAD)]).halted).toBeUndefined();
    expect(looks([...times(8, BAD), ...times(6, GOOD), ...times(20, BAD)]).halted).toBe(58);
  });

  it("does not begin again after too little data, nor count it", () => {
    // Bad for 20 s, until the last bad tick leaves the window with the fourth of the few; then 10 s from second 46 on.
    expect(looks([...times(8, BAD), ...times(15, FEW), ...times(10, BAD)]).halted).toBe(56);
  });

  it("counts no more than a window for a look that comes late", () => {
    const first = judge({ flag: flag([rule]), window: windowOf([GREEN, BAD]), heardAt: NOW, now: NOW });
    const now = NOW + 3_600_000;
    const window = newWindow();
    add(window, GREEN, BAD, 1, now);
    const late = judge({ flag: flag([rule]), window, heardAt: now, now, memory: first.memory });
    expect(late).toMatchObject({ verdict: "insufficient", figures: { heldSeconds: 10, for: 30 } });
    expect(late.sentence).toContain("for 10 s now; the rule waits for 30 s");
  });

  it("is not moved by looks of those who only want to know", () => {
    const { memory } = judge({ flag: flag([rule]), window: windowOf([GREEN, BAD]), heardAt: NOW, now: NOW });
    const before = structuredClone(memory);
    judge({ flag: flag([rule]), window: windowOf([GREEN, BAD]), heardAt: NOW, now: NOW + 5000, memory });
    expect(memory).toEqual(before);
  });

  it("starts its clock anew when another rule takes its place", () => {
    const { memory } = judge({ flag: flag([rule]), window: windowOf([GREEN, BAD]), heardAt: NOW, now: NOW });
    const other = flag([{ ...rule, above: 0.2 }]);
    const input = { window: windowOf([GREEN, BAD]), heardAt: NOW, now: NOW + 4000, memory };
    expect(judge({ flag: other, ...input }).figures).toMatchObject({ heldSeconds: 0 });
    expect(judge({ flag: flag([rule]), ...input }).figures).toMatchObject({ heldSeconds: 4 });
  });
});

describe("an outage of both sides", () => {
  const rule = { metric: "error_rate", above: 0.5, minRequests: 20 } as const;
  const both = windowOf(
    [BLUE, { requests: 200, errors: 120 }],
    [GREEN, { requests: 40, errors: 26, visitors }],
  );

  it("holds the rollout and says that both fail, unless evidence says that green is worse", () => {
    expect(judged(rule, both, { errors: 1.2 })).toMatchObject({
      verdict: "insufficient",
      sentence:
        "Green failed 65 % of 40 requests in 60 s; the limit is 50 %. Blue failed 60 %, and evidence that green is worse is 1.2: both sides fail, the rollout holds",
      figures: { rate: 0.65, blueRate: 0.6, evidence: 1.2 },
    });
    expect(judged(rule, both, { errors: 19 }).verdict).toBe("insufficient");
    expect(judged(rule, both, { errors: 20 }).verdict).toBe("unhealthy");
  });

  it("halts or is nothing at all where the rule says so", () => {
    expect(judged({ ...rule, onSharedOutage: "halt" }, both, { errors: 1 }).verdict).toBe("unhealthy");
    expect(judged({ ...rule, onSharedOutage: "ignore" }, both, { errors: 1 })).toMatchObject({
      verdict: "healthy",
      sentence: expect.stringContaining("both sides fail, no fault of green's"),
    });
  });

  it("is none while blue is within the limit", () => {
    const green = windowOf([BLUE, { requests: 200, errors: 100 }], [GREEN, { requests: 40, errors: 26 }]);
    expect(judged(rule, green, { errors: 1 }).verdict).toBe("unhealthy");
  });

  it("is seen from its first seconds on, when blue's whole minute is not yet beyond the limit", () => {
    const window = newWindow();
    add(window, BLUE, { requests: 600 }, 20);
    add(window, GREEN, { requests: 15 }, 20);
    add(window, BLUE, { requests: 200, errors: 120 }, 2);
    add(window, GREEN, { requests: 20, errors: 18, visitors }, 2);
    expect(judged(rule, window, { errors: 1 }).verdict).toBe("insufficient");
  });

  it("is not made of a few failures of a blue with little traffic", () => {
    const window = windowOf([BLUE, { requests: 3, errors: 3 }], [GREEN, { requests: 40, errors: 26 }]);
    expect(judged(rule, window, { errors: 1 }).verdict).toBe("unhealthy");
  });

  it("is none when green failed first and blue broke down under its visitors", () => {
    const window = newWindow();
    add(window, BLUE, { requests: 200, errors: 2 }, 9);
    add(window, GREEN, { requests: 40, errors: 40, rescued: 30, visitors }, 9);
    add(window, BLUE, { requests: 300, errors: 290 }, 3);
    add(window, GREEN, { requests: 40, errors: 40, rescued: 10, diverted: 5, visitors }, 3);
    expect(judged(rule, window, { errors: 5 }).verdict).toBe("unhealthy");
    const together = newWindow();
    add(together, BLUE, { requests: 200, errors: 190 }, 9);
    add(together, GREEN, { requests: 40, errors: 40, rescued: 30, visitors }, 9);
    expect(judged(rule, together, { errors: 5 }).verdict).toBe("insufficient");
  });

  it("opens green's breakers too, and what they keep away is no fault of green's then", () => {
    const outage = (blueErrors: number) =>
      windowOf(
        [BLUE, { requests: 200, errors: blueErrors }],
        [GREEN, { requests: 20, errors: 9, diverted: 60, visitors }],
      );
    const held = judged(rule, outage(70), { errors: 2 });
    expect(held.verdict).toBe("insufficient");
    expect(held.findings.map(({ rule: words, verdict }) => [words, verdict])).toEqual([
      ["diverted > 0.2", "insufficient"],
      ["error_rate > 0.5", "insufficient"],
    ]);
    expect(held.sentence).toContain(
      "Blue failed 35 %, and evidence that green is worse is 2: both sides fail",
    );
    expect(judged(rule, outage(70), { errors: 20 }).rule).toBe("diverted > 0.2");
    expect(judged(rule, outage(18), { errors: 2 })).toMatchObject({
      verdict: "unhealthy",
      rule: "diverted > 0.2",
    });
  });

  /** Looks once a tick at what comes; answers the rules that fired, and when the first one did, seconds. */
  function looks(
    seconds: number,
    counts: (at: number) => [Partial<Tally>, Partial<Tally>],
    resetTimeout = 60,
  ) {
    const window = newWindow();
    const routed = {
      ...flag([rule]),
      route: flagSchema.parse({
        state: "canary",
        route: { blue: "https://b.example", green: "https://g.example", breaker: { resetTimeout } },
      }).route,
    };
    let memory: RuleMemory | undefined;
    for (let at = 0; at < seconds; at += 2) {
      const now = NOW + at * 1000;
      const [blue, green] = counts(at);
      add(window, BLUE, blue, 1, now);
      add(window, GREEN, green, 1, now);
      pruneWindow(window, now);
      const input = { flag: routed, window, heardAt: now, now, comparison: view({ errors: 1.5 }) };
      const judgement = judge({ ...input, memory });
      memory = JSON.parse(JSON.stringify(judgement.memory)) as RuleMemory;
      if (judgement.verdict === "unhealthy") return { at, rule: judgement.rule };
    }
    return undefined;
  }
  const OPEN = { diverted: 20, visitors: [1, 2, 3, 4, 5] };
  const outageOf = (long: number) => (at: number) =>
    (at >= 20 && at < 20 + long
      ? [
          { requests: 20, errors: 12 },
          at === 20 ? { requests: 10, errors: 10, diverted: 10, visitors } : OPEN,
        ]
      : [{ requests: 20 }, at > 20 && at < 80 + long ? OPEN : { requests: 20 }]) as [
      Partial<Tally>,
      Partial<Tally>,
    ];

  it("leaves breakers open for as long as they are set to be, and the rollout holds until they close", () => {
    expect(looks(200, outageOf(4))).toBeUndefined();
    expect(looks(200, outageOf(50))).toBeUndefined();
    // They should have closed long before.
    expect(looks(200, outageOf(4), 1)).toMatchObject({ rule: "diverted > 0.2" });
  });

  it("is no excuse for a green of which breakers still keep visitors away long after", () => {
    const never = (at: number): [Partial<Tally>, Partial<Tally>] => [
      at >= 20 && at < 26 ? { requests: 20, errors: 12 } : { requests: 20 },
      at < 20 ? { requests: 20 } : OPEN,
    ];
    const halted = looks(400, never);
    expect(halted?.rule).toBe("diverted > 0.2");
    expect(halted!.at).toBeLessThan(20 + 6 + 60 + 60 + 60 + 10);
  });

  it("is not needed where one client in a loop has opened the breakers", () => {
    const loop = (others: number) => (at: number) =>
      [
        { requests: 20 },
        at < 40
          ? {
              requests: 20,
              errors: 6 + others,
              visitors: others > 0 ? [7, 100 + at, 200 + at, 300 + at] : [7],
            }
          : { ...OPEN, visitors: [1, 2, 3, 4, 5, 7] },
      ] as [Partial<Tally>, Partial<Tally>];
    expect(looks(100, loop(0))).toBeUndefined();
    expect(looks(100, loop(3))).toMatchObject({ rule: "diverted > 0.2" });
  });

  it("is none when breakers kept green's visitors away first, and blue broke down under them", () => {
    const window = newWindow();
    add(window, BLUE, { requests: 200, errors: 2 }, 9);
    add(window, GREEN, { requests: 10, errors: 10, diverted: 30, visitors }, 9);
    add(window, BLUE, { requests: 300, errors: 290 }, 3);
    add(window, GREEN, { requests: 1, errors: 1, diverted: 40, visitors }, 3);
    expect(judged(rule, window, { errors: 5 })).toMatchObject({
      verdict: "unhealthy",
      rule: "diverted > 0.2",
    });
  });

  it("counts for latencies and for failures in a row as well", () => {
    const slow = { requests: 100, latency: latencies([100, 900]) };
    const p95 = { metric: "latency_p95", above: 500 } as const;
    expect(judged(p95, windowOf([BLUE, slow], [GREEN, slow]), { latency: 1 })).toMatchObject({
      verdict: "insufficient",
      sentence: expect.stringMatching(/Blue's p95 is 878 ms/),
    });
    expect(judged(p95, windowOf([BLUE, slow], [GREEN, slow]), { latency: 20 }).verdict).toBe("unhealthy");
    const run = { requests: 100, errors: 10, run: 10 };
    const inARow = { metric: "consecutive_errors", atLeast: 10 } as const;
    expect(judged(inARow, windowOf([BLUE, run], [GREEN, run]), {})).toMatchObject({
      verdict: "insufficient",
      sentence: expect.stringContaining("Blue failed 10 in a row"),
    });
    expect(judged(inARow, windowOf([GREEN, run]), {}).verdict).toBe("unhealthy");
  });

  it("cannot be told where failures are not compared: the limit is literal then", () => {
    const rules: RuleInput[] = [{ metric: "evidence", signals: ["latency"] }, rule];
    const input = { window: both, heardAt: NOW, now: NOW, comparison: view() };
    expect(judge({ flag: flag(rules), ...input }).verdict).toBe("unhealthy");
  });
});
