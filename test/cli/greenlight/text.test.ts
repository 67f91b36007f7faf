/** Promises of words, numbers and tables of the command line. */
import { describe, expect, test, vi } from "vitest";
import { entryText } from "../../../src/cli/greenlight/change-text.ts";
import { failureText } from "../../../src/cli/greenlight/failure.ts";
import { nearest } from "../../../src/cli/greenlight/nearest.ts";
import { Output } from "../../../src/cli/greenlight/output.ts";
import { safeText } from "../../../src/cli/greenlight/safe-text.ts";
import { percent, ratio, table, when } from "../../../src/cli/greenlight/table.ts";
import { arrow, sparkline } from "../../../src/cli/greenlight/trend.ts";
import { duration, percentageOf, timeBefore, timeFrom } from "../../../src/cli/greenlight/words.ts";
import type { AuditEntry } from "../../../src/core/rollout/audit-chain.ts";

describe("words", () => {
  test.each([
    ["30s", 30_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["7d", 604_800_000],
    ["90", 90_000],
  ])("%s is a length of time", (text, ms) => expect(duration(text)).toBe(ms));

  test.each(["", "soon", "-5m", "0", "5 parsecs"])("%j is none", (text) =>
    expect(() => duration(text)).toThrow(),
  );

  test.each([
    ["0.5", 0.5],
    ["10%", 10],
    ["0.001", 0.001],
    ["29", 29],
    ["100", 100],
  ])("%s is a percentage", (text, value) => expect(percentageOf(text)).toBe(value));

  test.each(["101", "-1", "0.0001", "1e2", "ten", ""])("%j is none", (text) =>
    expect(() => percentageOf(text)).toThrow(),
  );

  test("a time may be one, or a length from or before now", () => {
    expect(timeFrom(1000)("1s")).toBe(2000);
    expect(timeBefore(5000)("1s")).toBe(4000);
    expect(() => timeFrom(Date.parse("2030-02-01"))("2030-01-31T12:00:00Z")).toThrow("past");
    expect(timeFrom(0)("2030-01-31T12:00:00Z")).toBe(Date.parse("2030-01-31T12:00:00Z"));
  });

  test("the word that was probably meant is the nearest, and none where none is near", () => {
    expect(nearest("lsit", ["list", "get"])).toBe("list");
    expect(nearest("frobnicate", ["list", "get"])).toBeUndefined();
  });
});

describe("numbers", () => {
  test("are read as people write them", () => {
    expect([percent(0.1 + 0.2), percent(100), ratio(0.0012345), ratio(null)]).toEqual([
      "0.3 %",
      "100 %",
      "0.123 %",
      "–",
    ]);
    expect(when(0, 5)).toBe("never");
    expect(when(1_000, 181_000)).toBe("1970-01-01 00:00:01 UTC (3 minutes ago)");
  });

  test("a trend has the arrow of its newer half, and gaps where nothing was measured", () => {
    expect([arrow([1, 1, 2, 2]), arrow([2, 2, 1, 1]), arrow([3, 3, 3]), arrow([null, 1])]).toEqual([
      "↑",
      "↓",
      "→",
      "",
    ]);
    expect(sparkline([0, null, 4, 8])).toBe("▁ ▅█");
    expect(sparkline([])).toBe("");
  });
});

describe("a table", () => {
  const out = new Output({ json: false, quiet: false, color: false }, {});
  const long = "word ".repeat(60).trim();

  test("is never wider than the terminal, and loses no word", () => {
    const text = table(out, ["flag", "why", "more"], [["checkout", long, long]]);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(out.width);
    expect(text.match(/word/g)).toHaveLength(120);
  });

  test("cuts no name, however narrow the terminal is", () => {
    const names = Array.from({ length: 6 }, (_, i) => `a-name-of-a-flag-that-is-really-long-${i}`);
    const text = table(out, names.map(String), [names]);
    for (const name of names) expect(text.split("\n").at(-1)).toContain(name);
  });
});

describe("what others have written", () => {
  const out = new Output({ json: false, quiet: false, color: false }, {});
  const hostile = "fine\u001b[2J\u001b]0;pwned\u0007\r\u009b1A\u202eevil";

  test("moves no cursor, hides nothing and turns nothing round in a terminal; our colours stay", () => {
    expect(safeText(hostile, true)).toBe("fine\\u001b[2J\\u001b]0;pwned\\u0007\\u000d\\u009b1A\\u202eevil");
    const red = "\u001b[31mred\u001b[39m";
    expect([safeText(red, true), safeText(red, false)]).toEqual([red, "\\u001b[31mred\\u001b[39m"]);
    expect(JSON.parse(safeText(JSON.stringify({ hostile }), false))).toEqual({ hostile });
    expect(safeText("a table\tof\nlines – 10 % ✓", false)).toBe("a table\tof\nlines – 10 % ✓");
  });

  test("is shown so at a terminal, and goes into a file as it is", () => {
    const written = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
    const before = process.stdout.isTTY;
    try {
      for (const isTTY of [true, false]) {
        process.stdout.isTTY = isTTY;
        out.line(hostile, () => hostile);
      }
      const [seen, kept] = written.mock.calls.map(([text]) => text);
      expect([seen, kept]).toEqual([`${safeText(hostile, false)}\n`, `${hostile}\n`]);
    } finally {
      process.stdout.isTTY = before;
      written.mockRestore();
    }
  });

  test("is one line an entry in the audit log", () => {
    const entry: AuditEntry = {
      id: 7,
      at: 0,
      who: "ci",
      how: "api",
      action: "set",
      flag: "shop",
      release: "1",
      previous: "off",
      next: "on",
      percentage: 100,
      reason: "fine\n    8  1970-01-01 00:00:00  kill  shop",
      figures: {},
      hash: "",
    };
    expect(entryText(out.paint, entry)).not.toContain("\n");
  });
});

test("an override stands in the audit log with what it says, and not with whose it is", () => {
  const entry = {
    id: 7,
    at: 0,
    who: "ann",
    how: "cli",
    action: "override",
    flag: "shop",
    release: "1",
    previous: "off",
    next: "off",
    percentage: 0,
    reason: "asked for it",
    figures: { of: "tenant", state: "on" },
    hash: "",
  } satisfies AuditEntry;
  const { paint } = new Output({ json: false, quiet: false, color: false }, {});
  expect(entryText(paint, entry)).toContain("override  shop 1  on for a tenant  ann (cli)  asked for it");
});

test("a failure says what, where, every fault with its path, and what to do", () => {
  const paint = { red: (text: string) => text, dim: (text: string) => text };
  const fault = { path: "flags.checkout.percentage", message: "101", expected: "0 to 100" };
  const failure = {
    exit: 3,
    sentence: "Nothing was stored.",
    where: "staging",
    faults: [fault],
    hint: "Mend it.",
  } as const;
  expect(failureText(failure, paint)).toBe(
    [
      "✗ Nothing was stored.",
      "  where: staging",
      "  • flags.checkout.percentage: 101; expected 0 to 100",
      "  → Mend it.",
    ].join("\n"),
  );
});
