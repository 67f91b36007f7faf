/** `npm run schema`: writes the JSON Schemas of what operators write, for editors, and the page that describes it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DIRECTORY_SCHEMA_FILE,
  directorySchemaText,
  JSON_SCHEMA_FILE,
  jsonSchemaText,
} from "../core/flag/json-schema.ts";
import { FLAG_DOCS_FILE, flagDocsText } from "./flag-docs.ts";

for (const [file, text] of [
  [JSON_SCHEMA_FILE, jsonSchemaText()],
  [DIRECTORY_SCHEMA_FILE, directorySchemaText()],
  [FLAG_DOCS_FILE, flagDocsText()],
] as const) {
  writeFileSync(join(import.meta.dirname, "../..", file), text);
  console.log(`wrote ${file}`);
}
