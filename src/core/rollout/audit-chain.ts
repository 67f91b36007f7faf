/**
 * The chain of the audit log: each record carries the hash of itself and of the one before, so that a copy shows by
 * itself whether anything in it was changed, taken out, put in or exchanged.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** How a change came in. */
export type How = "api" | "cli" | "kv" | "controller";

/** What is written down of a change. */
export interface AuditRecord {
  /** Milliseconds since the epoch. */
  at: number;
  /** Who changed it: user of the API, `kv` for a hand edit, `controller` for what it decided itself. */
  who: string;
  how: How;
  /** What was done: `halt`, `resume`, `adopt`, `advance`, … */
  action: string;
  /** Null where it is about the whole document. */
  flag: string | null;
  release: string | null;
  /** Value before and after, in words (`canary 10 %`); null where nothing has a value. */
  previous: string | null;
  next: string | null;
  /** Share of green after it, 0 to 100; null where it is about no flag. */
  percentage: number | null;
  /** The sentence a person reads; of a decision the rule and what was measured are in `figures` as well. */
  reason: string;
  figures: Record<string, string | number | string[]>;
}

/** A record in its place of the chain. */
export interface AuditEntry extends AuditRecord {
  /** From 1, without gaps. */
  id: number;
  /** SHA-256 in hex, see `hashOf`. */
  hash: string;
}

/** Where a chain stands: its last record. */
export type Link = Pick<AuditEntry, "id" | "hash">;

/** Before the first record. */
export const CHAIN_START: Link = { id: 0, hash: "0".repeat(64) };

/** A chain that holds, or the first record that does not and why. */
export type ChainCheck = { ok: true; last: Link } | { ok: false; id: number; sentence: string };

/**
 * JSON in one way only: keys sorted by UTF-16, no spaces, what JSON cannot say left out as JSON does (RFC 8785 for what
 * an audit record may hold).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const pairs = Object.entries(value).filter(([, inner]) => inner !== undefined);
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(",")}}`;
}

/** Hash of a record in its place: SHA-256 of the hash before, a line feed, and the canonical JSON without the hash. */
export function hashOf(before: string, entry: Omit<AuditEntry, "hash">): string {
  return bytesToHex(sha256(utf8ToBytes(`${before}\n${canonicalJson({ ...entry, hash: undefined })}`)));
}

/** Puts a record behind the last one. */
export function linked(last: Link, record: AuditRecord): AuditEntry {
  // As it will be read from a copy: JSON has no undefined, no -0 and no NaN.
  const entry = JSON.parse(canonicalJson({ ...record, id: last.id + 1 })) as Omit<AuditEntry, "hash">;
  return { ...entry, hash: hashOf(last.hash, entry) };
}

/**
 * Checks records in ascending order, by themselves. `after`: the record before them, where they are the rest of a chain.
 * Records missing at the end are found by a look at the original only.
 */
export function verifyChain(entries: readonly AuditEntry[], after: Link = CHAIN_START): ChainCheck {
  let last = after;
  for (const entry of entries) {
    const { id, hash } = entry;
    const wrong = (sentence: string): ChainCheck => ({ ok: false, id, sentence });
    if (id <= last.id) return wrong(`Record ${id} stands after record ${last.id}.`);
    if (id > last.id + 1) {
      const sentence =
        id === last.id + 2
          ? `Record ${id - 1} is missing.`
          : `Records ${last.id + 1} to ${id - 1} are missing.`;
      return { ok: false, id: last.id + 1, sentence };
    }
    if (hash !== hashOf(last.hash, entry)) {
      return wrong(
        `Record ${id} does not have the hash that it says: it, or the record before it, was changed.`,
      );
    }
    last = { id, hash };
  }
  return { ok: true, last };
}
