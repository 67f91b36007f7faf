/** `npm run schema`: writes the JSON Schemas of what operators write, for editors, and the page that describes it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DIRECTORY_SCHEMA_FILE,
  directorySchemaText,
  JSON_SCHEMA_FILE,
  jsonSchemaText,
} from "../core/flag/json-schema.ts";
import { FLAG_DOCS_FILE, flagDocsText } from "./flag-docs.ts";
import { CLI_DOCS_FILE, HELP_FILE, helpText, withReference } from "./greenlight/help-text.ts";

const ROOT = join(import.meta.dirname, "../..");

for (const [file, text] of [
  [JSON_SCHEMA_FILE, jsonSchemaText()],
  [DIRECTORY_SCHEMA_FILE, directorySchemaText()],
  [FLAG_DOCS_FILE, flagDocsText()],
  [HELP_FILE, await helpText()],
  [CLI_DOCS_FILE, await withReference(readFileSync(join(ROOT, CLI_DOCS_FILE), "utf8"))],
] as const) {
  writeFileSync(join(ROOT, file), text);
  console.log(`wrote ${file}`);
}
