/** The Canary plan: its configuration of cohorts and halt conditions. */
import { isName, type Value } from "../../flag/schema.ts";
import { booleanOf, idsOf, numberOf, percentageOf } from "../cells.ts";
import { type Draft, Drafts } from "../drafts.ts";
import type { Imported, ImportOptions } from "../imported.ts";
import type { Piece } from "../piece.ts";
import { HALT_CONDITIONS, haltsOf } from "./halts.ts";

/** Flag of a configuration, which has one without a name. */
export const CANARY = "canary";

/** The configuration. */
export function fromCanaryPlan(value: unknown, options: ImportOptions): Imported {
  const drafts = new Drafts(value, options);
  const canary = drafts.root.at("canary");
  const draft = drafts.of(options.flag ?? CANARY, canary);
  const enabled = canary.at("enabled").isThere ? booleanOf(canary.at("enabled")) : undefined;
  if (enabled !== undefined) draft.set("state", enabled ? "canary" : "off");
  if (canary.at("version").isThere) readVersion(draft, canary.at("version"));
  const cohorts = canary.at("cohorts").isThere ? canary.at("cohorts").entries() : [];
  for (const [name, piece] of cohorts) readCohort(draft, name, piece);
  const halts = canary.at("halt_conditions");
  if (halts.isThere) readHalts(draft, halts);
  return drafts.finish("canary-plan");
}

function readVersion(draft: Draft, piece: Piece): void {
  const version = piece.text();
  if (version === undefined || isName(version)) draft.set("release", version);
  else piece.lose("A release is a name of letters, digits and . _ + -.");
}

/** `users` are ids or names of groups: they are matched as either. */
function readCohort(draft: Draft, name: string, piece: Piece): void {
  if (!isName(name)) return void piece.lose("No name for a cohort: letters, digits and . _ + -.");
  const cohort: { [key: string]: Value } = {};
  const entries = Object.fromEntries(piece.entries());
  const { enabled, percentage, users, features } = entries;
  if (enabled?.isThere) cohort.enabled = booleanOf(enabled) ?? false;
  if (percentage?.isThere) {
    const share = percentageOf(percentage);
    if (share !== undefined) cohort.percentage = share;
  }
  if (users?.isThere) {
    cohort.users = idsOf(users);
    cohort.groups = cohort.users;
  }
  if (features?.isThere) cohort.features = features.items().flatMap((feature) => feature.text() ?? []);
  draft.part("cohorts")[name] = cohort;
}

function readHalts(draft: Draft, piece: Piece): void {
  const rules = piece.entries().flatMap(([condition, given]) => {
    const limit = HALT_CONDITIONS.includes(condition) ? numberOf(given) : undefined;
    return limit === undefined ? [] : haltsOf(condition, limit);
  });
  if (rules.length > 0) draft.set("rules", rules);
}
