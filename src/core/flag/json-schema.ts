/** The JSON Schema of the flag document: for editors, which complete and check by it. */
import * as z from "zod";
import { documentSchema } from "./schema.ts";

/** Where it is kept, from the root of the repository; `npm run schema` writes it. */
export const JSON_SCHEMA_FILE = "fixtures/flags.schema.json";

/** JSON Schema (draft 2020-12) of what an operator writes, as text. */
export function jsonSchemaText(): string {
  const { $schema, ...rest } = z.toJSONSchema(documentSchema, { io: "input" });
  return `${JSON.stringify({ $schema, title: "Greenlight flag document", ...rest }, null, 2)}\n`;
}
