/** What is different between two documents, flag by flag and field by field, and which way it moves visitors. */
import { type Direction, directionOf } from "./direction.ts";
import type { ParsedDocument } from "./parse.ts";
import type { Flag } from "./schema.ts";

/** One field that is different. Ids of people are counted, never named; so are the entries of long lists. */
export interface FieldChange {
  /** `route.green`, `cohorts.beta.percentage`. */
  path: string;
  /** Undefined: it was not there, or is not. Defaults are filled in. */
  before: unknown;
  after: unknown;
}

/** One flag that is different. */
export interface FlagChange extends Direction {
  flag: string;
  fields: FieldChange[];
}

/** All that is different. Broken flags are neither added nor removed: they keep the form that they had. */
export interface Difference {
  added: string[];
  removed: string[];
  changed: FlagChange[];
  /** Fields of the document itself: the global switch, and who is told what. */
  document: FieldChange[];
}

/** Entries of a list that are shown; of a longer one it is said how many came and went. */
const MOST_SHOWN = 20;

/** Compares two documents. Flags are in the order of the document that they stand in, the changed in that of `after`. */
export function diffDocuments(before: ParsedDocument, after: ParsedDocument): Difference {
  const known = (document: ParsedDocument, name: string) =>
    document.flags.has(name) || document.broken.has(name);
  const changed: FlagChange[] = [];
  for (const [flag, now] of after.flags) {
    const was = before.flags.get(flag);
    if (was === undefined && !before.broken.has(flag)) continue;
    const fields = fieldsOf(was ?? {}, now);
    // What was broken was served in a form that this text does not tell.
    const way = was ? directionOf(was, now) : { raisesGreen: true, lowersGreen: true };
    if (fields.length > 0) changed.push({ flag, fields, ...way });
  }
  return {
    added: [...after.flags.keys()].filter((name) => !known(before, name)),
    removed: [...before.flags.keys(), ...before.broken.keys()].filter((name) => !known(after, name)),
    changed,
    document: fieldsOf(
      { enabled: before.enabled, notify: before.notify },
      { enabled: after.enabled, notify: after.notify },
    ),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(before: Partial<Flag> | Fields, after: Flag | Fields): FieldChange[] {
  return changesIn(before as Fields, after as Fields, "");
}

function changesIn(before: Fields, after: Fields, at: string): FieldChange[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changes = [...keys].flatMap((key) => {
    const [was, now] = [ownOf(before, key), ownOf(after, key)];
    const path = at === "" ? key : `${at}.${key}`;
    if (isSame(was, now)) return [];
    if (isCounted(key, was, now)) return [{ path, ...counted(idsOf(was), idsOf(now)) }];
    return isFields(was) && isFields(now) ? changesIn(was, now, path) : [{ path, before: was, after: now }];
  });
  // The first cohort that admits a visitor counts.
  if (changes.length === 0 && at === "cohorts" && !isSame(Object.keys(before), Object.keys(after)))
    return [{ path: at, before: Object.keys(before), after: Object.keys(after) }];
  return changes;
}

/** Fields that hold ids of people. */
const IDS: readonly string[] = ["users", "segments"];

function isCounted(key: string, was: unknown, now: unknown): boolean {
  const isLong = (value: unknown) => Array.isArray(value) && value.length > MOST_SHOWN;
  return IDS.includes(key) || isLong(was) || isLong(now);
}

/** What stands in a list, or in an object by key. */
function idsOf(value: unknown): Map<string, string> {
  if (Array.isArray(value)) return new Map(value.map((one) => [JSON.stringify(one), ""]));
  return new Map(isFields(value) ? Object.entries(value).map(([id, one]) => [id, JSON.stringify(one)]) : []);
}

function counted(was: Map<string, string>, now: Map<string, string>): { before: string; after: string } {
  const more = [...now.keys()].filter((id) => !was.has(id)).length;
  const gone = [...was.keys()].filter((id) => !now.has(id)).length;
  const other = [...now].filter(([id, text]) => was.has(id) && was.get(id) !== text).length;
  const parts = [[more, "more"] as const, [gone, "gone"] as const, [other, "changed"] as const];
  const words = parts.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`);
  const entries = (n: number) => (n === 1 ? "1 entry" : `${n} entries`);
  return { before: entries(was.size), after: [entries(now.size), words.join(", ")].join(": ") };
}

function ownOf(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
