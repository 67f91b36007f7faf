/** `npm run schema`: writes the JSON Schema of the flag document for editors, and the page that describes it. */
import { writeFileSync } from "node:fs";
import { JSON_SCHEMA_FILE, jsonSchemaText } from "../core/flag/json-schema.ts";
import { FLAG_DOCS_FILE, flagDocsText } from "./flag-docs.ts";

for (const [file, text] of [
  [JSON_SCHEMA_FILE, jsonSchemaText()],
  [FLAG_DOCS_FILE, flagDocsText()],
] as const) {
  writeFileSync(new URL(`../../${file}`, import.meta.url), text);
  console.log(`wrote ${file}`);
}
