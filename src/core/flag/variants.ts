/** Variants of plain flags: what they answer, by name. */
import type { Flag, Value } from "./schema.ts";

/** Names of the variants of a plain flag that names none. */
export const ON = "on";
export const OFF = "off";
const USUAL: Readonly<Record<string, Value>> = { [ON]: true, [OFF]: false };

/** What a plain flag can answer. */
export function variantsOf({ variants }: Pick<Flag, "variants">): Readonly<Record<string, Value>> {
  return variants ?? USUAL;
}

/** The type that all variants of a flag have, as JSON calls it; a list is an object here, as for OpenFeature. */
export function typeOf(value: Value): "string" | "number" | "boolean" | "object" | "null" {
  if (value === null) return "null";
  return typeof value as "string" | "number" | "boolean" | "object";
}
