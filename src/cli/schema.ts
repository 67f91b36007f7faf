/** `npm run schema`: writes the schemas of what operators write and of the API, and the pages that describe them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { API_PAGE, OPENAPI_FILE, openApiText, withRoutes } from "../admin/openapi.ts";
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
  [OPENAPI_FILE, openApiText()],
  [API_PAGE, withRoutes(readFileSync(join(ROOT, API_PAGE), "utf8"))],
  [HELP_FILE, await helpText()],
  [CLI_DOCS_FILE, await withReference(readFileSync(join(ROOT, CLI_DOCS_FILE), "utf8"))],
] as const) {
  writeFileSync(join(ROOT, file), text);
  console.log(`wrote ${file}`);
}
