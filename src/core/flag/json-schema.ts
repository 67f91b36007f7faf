/** The JSON Schema of the flag document: for editors, which complete and check by it. */
import * as z from "zod";
import { cohort, directorySchema } from "./cohort.ts";
import { condition, objective } from "./condition.ts";
import { limit } from "./limit.ts";
import { receiver } from "./notify.ts";
import { gate, plan, stage } from "./plan.ts";
import { rule } from "./rule.ts";
import { documentSchema } from "./schema.ts";

/** Where it is kept, from the root of the repository; `npm run schema` writes it. */
export const JSON_SCHEMA_FILE = "fixtures/flags.schema.json";
/** The same of a directory of tenants. */
export const DIRECTORY_SCHEMA_FILE = "fixtures/directory.schema.json";

/** Parts that stand in several places: written once, by these names. */
const PARTS = { cohort, condition, gate, limit, objective, plan, receiver, rule, stage };

/** JSON Schema (draft 2020-12) of what an operator writes, as text. */
export function jsonSchemaText(): string {
  return textOf(documentSchema, "Greenlight flag document");
}

/** The same as an object. */
export function documentJsonSchema(): object {
  return JSON.parse(jsonSchemaText()) as object;
}

/** JSON Schema of a directory document, as text. */
export function directorySchemaText(): string {
  return textOf(directorySchema, "Greenlight directory of tenants");
}

function textOf(schema: z.ZodType, title: string): string {
  for (const [id, part] of Object.entries(PARTS)) {
    z.globalRegistry.add(part, { ...z.globalRegistry.get(part), id });
  }
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}
