/** Where ids of people stand in a document: faults go into logs, and none may name a person. */
import type { Path } from "./json.ts";

/** Lists of ids of people: faults go into logs, and no id may stand there. */
const ID_LISTS: readonly PropertyKey[] = ["users", "segments"];

/**
 * Place in a path of a key that is the id of a person; -1 without one. It is behind `flags`, the name, `overrides` and
 * `users`, or where a person has forgotten `users`.
 */
export function placeOfId(path: Path): number {
  if (path[0] !== "flags" || path[2] !== "overrides" || path.length <= 3) return -1;
  if (path[3] === "users") return path.length > 4 ? 4 : -1;
  return path[3] === "tenants" ? -1 : 3;
}

/** The path with the number of an override in the place of the id that it is for. */
export function nameless(path: Path, value: unknown, depth: number): Path {
  const at = placeOfId(path);
  if (at < 0) return path;
  const overrides = valueAt(value, path.slice(depth, at));
  const keys = typeof overrides === "object" && overrides !== null ? Object.keys(overrides) : [];
  return [...path.slice(0, at), keys.indexOf(String(path[at])), ...path.slice(at + 1)];
}

/** The path up to where the id of a person stands in it. */
export function withoutId(path: Path): Path {
  const at = placeOfId(path);
  return at < 0 ? path : path.slice(0, at);
}

/** Is what stands there the id of a person, or may it be? */
export function isId(path: Path, found: unknown): found is string | number {
  if (typeof found !== "string" && typeof found !== "number") return false;
  // In the place of overrides a person may have written ids.
  if (path[2] === "overrides") return path.length <= 5 && path[3] !== "tenants";
  return (path[0] === "groups" && path.length > 1) || path.some((part) => ID_LISTS.includes(part));
}

/** What stands at a path. */
export function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const part of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, part)) return undefined;
    here = (here as Record<PropertyKey, unknown>)[part];
  }
  return here;
}
