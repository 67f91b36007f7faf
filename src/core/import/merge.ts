/** Puts an import into a document that is there: what the source says is so, all else stays. */
import { parseDocument } from "../flag/parse.ts";
import type { Value } from "../flag/schema.ts";
import { aboutOf } from "./from/halts.ts";
import type { Imported, Loss, WrittenDocument, WrittenFlag } from "./imported.ts";
import { isRecord } from "./piece.ts";
import { sound } from "./sound.ts";

/** What a merge did to one flag. */
export interface Change {
  flag: string;
  kind: "added" | "changed" | "same";
  /** Fields that are different now; `cohorts.beta` of an object. */
  fields: string[];
}

/** The document with the import in it. */
export interface Merged {
  document: WrittenDocument;
  changes: Change[];
  /** What the document that was there cannot take. */
  losses: Loss[];
}

/** Fields whose entries are merged one by one. */
const PARTED = ["cohorts", "metadata", "context"];
/** Fields of a plain flag, which one with a route cannot have. */
const PLAIN_ONLY = ["variants", "onVariant", "offVariant"];
/** Systems that know of the state `kill`, and so may take it away. */
const KNOW_KILL: readonly string[] = ["greenlight", "thorbis"];

/**
 * Merges. A flag that is killed here stays so, unless the source's system has that state itself. Fields that the
 * source only assumes are left as they are; those that it denies by leaving them out go.
 */
export function mergeInto(existing: WrittenDocument, imported: Extract<Imported, { ok: true }>): Merged {
  const { document: source, format } = imported;
  const document: WrittenDocument = { ...existing, flags: { ...existing.flags } };
  const losses: Loss[] = [];
  const changes: Change[] = [];
  for (const [key, value] of Object.entries(source)) {
    if (key !== "flags") document[key] = isRecord(value) ? { ...asRecord(existing[key]), ...value } : value;
  }
  for (const [name, flag] of Object.entries(source.flags)) {
    const before = Object.hasOwn(existing.flags, name) ? existing.flags[name] : undefined;
    if (before === undefined || format === "greenlight") {
      document.flags[name] = flag;
      changes.push(changeOf(name, before, flag));
      continue;
    }
    const assumed = imported.assumed[name] ?? [];
    const said = Object.fromEntries(Object.entries(flag).filter(([field]) => !assumed.includes(field)));
    const after = merged(before, said, imported.absent[name] ?? []);
    losses.push(...settle(name, before, after, format));
    document.flags[name] = after;
    changes.push(changeOf(name, before, after));
  }
  if (parseDocument(JSON.stringify(existing)).faults.length === 0) losses.push(...sound(document, []));
  return { document, changes, losses };
}

function merged(before: WrittenFlag, said: WrittenFlag, absent: readonly string[]): WrittenFlag {
  const after = without(before, absent);
  for (const [field, value] of Object.entries(said)) {
    if (PARTED.includes(field) && isRecord(value)) after[field] = { ...asRecord(after[field]), ...value };
    else if (field === "overrides" && isRecord(value)) after[field] = mergedOverrides(after[field], value);
    else if (field === "rules" && Array.isArray(after[field]))
      after[field] = mergedRules(after[field], value);
    else after[field] = value;
  }
  return after;
}

/** The flag without these fields. An object that is empty then goes as well. */
function without(flag: WrittenFlag, absent: readonly string[]): WrittenFlag {
  const after: WrittenFlag = { ...flag };
  for (const place of absent) {
    const [field, part] = splitAt(place);
    const inside = after[field];
    if (part === undefined) delete after[field];
    else if (isRecord(inside)) {
      const isGone = (key: string) => (part.endsWith("*") ? key.startsWith(part.slice(0, -1)) : key === part);
      const kept = Object.entries(inside).filter(([key]) => !isGone(key));
      if (kept.length > 0 || Object.keys(inside).length === 0) after[field] = Object.fromEntries(kept);
      else delete after[field];
    }
  }
  return after;
}

function splitAt(place: string): [string, string | undefined] {
  const dot = place.indexOf(".");
  return dot < 0 ? [place, undefined] : [place.slice(0, dot), place.slice(dot + 1)];
}

function mergedOverrides(before: unknown, said: Record<string, unknown>): Value {
  const after: Record<string, unknown> = { ...asRecord(before) };
  for (const [of, entries] of Object.entries(said))
    after[of] = { ...asRecord(after[of]), ...asRecord(entries) };
  return after;
}

/** Of two rules about the same the new one counts, in the place of the old. */
function mergedRules(before: readonly unknown[], said: unknown): Value {
  const rules = [...before];
  for (const rule of Array.isArray(said) ? said : []) {
    const i = rules.findIndex((old) => aboutOf(old) === aboutOf(rule));
    if (i < 0) rules.push(rule);
    else rules[i] = rule;
  }
  return rules;
}

/** Brings what was there and what was said together where they do not fit. */
function settle(name: string, before: WrittenFlag, after: WrittenFlag, format: string): Loss[] {
  const losses: Loss[] = [];
  if (before.state === "kill" && after.state !== "kill" && !KNOW_KILL.includes(format)) {
    const value = String(after.state);
    after.state = "kill";
    losses.push({
      path: `flags.${name}.state`,
      value,
      kind: "lost",
      sentence: "The flag is killed here and stays so: a person lifts that.",
    });
  }
  if (after.state === "shadow" && after.percentage !== undefined) after.percentage = 0;
  const plain = after.route === undefined ? [] : PLAIN_ONLY.filter((field) => field in after);
  for (const field of plain) {
    delete after[field];
    const sentence = "The flag has a route: its variants are blue and green.";
    losses.push({ path: `flags.${name}.${field}`, value: field, kind: "lost", sentence });
  }
  return losses;
}

function changeOf(flag: string, before: WrittenFlag | undefined, after: WrittenFlag): Change {
  if (before === undefined) return { flag, kind: "added", fields: Object.keys(after) };
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const fields = [...names].flatMap((field) => {
    const [old, now] = [before[field], after[field]];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    if (!PARTED.includes(field)) return [field];
    const parts = new Set([...Object.keys(asRecord(old)), ...Object.keys(asRecord(now))]);
    return [...parts]
      .filter((part) => JSON.stringify(asRecord(old)[part]) !== JSON.stringify(asRecord(now)[part]))
      .map((part) => `${field}.${part}`);
  });
  return { flag, kind: fields.length > 0 ? "changed" : "same", fields };
}

function asRecord(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
