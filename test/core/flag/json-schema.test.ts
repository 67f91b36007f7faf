/** Promises of the JSON Schema for editors: it is what `npm run schema` writes today. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  DIRECTORY_SCHEMA_FILE,
  directorySchemaText,
  JSON_SCHEMA_FILE,
  jsonSchemaText,
} from "../../../src/core/flag/json-schema.ts";

test.each([
  [JSON_SCHEMA_FILE, jsonSchemaText()],
  [DIRECTORY_SCHEMA_FILE, directorySchemaText()],
])("%s is not stale (else: npm run schema)", (name, text) => {
  expect(readFileSync(join(import.meta.dirname, "../../..", name), "utf8")).toBe(text);
});
