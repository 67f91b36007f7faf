import { describe, expect, it } from "vitest";
import { judge } from "../../../src/core/analysis/judge.ts";
import { newWindow, type Window } from "../../../src/core/analysis/window.ts";
import { type FlagInput, flagSchema } from "../../../src/core/flag/schema.ts";
import { add, flag, latencies, NOW, windowOf } from "./counts.ts";

const GREEN = { variant: "green" } as const;
const BLUE = { variant: "blue" } as const;

function verdictOf(window: Window | undefined, ...rules: NonNullable<FlagInput["rules"]>) {
  return judge({ flag: flag(rules), window, heardAt: NOW, now: NOW });
}

describe("the rules of a flag that names none", () => {
  const judged = (visitors: number[]) => {
    // A client in a retry loop at 3 requests a second, among healthy ones on blue.
    const green = { requests: 180, errors: 180, units: 2, unitErrors: 2, run: 180, visitors };
    const window = windowOf([BLUE, { requests: 600, units: 300 }], [GREEN, green]);
    return judge({ flag: flagSchema.parse({ state: "canary" }), window, heardAt: NOW, now: NOW }).verdict;
  };

  it("are not moved by one client in a retry loop, and are by the same failures of many visitors", () => {
    expect(judged([7])).toBe("insufficient");
    expect(judged([7, 8, 9])).toBe("unhealthy");
  });
});

describe("error_rate above", () => {
  const rule = { metric: "error_rate", above: 0.05, minRequests: 20 } as const;

  it("is strict: the limit itself is healthy, one more failure is not", () => {
    expect(verdictOf(windowOf([GREEN, { requests: 100, errors: 5 }]), rule).verdict).toBe("healthy");
    expect(verdictOf(windowOf([GREEN, { requests: 100, errors: 6 }]), rule).verdict).toBe("unhealthy");
  });

  it("counts connect errors and timeouts, and what breakers diverted as failed requests", () => {
    const window = windowOf([GREEN, { requests: 94, errors: 1, connect: 1, timeouts: 1, diverted: 6 }]);
    const { verdict, figures } = verdictOf(window, rule);
    expect(verdict).toBe("unhealthy");
    expect(figures).toMatchObject({ requests: 100, failures: 3, diverted: 6, rate: 0.09, limit: 0.05 });
  });

  it("looks at every placement and cohort, of green only", () => {
    const window = windowOf(
      [
        { ...GREEN, placement: "match", cohort: "beta" },
        { requests: 30, errors: 3 },
      ],
      [
        { ...GREEN, placement: "address" },
        { requests: 30, errors: 3 },
      ],
      [BLUE, { requests: 1000, errors: 900 }],
    );
    expect(verdictOf(window, rule).figures).toMatchObject({ requests: 60, failures: 6 });
  });

  it("says nothing below the minimum, nor about nothing", () => {
    expect(verdictOf(windowOf([GREEN, { requests: 19, errors: 19 }]), rule).verdict).toBe("insufficient");
    expect(verdictOf(undefined, rule).verdict).toBe("insufficient");
    const none = verdictOf(windowOf([BLUE, { requests: 100 }]), { ...rule, minRequests: 0 });
    expect(none).toMatchObject({ verdict: "insufficient", sentence: "Green had no request in 60 s" });
  });

  it("asks for as many failing visitors as it says, and literally for none where it does not", () => {
    const window = windowOf([GREEN, { requests: 100, errors: 100, visitors: [7, 9] }]);
    expect(verdictOf(window, { ...rule, minVisitors: 2 }).verdict).toBe("unhealthy");
    const { verdict, sentence } = verdictOf(window, { ...rule, minVisitors: 3 });
    expect(verdict).toBe("insufficient");
    expect(sentence).toContain("only 2 visitors failed and 3 are needed");
    const inARow = { metric: "consecutive_errors", atLeast: 5 } as const;
    expect(verdictOf(window, { ...inARow, minVisitors: 3 }).verdict).toBe("insufficient");
    expect(verdictOf(window, { ...inARow, minRequests: 101 }).verdict).toBe("insufficient");
    expect(verdictOf(window, inARow).verdict).toBe("unhealthy");
  });

  it("looks no further back than its window", () => {
    const window = newWindow();
    add(window, GREEN, { requests: 100, errors: 100 }, 8);
    add(window, GREEN, { requests: 100 }, 2);
    expect(verdictOf(window, { ...rule, window: 10 }).verdict).toBe("healthy");
    expect(verdictOf(window, { ...rule, window: 20 }).verdict).toBe("unhealthy");
  });

  it("says what was measured, against what", () => {
    expect(verdictOf(windowOf([GREEN, { requests: 200, errors: 25 }]), rule)).toMatchObject({
      rule: "error_rate > 0.05",
      sentence: "Green failed 12.5 % of 200 requests in 60 s; the limit is 5 %",
    });
  });
});

