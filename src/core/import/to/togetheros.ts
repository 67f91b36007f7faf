/** TogetherOS: its `feature-flags.json`. */
import { TARGETED } from "../from/togetheros.ts";
import type { Exported, WrittenDocument } from "../imported.ts";
import { cohortWith, enabledOf, metadataAt, type OutFlag, Outlet, present, textAt } from "./outlet.ts";

export function toTogetheros(document: WrittenDocument): Exported {
  const outlet = new Outlet(document);
  const flags = Object.fromEntries(outlet.flags.map((flag) => [flag.name, entryOf(outlet, flag)]));
  const times = Object.values(flags).flatMap(({ updatedAt, createdAt }) => {
    const time = updatedAt ?? createdAt;
    return typeof time === "string" ? [time] : [];
  });
  return outlet.finish("togetheros", present({ flags, lastUpdated: times.sort().at(-1), version: 1 }));
}

function entryOf(outlet: Outlet, flag: OutFlag): Record<string, unknown> {
  const { name, piece, state, percentage } = flag;
  const cohort = cohortWith(piece, TARGETED, ["users", "groups"]);
  const rules = [
    { type: "user", value: cohort ? outlet.idsOf(cohort.at("users")) : [] },
    { type: "group", value: cohort ? outlet.idsOf(cohort.at("groups")) : [] },
    { type: "environment", value: outlet.idsOf(piece.at("environments")) },
  ];
  return present({
    name: metadataAt(piece, "name") ?? name,
    description: textAt(piece, "description"),
    enabled: enabledOf(flag),
    rolloutPercentage: state === "on" ? 100 : percentage,
    rules: rules.filter(({ value }) => value.length > 0),
    createdAt: textAt(piece, "createdAt"),
    updatedAt: metadataAt(piece, "updatedAt"),
  });
}
