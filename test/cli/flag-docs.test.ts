import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FLAG_DOCS_FILE, flagDocsText } from "../../src/cli/flag-docs.ts";

test("the page on the flag document is what the schema says today (else: npm run schema)", () => {
  const file = join(import.meta.dirname, "../..", FLAG_DOCS_FILE);
  expect(readFileSync(file, "utf8")).toBe(flagDocsText());
});
