/** Generation of a flag: the identity of those fields of its spec that place visitors or judge green. */
import { hashText } from "../hashing/text.ts";
import type { Flag } from "./schema.ts";

/**
 * Hash of state, percentage, salt, stickBy, cohorts, release, rules and dry run. Notes, owner, description and the route are
 * not in it: editing them moves nobody. The order of keys does not matter; the order of `stickBy` does.
 */
export function generationOf(flag: Flag): string {
  const { state, percentage, salt, stickBy, cohorts, release, rules, dryRun } = flag;
  return hashText(canonicalJson({ state, percentage, salt, stickBy, cohorts, release, rules, dryRun }));
}

/** JSON with the keys of every object sorted. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
