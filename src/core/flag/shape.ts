/** Looks into a schema: which keys may stand at a place of a document. */
import type { z } from "zod";
import type { Path } from "./json.ts";

/**
 * Keys that the schema knows at a path, in the schema's order. Where several forms may stand there: of those whose
 * number is in `options`, of the one that `value` names by a word such as `metric`, or else of all.
 */
export function keysAt(
  schema: z.core.$ZodType,
  path: Path,
  value: unknown,
  options?: readonly number[],
): string[] {
  let [here, there] = [forms(schema, value), value];
  for (const part of path) {
    const found = memberOfValue(there, part);
    here = here.flatMap((form) => memberOf(form, String(part)).flatMap((member) => forms(member, found)));
    there = found;
  }
  const meant = options ? here.filter((_, i) => options.includes(i)) : here;
  return [
    ...new Set(meant.flatMap(({ _zod: { def } }) => (def.type === "object" ? Object.keys(def.shape) : []))),
  ];
}

/** What a schema may be once defaults, options and the like are taken off. */
function forms(schema: z.core.$ZodType, value: unknown): z.core.$ZodTypes[] {
  const known = schema as z.core.$ZodTypes;
  const { def } = known._zod;
  switch (def.type) {
    case "optional":
    case "default":
    case "prefault":
      return forms(def.innerType, value);
    case "pipe":
      return forms(def.in, value);
    case "union":
      return named(
        def.options,
        "discriminator" in def ? String(def.discriminator) : undefined,
        value,
      ).flatMap((option) => forms(option, value));
    default:
      return [known];
  }
}

/** Of forms that are told by the word at `key`: the one that the value names, or all if it names none. */
function named(
  options: readonly z.core.$ZodType[],
  key: string | undefined,
  value: unknown,
): readonly z.core.$ZodType[] {
  if (key === undefined) return options;
  const word = memberOfValue(value, key) as z.core.util.Primitive;
  const meant = options.filter((option) => option._zod.propValues?.[key]?.has(word));
  return meant.length > 0 ? meant : options;
}

function memberOfValue(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<PropertyKey, unknown>)[key];
}

function memberOf(form: z.core.$ZodTypes, key: string): z.core.$ZodType[] {
  const { def } = form._zod;
  switch (def.type) {
    case "object":
      return def.shape[key] ? [def.shape[key]] : [];
    case "record":
      return [def.valueType];
    case "array":
      return [def.element];
    default:
      return [];
  }
}