describe("error_rate above blue's", () => {
  const rule = { metric: "error_rate", above: { plus: 0.005 } } as const;
  const visitors = [1, 2, 3];

  it("compares decimals exactly: 1.4 % is not above 0.9 % + 0.5", () => {
    const blue = { units: 1000, unitErrors: 9 };
    const many = Array.from({ length: 15 }, (_, i) => i);
    const at = (unitErrors: number) =>
      windowOf([BLUE, blue], [GREEN, { requests: 1000, units: 1000, unitErrors, visitors: many }]);
    expect(verdictOf(at(14), rule).verdict).toBe("healthy");
    expect(verdictOf(at(15), rule).verdict).toBe("unhealthy");
  });

  it("weighs visitors placed by the hash only", () => {
    const window = windowOf(
      [BLUE, { units: 100 }],
      [GREEN, { requests: 100, units: 100, visitors }],
      [
        { ...GREEN, placement: "match" },
        { requests: 100, errors: 100, units: 100, unitErrors: 100, visitors },
      ],
    );
    expect(verdictOf(window, rule).verdict).toBe("healthy");
  });

  it("does not halt on one client in a retry loop: three distinct visitors must have failed", () => {
    const of = (failing: number[]) =>
      windowOf(
        [BLUE, { units: 100 }],
        [GREEN, { requests: 100, units: 100, unitErrors: 50, visitors: failing }],
      );
    const alone = verdictOf(of([7, 9]), rule);
    expect(alone.verdict).toBe("insufficient");
    expect(alone.sentence).toContain("only 2 visitors failed");
    expect(verdictOf(of([7, 9, 11]), rule).verdict).toBe("unhealthy");
  });

  it("cannot tell without anyone on blue, or without anyone of green's to compare", () => {
    const green = { requests: 100, units: 100, unitErrors: 100, visitors };
    expect(verdictOf(windowOf([GREEN, green]), rule).verdict).toBe("insufficient");
    expect(verdictOf(windowOf([BLUE, { units: 9 }], [GREEN, { requests: 100 }]), rule).verdict).toBe(
      "insufficient",
    );
  });
});

describe("latency_p95", () => {
  const slow = latencies([90, 100], [10, 900]);
  const fast = latencies([100, 100]);

  it("is compared with milliseconds, blue's plus milliseconds, blue's times", () => {
    const window = windowOf(
      [BLUE, { requests: 100, latency: fast, unitLatency: fast }],
      [GREEN, { requests: 100, latency: slow, unitLatency: slow }],
    );
    const p95 = (rule: object) => verdictOf(window, { metric: "latency_p95", ...rule } as never).verdict;
    expect(p95({ above: 700 })).toBe("unhealthy");
    expect(p95({ above: 1000 })).toBe("healthy");
    expect(p95({ above: { plus: 500 } })).toBe("unhealthy");
    expect(p95({ above: { plus: 1000 } })).toBe("healthy");
    expect(p95({ above: { times: 3 } })).toBe("unhealthy");
    expect(p95({ above: { times: 30 } })).toBe("healthy");
  });

  it("cannot tell without blue's latencies", () => {
    const window = windowOf([GREEN, { requests: 100, latency: slow, unitLatency: slow }]);
    expect(verdictOf(window, { metric: "latency_p95", above: { times: 3 } }).verdict).toBe("insufficient");
  });
});

