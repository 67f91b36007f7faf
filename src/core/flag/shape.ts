/** Looks into a schema: which keys may stand at a place of a document. */
import type { z } from "zod";
import type { Path } from "./json.ts";

/**
 * Keys that the schema knows at a path, in the schema's order. Where several forms may stand there: of those whose
 * number is in `options`, or else of all.
 */
export function keysAt(schema: z.core.$ZodType, path: Path, options?: readonly number[]): string[] {
  let here = forms(schema);
  for (const part of path) here = here.flatMap((form) => memberOf(form, String(part)).flatMap(forms));
  const meant = options ? here.filter((_, i) => options.includes(i)) : here;
  return [
    ...new Set(meant.flatMap(({ _zod: { def } }) => (def.type === "object" ? Object.keys(def.shape) : []))),
  ];
}

/** What a schema may be once defaults, options and the like are taken off. */
function forms(schema: z.core.$ZodType): z.core.$ZodTypes[] {
  const known = schema as z.core.$ZodTypes;
  const { def } = known._zod;
  switch (def.type) {
    case "optional":
    case "default":
    case "prefault":
      return forms(def.innerType);
    case "pipe":
      return forms(def.in);
    case "union":
      return def.options.flatMap(forms);
    default:
      return [known];
  }
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
