import { describe, expect, it } from "vitest";
import { rowId } from "../../../src/core/analysis/tally.ts";
import {
  loadWindow,
  newWindow,
  pruneWindow,
  saveWindow,
  takeCell,
  trailing,
} from "../../../src/core/analysis/window.ts";
import { add, NOW, row, TICK, tally, windowOf } from "./counts.ts";

const GREEN = { variant: "green" } as const;

describe("a window", () => {
  it("takes a tick for 40 s after its end, and no longer", () => {
    const window = newWindow();
    expect(add(window, GREEN, { requests: 1 }, 21)).toBe(true);
    expect(add(window, GREEN, { requests: 1 }, 22)).toBe(false);
  });

  it("refuses what comes from a clock more than 5 s ahead", () => {
    const window = newWindow();
    expect(add(window, GREEN, { requests: 1 }, -2)).toBe(true);
    expect(add(window, GREEN, { requests: 1 }, -3)).toBe(false);
    expect(trailing(window, NOW, 60_000).green.all.requests).toBe(1);
  });

  it("takes nothing that started before the resume, the tick of the resume included", () => {
    const window = newWindow(NOW - 1);
    const cell = { row: row(), tick: TICK - 1, tally: tally({ requests: 1 }) };
    expect(takeCell(window, rowId(row()), cell, NOW)).toBe(false);
    expect(takeCell(window, rowId(row()), { ...cell, tick: TICK }, NOW)).toBe(true);
  });

  it("stays bounded: old ticks go, cohorts share a tally", () => {
    const window = newWindow();
    for (let i = 0; i < 1000; i++) {
      const at = NOW + i * 2000;
      for (const cohort of ["a", "b", "c"]) {
        const key = row({ cohort });
        takeCell(window, rowId(key), { row: key, tick: TICK + i, tally: tally({ requests: 1 }) }, at);
      }
      pruneWindow(window, at);
    }
    expect(window.ticks.size).toBeLessThanOrEqual(32);
    expect([...window.ticks.values()].every((groups) => groups.size === 1)).toBe(true);
  });

  it("does not change what it was given", () => {
    const window = newWindow();
    const t = tally({ requests: 1, latency: { 3: 1 } });
    const cell = { row: row(), tick: TICK, tally: t };
    takeCell(window, rowId(row()), cell, NOW);
    takeCell(window, rowId(row()), cell, NOW);
    expect(t).toEqual(tally({ requests: 1, latency: { 3: 1 } }));
  });

  it("survives JSON", () => {
    const window = windowOf(
      [GREEN, { requests: 3, errors: 2, latency: { 5: 3 } }],
      [{ variant: "blue" }, { requests: 4 }],
    );
    const again = loadWindow(JSON.parse(JSON.stringify(saveWindow(window))));
    expect(again).toEqual(window);
  });
});
