/** Bearer tokens of the API as they are kept: by name, role and SHA-256, never in the clear. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { isName, NAME_WORDS } from "../flag/schema.ts";

/**
 * What a caller may do, each more than the one before but `reporter`, which only pushes events, gauges and alerts:
 * `viewer` reads, `operator` moves traffic (rollouts, percentages, overrides, kill), `admin` edits flags.
 */
export type Role = "reporter" | "viewer" | "operator" | "admin";

export const ROLES: readonly Role[] = ["reporter", "viewer", "operator", "admin"];

/** One token. `ADMIN_TOKENS` holds any number of `NAME:ROLE:SHA256HEX` or `NAME:ROLE:SHA256HEX:EXPIRES`, by spaces or lines. */
export interface KnownToken {
  name: string;
  role: Role;
  /** SHA-256 of the token, 64 hex digits. */
  sha256: string;
  /** Milliseconds since the epoch; undefined: never. */
  expires: number | undefined;
}

/** The variable that holds the tokens. */
export const TOKENS_VARIABLE = "ADMIN_TOKENS";

/** A shorter token is treated as none: it could be guessed. */
export const MIN_TOKEN_LENGTH = 16;

/** How tokens made here begin, so that a scanner of leaked secrets can know one. */
export const TOKEN_PREFIX = "greenlight_";

const SHA256_HEX = /^[0-9a-f]{64}$/i;
/** A day or a moment of UTC; without a zone a time would mean another moment elsewhere. */
const EXPIRES = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/;
/** What stands in the place of a name but may be a token or a hash: never repeated in a message. */
const SECRET_LIKE = new RegExp(`^(${TOKEN_PREFIX}|[0-9a-f]{16})`, "i");

export function isRole(text: unknown): text is Role {
  return ROLES.includes(text as Role);
}

/** Is the token long enough to count as one? */
export function isStrong(token: string): boolean {
  return token.length >= MIN_TOKEN_LENGTH;
}

/** SHA-256 of the token's UTF-8, 64 hex digits in lower case. */
export function hashToken(token: string): string {
  return bytesToHex(sha256(utf8ToBytes(token)));
}

/** The token as `ADMIN_TOKENS` holds it. Throws where name or role could not be read back. */
export function tokenLine({ name, role, sha256, expires }: KnownToken): string {
  if (!isName(name)) throw new RangeError(`${NAME_WORDS} was expected for a token's name`);
  const until = expires === undefined ? "" : `:${new Date(expires).toISOString().replace(".000Z", "Z")}`;
  return `${name}:${role}:${sha256}${until}`;
}

/**
 * Reads `ADMIN_TOKENS`. A bad entry is left out and shuts none of the others out. A fault names place and name, and
 * never repeats what stands there: it may be a token in the clear.
 */
export function parseTokens(text: string): { tokens: KnownToken[]; faults: string[] } {
  const tokens: KnownToken[] = [];
  const faults: string[] = [];
  for (const [i, entry] of text.split(/\s+/).filter(Boolean).entries()) {
    const read = readEntry(entry);
    if (typeof read === "string") faults.push(`token ${i + 1}${labelOf(entry)}: ${read}`);
    else tokens.push(read);
  }
  return { tokens, faults };
}

/** The token of one entry, or what is wrong with it. */
function readEntry(entry: string): KnownToken | string {
  const [name = "", role, hash, ...rest] = entry.split(":");
  if (role === undefined || hash === undefined) return "NAME:ROLE:SHA256 was expected";
  if (!isName(name)) return `first comes ${NAME_WORDS}`;
  if (!isRole(role)) return `one of ${ROLES.join(", ")} was expected second`;
  if (!SHA256_HEX.test(hash)) return "64 hex digits, the token's SHA-256, were expected third";
  const until = rest.join(":");
  const expires = rest.length === 0 ? undefined : momentOf(until);
  if (expires !== undefined && Number.isNaN(expires))
    return "a day (2030-01-31) or a time (2030-01-31T12:00:00Z) was expected last";
  return { name, role, sha256: hash.toLowerCase(), expires };
}

/** Milliseconds since the epoch; NaN for what is no such day or time. */
function momentOf(text: string): number {
  return EXPIRES.test(text) ? Date.parse(text) : Number.NaN;
}

/** The name of a bad entry, where what stands in its place looks like one. */
function labelOf(entry: string): string {
  const [name = "", ...rest] = entry.split(":");
  return rest.length >= 2 && isName(name) && !SECRET_LIKE.test(name) ? ` (${name})` : "";
}
