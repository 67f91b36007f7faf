/** EcoTrips: a payload of one flag, rows of several. */
import { PCT, SEGMENTS } from "../from/ecotrips.ts";
import type { Exported, WrittenDocument } from "../imported.ts";
import { cohortWith, metadataAt, type OutFlag, Outlet, present, textAt } from "./outlet.ts";

export function toEcotrips(document: WrittenDocument): Exported {
  const outlet = new Outlet(document);
  const rows = outlet.flags.map((flag) => payloadOf(outlet, flag));
  return outlet.finish("ecotrips", rows.length === 1 ? rows[0] : rows);
}

function payloadOf(outlet: Outlet, flag: OutFlag): Record<string, unknown> {
  const { name, piece } = flag;
  const cohort = cohortWith(piece, SEGMENTS, ["percentage", "segments", "enabled"]);
  const isRestricted = cohort !== undefined && cohort.at("enabled").value !== false && flag.percentage === 0;
  const segments = isRestricted ? outlet.idsOf(cohort.at("segments")) : [];
  const share = isRestricted ? (cohort.at("percentage").number() ?? 0) : flag.percentage;
  if (isRestricted) cohort.at("enabled").take();
  const updated = metadataAt(piece, "updatedAt");
  return present({
    name: metadataAt(piece, "row"),
    [`${name}${PCT}`]: percentageOf(flag, share),
    notes: textAt(piece, "notes"),
    last_reviewed_at: textAt(piece, "reviewedAt"),
    segments: segments.length > 0 ? segments : undefined,
    rollback_playbook: textAt(piece, "playbook"),
    created_at: textAt(piece, "createdAt"),
    updated_at: updated,
  });
}

/** All that a flag does is in its percentage there. */
function percentageOf({ state, piece }: OutFlag, share: number): number {
  if (state === "canary") return share;
  const everyone = state === "on";
  piece.at("state").change(`There are no states there, only a percentage: ${everyone ? 100 : 0}.`);
  return everyone ? 100 : 0;
}
