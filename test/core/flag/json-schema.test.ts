/** Promises of the JSON Schema for editors: it is what `npm run schema` writes today. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { JSON_SCHEMA_FILE, jsonSchemaText } from "../../../src/core/flag/json-schema.ts";

test("the file is not stale (else: npm run schema)", () => {
  const file = join(import.meta.dirname, "../../..", JSON_SCHEMA_FILE);
  expect(readFileSync(file, "utf8")).toBe(jsonSchemaText());
});
