import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rules } from "../../../src/core/flag/rule.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/halting.md"), "utf8");
const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) => json!);

test("the rules that the page on halting shows can be put into a flag as they are", () => {
  expect(examples.length).toBeGreaterThan(0);
  for (const json of examples) expect(rules.safeParse(JSON.parse(json)).error, json).toBeUndefined();
});
