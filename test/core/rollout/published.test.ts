/** Promises of published flags: nothing of a flag is lost, and what says nothing is not sent to every isolate. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import { flagSchema } from "../../../src/core/flag/schema.ts";
import { publishedFlag, wholeFlag } from "../../../src/core/rollout/published.ts";

test("a flag is the same after it was published, whatever it says", () => {
  const text = readFileSync(join(import.meta.dirname, "../../../fixtures/flags/example.json"), "utf8");
  const { flags } = parseDocument(text);
  expect(flags.size).toBeGreaterThan(2);
  for (const flag of flags.values()) expect(wholeFlag(publishedFlag(flag))).toEqual(flag);
});

test("a flag without overrides, environments and dependencies is published without a word of them", () => {
  const flag = flagSchema.parse({ state: "canary", percentage: 5 });
  const silent = /^(overrides|environments|dependencies|metadata|kind|o\w+Variant)$/;
  expect(Object.keys(publishedFlag(flag)).filter((key) => silent.test(key))).toEqual([]);
  expect(wholeFlag(publishedFlag(flag))).toEqual(flag);
});
