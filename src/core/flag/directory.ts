/** Reads a directory document: the tenants with their attributes, from whom cohorts are chosen. */
import type { Fault } from "../rollout/snapshot.ts";
import { type Directory, directorySchema } from "./cohort.ts";
import { check } from "./faults.ts";
import { readJson } from "./json.ts";
import { hiddenKey } from "./parts.ts";
import type { Flag } from "./schema.ts";

/** Largest directory, characters. */
export const MAX_DIRECTORY = 10_000_000;

/** What was read, or what is wrong with it. */
export type ReadDirectory = { ok: true; directory: Directory } | { ok: false; faults: Fault[] };

/** KV key of a directory. */
export function directoryKey(name: string): string {
  return `directory:${name}`;
}

/** Reads a text. Never throws. */
export function parseDirectory(text: string): ReadDirectory {
  if (text.length > MAX_DIRECTORY) {
    const limit = `${MAX_DIRECTORY} characters`;
    return { ok: false, faults: [{ path: "", message: `more than ${limit}`, expected: `at most ${limit}` }] };
  }
  const json = readJson(text);
  if (!json.ok) return { ok: false, faults: [json.fault] };
  const found = check(directorySchema, json.value, []);
  if (!found.ok) return found;
  if (json.hidden.length > 0) return { ok: false, faults: json.hidden.map(hiddenKey) };
  return { ok: true, directory: found.data };
}

/** Names of the directories that flags choose from. */
export function directoriesOf(flags: Iterable<Flag>): Set<string> {
  const names = new Set<string>();
  for (const { cohorts } of flags) {
    for (const { select } of Object.values(cohorts)) if (select) names.add(select.directory);
  }
  return names;
}
