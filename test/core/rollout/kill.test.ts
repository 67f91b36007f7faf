/** Promises of the kill key: it keeps what others wrote, and doing a thing twice is doing it once. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isKilled, killedNames, withKilled, withoutKilled } from "../../../src/core/rollout/kill.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9._-]{0,8}$/);
const text = fc
  .array(fc.oneof(name, fc.constant("*"), fc.constantFrom(" ", "\n", "\t")))
  .map((w) => w.join(" "));

describe("the kill key", () => {
  test.each([
    ["", "shop", "shop"],
    [" ", "shop", "shop"],
    ["search", "shop", "search shop"],
    ["search\n shop", "shop", "search\n shop"],
    ["*", "shop", "* shop"],
    ["search", "*", "search *"],
  ])("%j with %s is %j", (before, flag, after) => {
    expect(withKilled(before, flag)).toBe(after);
  });

  test.each([
    ["shop", "shop", ""],
    ["search  shop ", "shop", "search"],
    ["search", "shop", "search"],
    ["* shop", "shop", "*"],
    ["* shop", "*", "shop"],
  ])("%j without %s is %j", (before, flag, after) => {
    expect(withoutKilled(before, flag)).toBe(after);
  });

  test("killing twice is killing once, and every other name stays as it was", () => {
    fc.assert(
      fc.property(text, name, name, (before, flag, other) => {
        const after = withKilled(before, flag);
        expect(isKilled(after, flag)).toBe(true);
        expect(withKilled(after, flag)).toBe(after);
        if (other !== flag) expect(isKilled(after, other)).toBe(isKilled(before, other));
        const lifted = withoutKilled(after, flag);
        expect(killedNames(lifted)).toEqual(killedNames(before).filter((n) => n !== flag));
      }),
      { numRuns: 200 },
    );
  });
});
