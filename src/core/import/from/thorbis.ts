/** Thorbis: rows of its flags and of its tenants' overrides, names with descriptions, and success criteria. */
import type { Value } from "../../flag/schema.ts";
import { listOf, numberOf, percentageOf, timeOf } from "../cells.ts";
import { type Draft, Drafts } from "../drafts.ts";
import type { Imported, ImportOptions } from "../imported.ts";
import { isRecord, type Piece } from "../piece.ts";
import { isCriteria, readCriteria } from "./thorbis-criteria.ts";

/** Types of flags, and what they are here. A type that is not the usual one of its kind is kept under metadata. */
export const TYPES: Readonly<Record<string, string>> = {
  feature: "release",
  domain: "release",
  experiment: "experiment",
  kill_switch: "kill-switch",
};
/** Key of `metadata` with the type of a flag, where its kind does not tell it. */
export const FLAG_TYPE = "flag_type";

const STATES: readonly unknown[] = ["off", "shadow", "canary", "on", "kill"];
/** States of an override, and what they are here. */
const OVERRIDES: Readonly<Record<string, string>> = { on: "on", canary: "on", off: "off", kill: "off" };

/** Anything of Thorbis: tables by their names, rows of one of them, or one of its two kinds of YAML. */
export function fromThorbis(value: unknown, options: ImportOptions): Imported {
  const drafts = new Drafts(value, options);
  const { root } = drafts;
  const flags: Piece[] = [];
  const overrides: Piece[] = [];
  const sort = (row: Piece) => {
    if (isOverrideRow(row.value)) overrides.push(row);
    else if (isChange(row.value)) row.lose("A change of the past: our audit log begins with the import.");
    else if (isFlagRow(row.value)) flags.push(row);
  };
  if (Array.isArray(value)) root.items().forEach(sort);
  else if (isRecord(value)) readTables(drafts, root, sort);
  const made = flags.map((row) => ({ row, draft: draftOf(drafts, row) }));
  for (const { row, draft } of made) if (draft) readFlag(drafts, draft, row);
  for (const row of overrides) readOverride(drafts, row);
  return drafts.finish("thorbis");
}

/** Is this a row of one of its tables? */
export function isThorbisRow(value: unknown): boolean {
  return isFlagRow(value) || isOverrideRow(value) || isChange(value);
}

/** Is this one of its files of YAML: descriptions by dotted names, or criteria by flag? */
export function isThorbisYaml(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const entries = Object.entries(value);
  if (entries.length === 0) return false;
  return (
    (entries.every(([, v]) => typeof v === "string") &&
      entries.some(([name]) => /^[a-z]\w*\.\w/.test(name))) ||
    entries.every(([, v]) => isCriteria(v))
  );
}

function isFlagRow(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value.flag_name === "string" &&
    ("current_state" in value || "flag_type" in value)
  );
}

function isOverrideRow(value: unknown): boolean {
  return isRecord(value) && typeof value.flag_name === "string" && "override_state" in value;
}

function isChange(value: unknown): boolean {
  return isRecord(value) && "new_state" in value;
}

function readTables(drafts: Drafts, root: Piece, sort: (row: Piece) => void): void {
  if (isThorbisYaml(root.value)) {
    readYaml(drafts, root);
    return;
  }
  for (const table of ["feature_flags", "flags", "tenant_flag_overrides", "overrides", "flag_change_log"])
    if (Array.isArray(root.at(table).value)) root.at(table).items().forEach(sort);
  root.at("effective_states").lose("They follow from the flags and their overrides.");
  for (const part of ["descriptions", "success_criteria"])
    if (isThorbisYaml(root.at(part).value)) readYaml(drafts, root.at(part));
}

function readYaml(drafts: Drafts, root: Piece): void {
  for (const [name, piece] of root.entries()) {
    const draft = drafts.of(name, piece);
    if (typeof piece.value === "string") draft.set("description", piece.text());
    else readCriteria(draft, piece);
  }
}

function draftOf(drafts: Drafts, row: Piece): Draft | undefined {
  const name = row.at("flag_name").text()!;
  if (drafts.has(name) && "state" in drafts.of(name, row).flag)
    return row.lose(`The flag ${name} stands in an earlier row, which counts.`);
  const draft = drafts.of(name, row.at("flag_name"));
  draft.assume("state", "off");
  return draft;
}

function readFlag(drafts: Drafts, draft: Draft, row: Piece): void {
  const type = row.at("flag_type");
  if (typeof type.value === "string" && Object.hasOwn(TYPES, type.value)) {
    draft.set("kind", TYPES[type.value]);
    if (type.value === "domain") draft.keep(FLAG_TYPE, type, "Kept under metadata; its kind is release.");
    type.take();
  } else draft.keep(FLAG_TYPE, type);
  const state = row.at("current_state");
  if (STATES.includes(state.value)) draft.set("state", state.text());
  else if (state.isThere) state.lose("Not a state: the flag is off.");
  readShare(draft, row.at("canary_percentage"));
  const seconds = row.at("rollback_time_seconds");
  if (seconds.isThere) draft.set("rollbackTimeSeconds", numberOf(seconds));
  const needed = listOf(row.at("dependencies")).flatMap((piece) => {
    const former = piece.text();
    return former === undefined ? [] : [{ former, piece }];
  });
  const before = draft.flag.state;
  drafts.need(draft, needed);
  if (draft.flag.state !== before) state.change("It is off: what it needs is not there.");
  if (row.at("description").isThere) draft.set("description", row.at("description").text());
  if (row.at("created_at").isThere) draft.set("createdAt", timeOf(row.at("created_at")));
  draft.keep("updatedAt", row.at("updated_at"));
}

/** In the state shadow nobody is on green, so the percentage waits under metadata. */
function readShare(draft: Draft, piece: Piece): void {
  const share = piece.isThere ? percentageOf(piece) : undefined;
  const waits = draft.flag.state === "shadow" && (share ?? 0) > 0;
  draft.set("percentage", waits ? 0 : (share ?? 0));
  if (waits)
    draft.keep("canary_percentage", piece, "Kept under metadata: in the state shadow nobody is on green.");
}

function readOverride(drafts: Drafts, row: Piece): void {
  const draft = drafts.of(row.at("flag_name").text()!, row.at("flag_name"));
  const tenant = row.at("tenant_id");
  const id = typeof tenant.value === "number" ? String(tenant.take()) : tenant.text();
  const given = row.at("override_state");
  const state = typeof given.value === "string" ? OVERRIDES[given.value] : undefined;
  if (id === undefined || id === "" || id === "__proto__" || state === undefined)
    return void row.lose("An override is on or off for a tenant: this one is left out.");
  if (given.value === state) given.take();
  else given.change(`For a single tenant that is ${state}.`);
  const override: { [key: string]: Value } = { state };
  const expires = row.at("expires_at").isThere ? timeOf(row.at("expires_at")) : undefined;
  // Without its end it would never be over.
  if (row.at("expires_at").isThere && expires === undefined)
    return void row.lose("When it is over is not understood: this override is left out.");
  if (expires !== undefined) override.expires = expires.length === DAY ? `${expires}T00:00:00Z` : expires;
  const reason = row.any("override_reason", "reason");
  if (reason.isThere) override.reason = reason.text() ?? "";
  row.at("created_at").lose("When an override was made: our audit log begins with the import.");
  const overrides = draft.part("overrides");
  overrides.tenants ??= {};
  (overrides.tenants as { [key: string]: Value })[id] = override;
}

/** Characters of a date. */
const DAY = "2030-01-31".length;
