/** `npm run schema`: writes the JSON Schema of the flag document for editors. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { JSON_SCHEMA_FILE, jsonSchemaText } from "../core/flag/json-schema.ts";

writeFileSync(join(import.meta.dirname, "../..", JSON_SCHEMA_FILE), jsonSchemaText());
console.log(`wrote ${JSON_SCHEMA_FILE}`);