describe("consecutive_errors", () => {
  const rule = { metric: "consecutive_errors", atLeast: 5 } as const;

  it("fires on the Nth in a row that one isolate saw", () => {
    const run = (n: number) => windowOf([GREEN, { requests: 100, errors: n, run: n }]);
    expect(verdictOf(run(4), rule).verdict).toBe("healthy");
    expect(verdictOf(run(5), rule).verdict).toBe("unhealthy");
  });

  it("fires on N failures and no success over all isolates, one success resets", () => {
    const window = windowOf(
      [GREEN, { requests: 3, errors: 3, run: 3 }],
      [GREEN, { requests: 2, timeouts: 2, run: 2 }],
    );
    expect(verdictOf(window, rule).verdict).toBe("unhealthy");
    add(window, GREEN, { requests: 1 });
    expect(verdictOf(window, rule).verdict).toBe("healthy");
  });

  it("does not count a run that began before the last resume", () => {
    const window = windowOf([GREEN, { requests: 2, errors: 1, run: 30 }]);
    expect(verdictOf(window, rule).verdict).toBe("healthy");
  });
});

describe("what breakers kept away", () => {
  const strict = { metric: "error_rate", above: 1, minRequests: 1_000_000 } as const;
  const visitors = [1, 2, 3];

  it("halts above 20 % of 10 s, whatever the minimums of the rules", () => {
    const window = windowOf([GREEN, { requests: 80, diverted: 21, visitors }]);
    const { verdict, rule } = verdictOf(window, strict);
    expect({ verdict, rule }).toEqual({ verdict: "unhealthy", rule: "diverted > 0.2" });
  });

  it("needs more than 20 %, 20 requests and 3 visitors", () => {
    const of = (t: object) => verdictOf(windowOf([GREEN, t]), strict).verdict;
    expect(of({ requests: 80, diverted: 20, visitors })).toBe("insufficient");
    expect(of({ requests: 1, diverted: 19, visitors })).toBe("insufficient");
    expect(of({ requests: 1, diverted: 50, visitors: [1, 2] })).toBe("insufficient");
  });

  it("finds it in any 10 s of the last minute", () => {
    const window = newWindow();
    add(window, GREEN, { requests: 10, diverted: 30, visitors }, 15);
    for (let tick = 1; tick < 14; tick++) add(window, GREEN, { requests: 100 }, tick);
    expect(verdictOf(window, strict).verdict).toBe("unhealthy");
  });
});

describe("the verdict of a flag", () => {
  it("is unmeasured when no isolate reports", () => {
    const input = {
      flag: flag([]),
      window: windowOf([GREEN, { requests: 9 }]),
      now: NOW,
      heardAt: NOW - 60_001,
    };
    expect(judge(input).verdict).toBe("unmeasured");
  });

  it("is the first rule that fires, else the first that cannot tell, else healthy", () => {
    const window = windowOf([GREEN, { requests: 100, errors: 10 }]);
    const fine = { metric: "error_rate", above: 0.5 } as const;
    const few = { metric: "error_rate", above: 0.5, minRequests: 500 } as const;
    const bad = { metric: "error_rate", above: 0.01 } as const;
    expect(verdictOf(window, fine, few, bad).rule).toBe("error_rate > 0.01");
    expect(verdictOf(window, fine, few).verdict).toBe("insufficient");
    expect(verdictOf(window, fine)).toMatchObject({
      verdict: "healthy",
      findings: [{ rule: "error_rate > 0.5" }],
    });
  });

  it("without rules is healthy once green had a request", () => {
    expect(verdictOf(windowOf([GREEN, { requests: 1 }])).verdict).toBe("healthy");
    expect(verdictOf(windowOf([BLUE, { requests: 1 }])).verdict).toBe("insufficient");
  });
});
