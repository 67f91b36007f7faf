import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseDirectory } from "../../../src/core/flag/directory.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import { rules } from "../../../src/core/flag/rule.ts";

const read = (name: string) => readFileSync(join(import.meta.dirname, "../../..", name), "utf8");
const examplesIn = (name: string) =>
  [...read(name).matchAll(/```jsonc?\n([\s\S]*?)```/g)].map(([, json]) =>
    json!.replaceAll(/ \/\/ .*$/gm, ""),
  );

test("the rules that the page on halting shows can be put into a flag as they are", () => {
  const examples = examplesIn("docs/halting.md");
  expect(examples.length).toBeGreaterThan(0);
  for (const json of examples) expect(rules.safeParse(JSON.parse(json)).error, json).toBeUndefined();
});

test("the rules, gates and sets that the page on rules shows fit together in one flag", () => {
  const [written, gates, slos] = examplesIn("docs/rules.md").map((json) => JSON.parse(json) as unknown);
  const plan = { stages: [{ percentage: 5, exit: gates }, { percentage: 100 }] };
  const flag = { state: "canary", rules: written, plan, slos };
  expect(parseDocument(JSON.stringify({ flags: { shop: flag } })).faults).toEqual([]);
});

test.each(["README.md", "docs/cohorts.md"])("the documents that %s shows have no fault", (name) => {
  const shown = examplesIn(name);
  expect(shown.length).toBeGreaterThan(0);
  for (const json of shown) {
    if (json.includes('"flags"')) expect(parseDocument(json).faults, json).toEqual([]);
    else expect(parseDirectory(json), json).toMatchObject({ ok: true });
  }
});
