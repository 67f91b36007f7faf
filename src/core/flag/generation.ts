/** Generation of a flag: the identity of those fields of its spec that place visitors or judge green. */
import { hashText } from "../hashing/text.ts";
import type { Flag } from "./schema.ts";

/**
 * Hash of what places visitors (state, percentage, salt, rotation, stickBy, context, cohorts, environments,
 * dependencies) and of what judges green (release, plan, rules, sets of objectives, dry run). Notes, owner, description,
 * the route, health checks and fetched gauges are not in it: editing them moves nobody. Nor are overrides: they move
 * those whom they name, who are in no comparison, and leave the split of all others and what was learned of it as it
 * is. Nor are variants, which say what is answered and not to whom. Environments and dependencies decide who is in the
 * split at all; where there are none the hash is that of a flag from before they were known. The order of keys does not
 * matter, but for the cohorts, of which the first that admits a visitor counts; nor is that of `stickBy` free.
 */
export function generationOf(flag: Flag): string {
  const { state, percentage, salt, rotate, stickBy, context, release, plan, rules, slos, dryRun } = flag;
  const within = { environments: someOf(flag.environments), dependencies: someOf(flag.dependencies) };
  const placing = {
    state,
    percentage,
    salt,
    rotate,
    stickBy,
    context,
    cohorts: inOrder(flag.cohorts),
    ...within,
  };
  return hashText(canonicalJson({ ...placing, release, plan, rules, slos, dryRun }));
}

/** A list whose order is free; undefined where it says nothing. */
function someOf(list: readonly string[]): string[] | undefined {
  return list.length > 0 ? [...list].sort() : undefined;
}

/** Cohorts as a list, so that their order counts, without what is kept for people only. */
function inOrder(cohorts: Flag["cohorts"]): unknown[] {
  return Object.entries(cohorts).map(([name, { features: _, ...cohort }]) => [name, cohort]);
}

/** JSON with the keys of every object sorted. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
