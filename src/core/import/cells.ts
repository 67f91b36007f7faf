/** Values as tables, variables and dumps write them: booleans, numbers, lists, times and percentages in texts. */
import { SHARE_PER_PERCENT } from "../flag/percentage.ts";
import type { Piece } from "./piece.ts";

const TRUE = ["true", "t", "1", "yes", "y", "on"];
const FALSE = ["false", "f", "0", "no", "n", "off"];

/** The boolean that a word means; undefined where it means none. */
export function booleanIn(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (TRUE.includes(word)) return true;
  return FALSE.includes(word) ? false : undefined;
}

/** A boolean, or a text or number that means one; anything else is lost. */
export function booleanOf(piece: Piece): boolean | undefined {
  const { value } = piece;
  if (typeof value === "boolean") return piece.boolean();
  const found = typeof value === "string" || typeof value === "number" ? booleanIn(String(value)) : undefined;
  if (found === undefined) return piece.lose("Not true or false, and so not understood.");
  piece.take();
  return found;
}

const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;

/** A number, or a text that is one; anything else is lost. */
export function numberOf(piece: Piece): number | undefined {
  const { value } = piece;
  if (typeof value !== "string" || !NUMBER.test(value)) return piece.number();
  piece.take();
  return Number(value);
}

/**
 * A percentage from 0 to 100; anything else is lost. Finer steps than ours are cut off, so that green never gets more
 * than was asked for.
 */
export function percentageOf(piece: Piece): number | undefined {
  const given = numberOf(piece);
  if (given === undefined) return undefined;
  if (given < 0 || given > 100) return piece.lose("A percentage from 0 to 100 was expected.");
  // A step that is only the noise of binary fractions is no step.
  const percentage = Math.floor(given * SHARE_PER_PERCENT + 1e-6) / SHARE_PER_PERCENT;
  if (Math.abs(percentage - given) > 1e-9) piece.change(`Cut to ${percentage}: the finest step is 0.001 %.`);
  return percentage;
}

/** Entries of a list: a list, JSON in a text, Postgres's `{a,"b c"}`, or words with commas or semicolons. */
export function listOf(piece: Piece): Piece[] {
  const { value } = piece;
  if (typeof value !== "string") return piece.isThere ? piece.items() : [];
  piece.take();
  const words = listIn(value);
  return words.map((word) => piece.as(word));
}

function listIn(text: string): unknown[] {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  if (trimmed.startsWith("[")) {
    try {
      const list: unknown = JSON.parse(trimmed);
      if (Array.isArray(list)) return list;
    } catch {
      // A list of words that only begins like JSON.
    }
  }
  if (trimmed.startsWith("{") && trimmed.endsWith("}")) return postgresList(trimmed.slice(1, -1));
  return trimmed
    .split(/[,;]/)
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

/** Elements of Postgres's text form of an array: quoted ones keep commas and spaces, NULL is nothing. */
function postgresList(inside: string): string[] {
  const elements = [...inside.matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g)];
  return elements.flatMap(([, quoted, plain]) => {
    if (quoted !== undefined) return [quoted.replace(/\\(.)/g, "$1")];
    const word = plain!.trim();
    return word === "" || word.toUpperCase() === "NULL" ? [] : [word];
  });
}

/** Longest id. */
const LONGEST_ID = 256;

/** Ids of a list, each once; what cannot be an id is lost. */
export function idsOf(piece: Piece): string[] {
  const ids = new Set<string>();
  for (const entry of listOf(piece)) {
    const id = typeof entry.value === "number" ? String(entry.value) : entry.value;
    if (typeof id === "string" && id !== "" && id.length <= LONGEST_ID && id !== "__proto__") {
      entry.take();
      ids.add(id);
    } else {
      entry.lose(`An id of 1 to ${LONGEST_ID} characters was expected.`);
    }
  }
  return [...ids];
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d(?:\.\d+)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/;

/** A time with its zone as ISO 8601, also from the form of SQL; a date; anything else is lost. */
export function timeOf(piece: Piece): string | undefined {
  const text = piece.text()?.trim();
  if (text === undefined || text === "") return undefined;
  if (DATE.test(text) && !Number.isNaN(Date.parse(text))) return text;
  const [, date, minutes, seconds = ":00", zone] = TIME.exec(text) ?? [];
  const time = `${date}T${minutes}${seconds}${zoneOf(zone)}`;
  if (date === undefined || Number.isNaN(Date.parse(time)))
    return piece.lose("Not a time such as 2030-01-31T12:00:00Z, and so not understood.");
  if (zone === undefined) piece.change("It names no zone: taken as UTC.");
  return time;
}

function zoneOf(zone = "Z"): string {
  if (zone === "Z" || zone.includes(":")) return zone;
  return zone.length === 3 ? `${zone}:00` : `${zone.slice(0, 3)}:${zone.slice(3)}`;
}

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** Seconds of a duration such as `5m` or `1h30m`; undefined for anything else. */
export function secondsIn(text: string): number | undefined {
  if (!/^(\d+(ms|[smhdw]))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+)(ms|[smhdw])/g);
  return [...parts].reduce((sum, [, n, unit]) => sum + Number(n) * SECONDS[unit as keyof typeof SECONDS], 0);
}
