/** Thorbis: rows of its flags and overrides, and the descriptions. */
import { FLAG_TYPE } from "../from/thorbis.ts";
import type { Exported, WrittenDocument } from "../imported.ts";
import type { Piece } from "../piece.ts";
import { whole } from "./orca-rows.ts";
import { metadataAt, type OutFlag, Outlet, present, textAt } from "./outlet.ts";

/** Types by kind. */
const TYPES: Readonly<Record<string, string>> = {
  release: "feature",
  experiment: "experiment",
  "kill-switch": "kill_switch",
};

export function toThorbis(document: WrittenDocument): Exported {
  const outlet = new Outlet(document);
  const descriptions = outlet.flags.flatMap(({ name, piece }) => {
    const text = textAt(piece, "description");
    return text === undefined ? [] : [[name, text]];
  });
  const flags = outlet.flags.map((flag) => rowOf(outlet, flag));
  const overrides = outlet.flags.flatMap(overridesOf);
  return outlet.finish("thorbis", {
    feature_flags: flags,
    tenant_flag_overrides: overrides,
    ...(descriptions.length > 0 ? { descriptions: Object.fromEntries(descriptions) } : {}),
  });
}

function rowOf(outlet: Outlet, flag: OutFlag): Record<string, unknown> {
  const { name, piece, state, percentage } = flag;
  const dependencies = piece.at("dependencies").isThere ? piece.at("dependencies").items() : [];
  const seconds = piece.at("rollbackTimeSeconds");
  const waiting = metadataAt(piece, "canary_percentage");
  return present({
    flag_name: name,
    flag_type: typeOf(piece),
    current_state: state,
    canary_percentage: typeof waiting === "number" ? waiting : whole(flag, percentage),
    rollback_time_seconds: seconds.isThere ? seconds.number() : undefined,
    dependencies: dependencies.map((needed) => outlet.formerOf(needed.text() ?? "")),
    created_at: textAt(piece, "createdAt"),
    updated_at: metadataAt(piece, "updatedAt"),
  });
}

function typeOf(flag: Piece): string {
  const kind = flag.at("kind");
  const kept = metadataAt(flag, FLAG_TYPE);
  const type = TYPES[String(kind.value ?? "release")];
  if (type === undefined) kind.change("There is no such type there: a feature.");
  else kind.take();
  return typeof kept === "string" ? kept : (type ?? "feature");
}

function overridesOf({ name, piece }: OutFlag): Record<string, unknown>[] {
  const overrides = piece.at("overrides");
  overrides.at("users").lose("Overrides are of tenants only.");
  const tenants = overrides.at("tenants");
  if (!tenants.isThere) return [];
  return tenants.entries().map(([tenant, override]) =>
    present({
      tenant_id: tenant,
      flag_name: name,
      override_state: textAt(override, "state"),
      override_reason: textAt(override, "reason"),
      expires_at: textAt(override, "expires"),
    }),
  );
}
