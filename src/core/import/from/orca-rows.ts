/** ORCA: rows of its table `feature_flags`, as JSON or CSV. */
import { booleanOf, idsOf, percentageOf, timeOf } from "../cells.ts";
import { Drafts } from "../drafts.ts";
import type { Imported, ImportOptions } from "../imported.ts";
import { isRecord, type Piece } from "../piece.ts";
import { ORCA_KINDS } from "./orca-env.ts";

/** Cohort of the users and tenants who have a flag whatever its percentage. */
export const WHITELIST = "whitelist";

const COLUMNS = ["rollout_percentage", "user_whitelist", "tenant_whitelist"];

/** Every row. */
export function fromOrcaRows(value: unknown, options: ImportOptions): Imported {
  const drafts = new Drafts(value, options);
  const { root } = drafts;
  for (const row of Array.isArray(value) ? root.items() : root.any("feature_flags", "rows").items())
    readRow(drafts, row);
  return drafts.finish("orca-rows");
}

/** Is this a row of the table? */
export function isOrcaRow(value: unknown): boolean {
  if (!isRecord(value) || typeof value.flag_name !== "string") return false;
  return COLUMNS.some((column) => column in value) || ("enabled" in value && !("current_state" in value));
}

function readRow(drafts: Drafts, row: Piece): void {
  const name = row.at("flag_name").isThere ? row.at("flag_name").text() : undefined;
  if (name === undefined) return;
  if (drafts.has(name)) return void row.lose(`The flag ${name} stands in an earlier row, which counts.`);
  const draft = drafts.of(name, row.at("flag_name"));
  if (name in ORCA_KINDS) draft.set("kind", ORCA_KINDS[name]);
  const enabled = row.at("enabled").isThere ? booleanOf(row.at("enabled")) : false;
  draft.set("state", enabled ? "canary" : "off");
  const given = row.at("rollout_percentage");
  draft.set("percentage", given.isThere ? (percentageOf(given) ?? 0) : 0);
  const users = idsOf(row.at("user_whitelist"));
  const tenants = idsOf(row.at("tenant_whitelist"));
  draft.settleCohort(WHITELIST, {
    ...(users.length > 0 ? { users } : {}),
    ...(tenants.length > 0 ? { tenants } : {}),
  });
  if (row.at("description").isThere) draft.set("description", row.at("description").text());
  if (row.at("created_at").isThere) draft.set("createdAt", timeOf(row.at("created_at")));
  draft.keep("updatedAt", row.at("updated_at"));
}
