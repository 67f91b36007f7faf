/** Conditions of other systems about who asks, in the words of our cohorts. */
import type { Value } from "../../flag/schema.ts";

/** Whom a condition is true for: anybody who matches one of a list, or all attributes. */
export type Audience =
  | { kind: "users" | "groups" | "tenants"; ids: string[] }
  | { kind: "attributes"; attributes: Record<string, string[]> };

/** Names under which other systems have the id that is hashed. */
const KEYS = ["targetingKey", "userId"];
const ATTRIBUTE = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const LONGEST = 256;

/** Those whose attribute is one of these values; undefined where a cohort cannot say it. */
export function audienceOf(attribute: string, values: readonly unknown[]): Audience | undefined {
  const ids = values.map((value) => (typeof value === "object" ? "" : String(value)));
  if (ids.length === 0 || ids.some((id) => id === "" || id.length > LONGEST)) return undefined;
  if (KEYS.includes(attribute)) return { kind: "users", ids };
  if (attribute === "group") return { kind: "groups", ids };
  if (attribute === "tenant") return { kind: "tenants", ids };
  return ATTRIBUTE.test(attribute) ? { kind: "attributes", attributes: { [attribute]: ids } } : undefined;
}

/** Those who are in all of these; undefined where a cohort cannot say it. */
export function allOf(audiences: readonly Audience[]): Audience | undefined {
  if (audiences.length === 1) return audiences[0];
  const attributes: Record<string, string[]> = {};
  for (const audience of audiences) {
    const part = asAttributes(audience);
    if (part === undefined) return undefined;
    for (const [name, values] of Object.entries(part))
      attributes[name] = attributes[name]?.filter((value) => values.includes(value)) ?? values;
  }
  // Values that exclude each other: nobody has both.
  if (audiences.length === 0 || Object.values(attributes).some((values) => values.length === 0))
    return undefined;
  return { kind: "attributes", attributes };
}

function asAttributes(audience: Audience): Record<string, string[]> | undefined {
  switch (audience.kind) {
    case "attributes":
      return audience.attributes;
    case "groups":
      return { group: audience.ids };
    case "tenants":
      return { tenant: audience.ids };
    default:
      return undefined;
  }
}

/** The audience as a cohort. */
export function cohortOf(audience: Audience): { [key: string]: Value } {
  if (audience.kind === "attributes") return { attributes: audience.attributes };
  return { [audience.kind]: [...new Set(audience.ids)] };
}
