/** TogetherOS: its `feature-flags.json`, and the stages of a canary deployment. */
import { booleanOf, idsOf, percentageOf, timeOf } from "../cells.ts";
import { type Draft, Drafts } from "../drafts.ts";
import type { Imported, ImportOptions } from "../imported.ts";
import { isRecord, type Piece } from "../piece.ts";
import { readDeployment } from "./togetheros-stages.ts";

/** Cohort of the users and groups whom rules admit. */
export const TARGETED = "targeted";

/** A file of flags, or the state of a deployment. */
export function fromTogetheros(value: unknown, options: ImportOptions): Imported {
  const drafts = new Drafts(value, options);
  const { root } = drafts;
  const flags = root.at("flags");
  if (!flags.isThere) {
    readDeployment(drafts, root);
    return drafts.finish("togetheros");
  }
  for (const [name, piece] of flags.entries()) readFlag(drafts.of(name, piece), name, piece);
  root.at("version").lose("How often the file was changed: our revisions and audit log count from here on.");
  root.at("lastUpdated").lose("Each flag's own time of change is kept.");
  return drafts.finish("togetheros");
}

/** Is this an entry of its file? */
export function isTogetherosFlag(value: unknown): boolean {
  return (
    isRecord(value) &&
    ("rolloutPercentage" in value || typeof value.enabled === "boolean") &&
    !("state" in value)
  );
}

function readFlag(draft: Draft, name: string, piece: Piece): void {
  if (!isRecord(piece.value)) return;
  const own = piece.at("name");
  if (own.value === name) own.take();
  else draft.keep("name", own);
  if (piece.at("description").isThere) draft.set("description", piece.at("description").text());
  const enabled = piece.at("enabled").isThere ? booleanOf(piece.at("enabled")) : false;
  draft.set("state", enabled ? "canary" : "off");
  const given = piece.at("rolloutPercentage");
  const share = given.isThere ? (percentageOf(given) ?? 0) : 0;
  const rules = piece.at("rules").isThere ? piece.at("rules").items() : [];
  readRules(draft, rules, share);
  if (enabled && draft.flag.state === "off")
    piece.at("enabled").change("It is off: no environment fits all of its rules.");
  if (piece.at("createdAt").isThere) draft.set("createdAt", timeOf(piece.at("createdAt")));
  draft.keep("updatedAt", piece.at("updatedAt"));
}

/** Users and groups are let in, an environment has to be the right one, percentages split. */
function readRules(draft: Draft, rules: readonly Piece[], share: number): void {
  const users: string[] = [];
  const groups: string[] = [];
  let environments: string[] | undefined;
  let percentage = share;
  for (const rule of rules) {
    const { value: type } = rule.at("type");
    const value = rule.at("value");
    if (type === "user") users.push(...idsOf(value));
    else if (type === "group") groups.push(...idsOf(value));
    else if (type === "environment") environments = both(environments, environmentsIn(value));
    else if (type === "percentage") percentage = larger(percentage, rule);
    else continue;
    rule.at("type").take();
  }
  draft.set("percentage", percentage);
  draft.settleCohort(TARGETED, {
    ...(users.length > 0 ? { users: [...new Set(users)] } : {}),
    ...(groups.length > 0 ? { groups: [...new Set(groups)] } : {}),
  });
  if (environments?.length === 0) {
    for (const rule of rules) {
      if (rule.at("type").value === "environment") rule.change("No environment fits all such rules.");
    }
    draft.set("state", "off");
  }
  draft.settle("environments", environments);
}

/** Names of environments. One that is none fits nowhere: left out, and never a reason to count everywhere. */
function environmentsIn(piece: Piece): string[] {
  const pieces = Array.isArray(piece.value) ? piece.items() : [piece];
  return pieces.flatMap((item) => {
    const name = item.text();
    if (name === undefined || ENVIRONMENT.test(name)) return name ?? [];
    return item.lose("No name of an environment: letters, digits and . _ -.") ?? [];
  });
}

const ENVIRONMENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function both(before: string[] | undefined, names: string[]): string[] {
  return before === undefined ? [...new Set(names)] : before.filter((name) => names.includes(name));
}

/** Both percentages are of the same hash here, so the larger one holds the smaller. */
function larger(share: number, rule: Piece): number {
  const percentage = percentageOf(rule.at("value")) ?? 0;
  if (Math.min(share, percentage) > 0 && share !== percentage)
    rule.change(`With ${share} % of the flag the larger one counts: both are of the same visitors here.`);
  return Math.max(share, percentage);
}
