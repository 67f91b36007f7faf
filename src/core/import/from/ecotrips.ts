/** EcoTrips: payloads whose `*_pct` keys are percentages, alone or as rows of `ops.console_feature_flags`. */
import { idsOf, numberOf, percentageOf, timeOf } from "../cells.ts";
import { Drafts } from "../drafts.ts";
import type { Imported, ImportOptions } from "../imported.ts";
import { isRecord, type Piece } from "../piece.ts";

/** End of the keys that are percentages. */
export const PCT = "_pct";
/** Cohort of those to whom a payload restricts its percentage. */
export const SEGMENTS = "segments";

/** Columns of a row that may hold the payload, as JSON or as its text. */
const PAYLOADS = ["payload", "config", "value", "data", "flags"];
const NAMES = ["name", "flag_name", "flag_key", "key", "flag"];

/** Every payload of the file. */
export function fromEcotrips(value: unknown, options: ImportOptions): Imported {
  const drafts = new Drafts(value, options);
  const { root } = drafts;
  for (const row of Array.isArray(value) ? root.items() : [root]) readRow(drafts, row);
  return drafts.finish("ecotrips");
}

/** Is this an object of EcoTrips: a payload, or a row that holds one? */
export function isEcotrips(value: unknown): boolean {
  return (
    isRecord(value) &&
    (hasPct(value) || nameOfPct(value) || PAYLOADS.some((key) => hasPct(parsed(value[key]))))
  );
}

function hasPct(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).some((key) => key.endsWith(PCT) && key.length > PCT.length);
}

function nameOfPct(row: Record<string, unknown>): boolean {
  return NAMES.some((key) => typeof row[key] === "string" && row[key].endsWith(PCT));
}

/** JSON in a text, as dumps have it; any other value as it is. */
function parsed(value: unknown): unknown {
  if (typeof value !== "string" || !value.trimStart().startsWith("{")) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function readRow(drafts: Drafts, row: Piece): void {
  if (!isRecord(row.value)) return;
  const column = PAYLOADS.find((key) => hasPct(parsed(row.at(key).value)));
  const holder = column === undefined ? undefined : row.at(column);
  const payload = holder?.as(parsed(holder.value)) ?? row;
  // A payload in a text has no places of its own: what of it is not understood is said of the whole text.
  if (holder !== undefined && typeof holder.value === "string") sayRest(holder, payload);
  const named = row.any(...NAMES);
  const flags = percentages(payload, named, row);
  if (flags.length === 0) return;
  const segments = payload.at("segments").isThere ? idsOf(payload.at("segments")) : [];
  const said = words(payload === row ? [row] : [payload, row]);
  for (const { name, percentage, key } of flags) {
    const draft = drafts.of(name, key);
    const share = percentageOf(percentage) ?? 0;
    key.change(`It is the flag ${name}; the number is its percentage.`);
    draft.set("state", "canary");
    draft.set("percentage", segments.length > 0 ? 0 : share);
    draft.settleCohort(SEGMENTS, segments.length > 0 ? { percentage: share, segments } : undefined);
    for (const [field, value] of said) draft.set(field, value);
    draft.keep("updatedAt", row.at("updated_at"));
    if (named.isThere && [name, `${name}${PCT}`].includes(String(named.value))) named.take();
    else draft.keep("row", named, "Kept under metadata: the flag is called as its percentage is.");
  }
}

/** What a payload says besides the percentage; the row that holds it says the rest. */
function words(from: readonly Piece[]): [string, string | undefined][] {
  return from.flatMap((piece): [string, string | undefined][] => [
    ["notes", textAt(piece, "notes")],
    ["playbook", textAt(piece, "rollback_playbook")],
    ["reviewedAt", piece.at("last_reviewed_at").isThere ? timeOf(piece.at("last_reviewed_at")) : undefined],
    ["createdAt", piece.at("created_at").isThere ? timeOf(piece.at("created_at")) : undefined],
  ]);
}

function textAt(piece: Piece, key: string): string | undefined {
  return piece.at(key).isThere ? piece.at(key).text() : undefined;
}

interface Percentage {
  name: string;
  percentage: Piece;
  /** Where the name stands. */
  key: Piece;
}

/** The percentages of a payload; also of a row that names one in a column and has the number in another. */
function percentages(payload: Piece, named: Piece, row: Piece): Percentage[] {
  const { value } = payload;
  if (!isRecord(value)) return [];
  const found = Object.keys(value)
    .filter((key) => key.endsWith(PCT) && key.length > PCT.length)
    .map((key) => ({ name: key.slice(0, -PCT.length), percentage: payload.at(key), key: payload.at(key) }));
  if (found.length > 0) return found;
  const name = named.value;
  const number = row.any("value", "percentage", "pct");
  if (typeof name !== "string" || !name.endsWith(PCT) || numberOf(number) === undefined) return [];
  return [{ name: name.slice(0, -PCT.length), percentage: number, key: named }];
}

/** Takes a payload's text, and says what of it nobody will ask for. */
function sayRest(holder: Piece, payload: Piece): void {
  holder.take();
  const known = ["notes", "last_reviewed_at", "segments", "rollback_playbook", "created_at"];
  for (const key of Object.keys(payload.value as object))
    if (!known.includes(key) && !key.endsWith(PCT)) payload.at(key).lose("Greenlight has no counterpart.");
}
