/** A copy of the audit log as people keep it: read from a file, put in order, and held against the original. */
import { readJson } from "../flag/json.ts";
import { type AuditEntry, type ChainCheck, canonicalJson } from "./audit-chain.ts";

/** Records in ascending order, or what is wrong with the text. */
export type CopyText = { ok: true; entries: AuditEntry[] } | { ok: false; sentence: string };

/** How a copy was made. */
export interface CopyOptions {
  /** It begins later than the log, as one does that a webhook was set up for afterwards. */
  partial: boolean;
  /** Milliseconds since the epoch: records of the original that are younger need not be in it. */
  madeAt: number;
}

/**
 * Reads JSON lines, a JSON array, or an answer of the API; each a record, or a message that holds one as `record`. A
 * webhook delivers at least once and in any order: the same record twice is one.
 */
export function readCopy(text: string): CopyText {
  const entries = new Map<number, AuditEntry>();
  for (const { where, json } of pieces(text)) {
    const read = readJson(json);
    if (!read.ok) return { ok: false, sentence: `${where} is not JSON.` };
    if (read.hidden.length > 0) return { ok: false, sentence: `${where} has one key twice.` };
    for (const entry of recordsIn(read.value)) {
      if (!isEntry(entry))
        return { ok: false, sentence: `${where} holds something that is no audit record.` };
      const twin = entries.get(entry.id);
      if (twin && canonicalJson(twin) !== canonicalJson(entry)) {
        return { ok: false, sentence: `Record ${entry.id} is there twice, and the two differ.` };
      }
      entries.set(entry.id, entry);
    }
  }
  return { ok: true, entries: [...entries.values()].sort((a, b) => a.id - b.id) };
}

/** Holds a copy against the original, both in ascending order, and names the first record that differs. */
export function compareCopy(
  copy: readonly AuditEntry[],
  original: readonly AuditEntry[],
  { partial, madeAt }: CopyOptions,
): ChainCheck {
  const [first, last] = [copy[0]?.id ?? 0, copy.at(-1)?.id ?? 0];
  const kept = new Map(copy.map((entry) => [entry.id, entry]));
  for (const entry of original) {
    const { id, at } = entry;
    const mine = kept.get(id);
    kept.delete(id);
    if (!mine) {
      if ((partial && id < first) || (id > last && at > madeAt)) continue;
      const when = new Date(at).toISOString();
      const sentence =
        id > last
          ? `The copy ends with record ${last}; record ${id} of ${when} is missing. If the copy was made before, say when.`
          : `Record ${id} of ${when} is missing.`;
      return { ok: false, id, sentence };
    }
    if (canonicalJson(mine) !== canonicalJson(entry)) {
      return {
        ok: false,
        id,
        sentence: `Record ${id} differs from the original in ${differing(mine, entry)}.`,
      };
    }
  }
  for (const id of kept.keys()) return { ok: false, id, sentence: `Record ${id} is not in the original.` };
  return { ok: true, last: { id: last, hash: copy.at(-1)?.hash ?? "" } };
}

/** The text as a whole if it is one JSON value over several lines or a list, else its lines. */
function pieces(text: string): { where: string; json: string }[] {
  const whole = text.trim();
  if (whole.startsWith("[") || readJson(whole).ok) return [{ where: "The file", json: whole }];
  return (
    text
      .split("\n")
      .map((json, i) => ({ where: `Line ${i + 1}`, json: json.trim() }))
      // npm says in such a line what it runs.
      .filter(({ json }) => json !== "" && !json.startsWith(">"))
  );
}

function recordsIn(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(recordsIn);
  if (!isObject(value)) return [value];
  if (Array.isArray(value.entries)) return value.entries.flatMap(recordsIn);
  return ["record" in value ? value.record : value];
}

function isEntry(value: unknown): value is AuditEntry {
  if (!isObject(value)) return false;
  const { id, hash } = value;
  return Number.isSafeInteger(id) && (id as number) > 0 && typeof hash === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names of the fields that differ. */
function differing(a: AuditEntry, b: AuditEntry): string {
  const theirs = new Map<string, unknown>(Object.entries(b));
  const mine = new Map<string, unknown>(Object.entries(a));
  const keys = new Set([...mine.keys(), ...theirs.keys()]);
  return [...keys]
    .filter((key) => canonicalJson(mine.get(key)) !== canonicalJson(theirs.get(key)))
    .join(", ");
}
