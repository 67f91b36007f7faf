/** Promise: the format of a file is told by its shape, and where two would do, or none, that is said. */
import { expect, test } from "vitest";
import { importFrom } from "../../../src/core/import/import.ts";
import { FIXTURES } from "./fixtures.ts";

const FORMAT_OF: Record<string, string[]> = {
  ecotrips: ["ecotrips"],
  orca: ["orca-env", "orca-rows"],
  togetheros: ["togetheros"],
  "canary-plan": ["canary-plan", "canary-alerts"],
  thorbis: ["thorbis"],
  flagd: ["flagd"],
  unleash: ["unleash"],
};

test.each(FIXTURES)("$file is known by its shape", ({ file, value }) => {
  const result = importFrom("auto", { value });
  expect(FORMAT_OF[file.split("/")[0]!]).toContain(result.ok ? result.format : result.sentence);
});

test.each([
  ["nothing that is known", { hello: { world: 1 } }, /No format that is known/],
  ["no flags at all", [], /No format that is known/],
  ["two systems at once", { flags: { a: { state: "on" } }, a_pct: 5 }, /could be greenlight or ecotrips/],
])("%s: the sentence says what to do", (_, value, words) => {
  const result = importFrom("auto", { value });
  expect(result).toMatchObject({ ok: false, sentence: expect.stringMatching(words) as string });
  expect(result).toMatchObject({ sentence: expect.stringContaining("--format") as string });
});

test("a document of ours with a fault is refused with its place", () => {
  const value = { flags: { a: { state: "on", percentage: 200 } } };
  expect(importFrom("auto", { value })).toMatchObject({ ok: false, path: "flags.a.percentage" });
});
