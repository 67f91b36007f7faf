/** Reads the flag document: each flag alone, every fault in one pass, any text at all without throwing. */
import * as z from "zod";
import type { Fault } from "../rollout/snapshot.ts";
import { routeConflicts } from "./conflicts.ts";
import { check, MAX_FAULTS, misfit, pathText } from "./faults.ts";
import { type Path, readJson } from "./json.ts";
import { type Flag, flagSchema, isName, NAME_WORDS } from "./schema.ts";

/** Largest document, bytes of UTF-8. */
export const MAX_BYTES = 1_048_576;

/** Most flags in a document: with their defaults filled in they must fit into the 2 MB of a stored row. */
export const MAX_FLAGS = 2000;

/** Most pairs of host and path pattern in a document: the routing table of an isolate holds an entry for each. */
export const MAX_PAIRS = 50_000;

/** Largest flag with its defaults filled in, bytes of JSON: it has to fit into a stored row of 2 MB. */
export const MAX_FLAG_BYTES = 1_500_000;

/** A character is at most 3 bytes per UTF-16 unit, so shorter texts need not be measured. */
const MAX_BYTES_PER_UNIT = 3;

/** What a flag document says. */
export interface ParsedDocument {
  /**
   * Global switch, true where the document names none. Undefined when it cannot be told: `enabled` itself is at
   * fault, or the document cannot be read (then there are no flags either, broken or not).
   */
  enabled: boolean | undefined;
  /** Flags in good form, defaults filled in, in the document's order. */
  flags: Map<string, Flag>;
  /** Flags that cannot be taken, with what is wrong. They keep their last good form. */
  broken: Map<string, Fault[]>;
  /** All faults, those of broken flags included; at most MAX_FAULTS of each flag and of the document in all. */
  faults: Fault[];
}

/** Everything but the flags, which are looked at one by one. */
const headSchema = z.strictObject({
  $schema: z.string().optional(),
  enabled: z.boolean().default(true),
  flags: z.record(z.string(), z.unknown()),
});

/** Reads a document. Never throws. */
export function parseDocument(text: string): ParsedDocument {
  if (isLonger(text, MAX_BYTES)) {
    return unreadable(tooMany([], `${MAX_BYTES} bytes (1 MB)`));
  }
  const json = readJson(text);
  if (!json.ok) return unreadable(json.fault);
  const head = check(headSchema, json.value, []);
  if (!isRecord(json.value)) return unreadable(misfit([], json.value, "an object with the key flags"));
  const { flags: entries, enabled } = json.value;
  const hiddenAtTop = json.hidden.filter((path) => path.length === 1);
  const faults = [...(head.ok ? [] : head.faults), ...hiddenAtTop.map(hiddenKey)];
  const isTwice = (key: string) => hiddenAtTop.some(([first]) => first === key);
  if (!isRecord(entries) || isTwice("flags")) return { ...unreadable(), faults };

  const document: ParsedDocument = {
    enabled: enabled === undefined ? true : enabled === true || enabled === false ? enabled : undefined,
    flags: new Map(),
    broken: new Map(),
    faults,
  };
  if (isTwice("enabled")) document.enabled = undefined;
  let room = MAX_PAIRS;
  for (const [name, value] of Object.entries(entries))
    room = readFlag(document, name, value, json.hidden, room);
  return { ...document, faults: capped(faults.concat(routeConflicts(document.flags))) };
}

/** Adds one flag to the document, as good or as broken. Gives back what is left of the room for routes. */
function readFlag(
  document: ParsedDocument,
  name: string,
  value: unknown,
  hidden: Path[],
  room: number,
): number {
  const at = ["flags", name];
  const faults = hidden.filter((path) => path[0] === "flags" && path[1] === name).map(hiddenKey);
  const seen = new Set(faults.map((fault) => fault.path));
  if (!isName(name)) faults.push(misfit(at, name, NAME_WORDS));
  const flag = check(flagSchema, value, at);
  if (!flag.ok) faults.push(...flag.faults.filter((fault) => !seen.has(fault.path)));
  const route = flag.ok ? flag.data.route : undefined;
  const pairs = route ? route.hosts.length * route.paths.length : 0;
  if (pairs > room)
    faults.push(tooMany([...at, "route"], `${MAX_PAIRS} pairs of host and path in all flags together`));
  if (flag.ok && isLonger(JSON.stringify(flag.data), MAX_FLAG_BYTES))
    faults.push(tooMany(at, `${MAX_FLAG_BYTES} bytes with its defaults filled in`));
  if (document.flags.size >= MAX_FLAGS) faults.push(tooMany(at, `${MAX_FLAGS} flags`));
  document.faults.push(...faults);
  if (flag.ok && faults.length === 0) {
    document.flags.set(name, flag.data);
    return room - pairs;
  }
  document.broken.set(name, faults);
  return room;
}

function tooMany(path: Path, limit: string): Fault {
  return { path: pathText(path), message: `more than ${limit}`, expected: `at most ${limit}` };
}

function hiddenKey(path: Path): Fault {
  const forbidden = path.at(-1) === "__proto__";
  return {
    path: pathText(path),
    message: forbidden ? "this key is not allowed" : "this key stands twice in one object",
    expected: forbidden ? "another key" : "each key once",
  };
}

function unreadable(...faults: Fault[]): ParsedDocument {
  return { enabled: undefined, flags: new Map(), broken: new Map(), faults };
}

function isLonger(text: string, bytes: number): boolean {
  if (text.length * MAX_BYTES_PER_UNIT <= bytes) return false;
  return text.length > bytes || new TextEncoder().encode(text).length > bytes;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function capped(faults: Fault[]): Fault[] {
  if (faults.length <= MAX_FAULTS) return faults;
  const more = faults.length - MAX_FAULTS;
  const rest = {
    path: "",
    message: `${more} more faults, not listed`,
    expected: "a document without faults",
  };
  return [...faults.slice(0, MAX_FAULTS), rest];
}
