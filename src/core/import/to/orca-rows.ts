/** ORCA: rows of its table `feature_flags`. */
import { ORCA_KINDS } from "../from/orca-env.ts";
import { WHITELIST } from "../from/orca-rows.ts";
import type { Exported, WrittenDocument } from "../imported.ts";
import { cohortWith, enabledOf, metadataAt, type OutFlag, Outlet, present, textAt } from "./outlet.ts";

export function toOrcaRows(document: WrittenDocument): Exported {
  const outlet = new Outlet(document);
  return outlet.finish(
    "orca-rows",
    outlet.flags.map((flag) => rowOf(outlet, flag)),
  );
}

function rowOf(outlet: Outlet, flag: OutFlag): Record<string, unknown> {
  const { name, piece, state, percentage } = flag;
  const cohort = cohortWith(piece, WHITELIST, ["users", "tenants"]);
  if (piece.at("kind").value === ORCA_KINDS[name]) piece.at("kind").take();
  return present({
    flag_name: name,
    enabled: enabledOf(flag),
    rollout_percentage: whole(flag, state === "on" ? 100 : percentage),
    user_whitelist: cohort ? outlet.idsOf(cohort.at("users")) : [],
    tenant_whitelist: cohort?.at("tenants").isThere ? textsOf(cohort.at("tenants").items()) : [],
    created_at: textAt(piece, "createdAt"),
    updated_at: metadataAt(piece, "updatedAt"),
  });
}

function textsOf(pieces: readonly { text(): string | undefined }[]): string[] {
  return pieces.flatMap((piece) => piece.text() ?? []);
}

/** A column of whole numbers: cut off, so that nobody more is in. */
export function whole({ piece }: OutFlag, percentage: number): number {
  const cut = Math.floor(percentage);
  if (cut !== percentage) piece.at("percentage").change(`Cut to ${cut}: the column has whole numbers only.`);
  return cut;
}
