/** The Canary plan: its configuration, of one flag. */
import { PLANS } from "../../flag/plans.ts";
import { CANARY } from "../from/canary-plan.ts";
import { conditionsOf, type WrittenRule } from "../from/halts.ts";
import type { Exported, ImportOptions, WrittenDocument } from "../imported.ts";
import { isRecord, type Piece } from "../piece.ts";
import { type OutFlag, Outlet, present, textAt } from "./outlet.ts";

export function toCanaryPlan(document: WrittenDocument, options: ImportOptions): Exported {
  const outlet = new Outlet(document);
  const flag = chosen(outlet, options.flag);
  for (const { piece } of outlet.flags)
    if (piece !== flag?.piece) piece.lose("A configuration is of one flag: name another one with --flag.");
  return outlet.finish("canary-plan", { canary: flag === undefined ? {} : configurationOf(flag) });
}

function chosen({ flags }: Outlet, named: string | undefined): OutFlag | undefined {
  if (named !== undefined) return flags.find(({ name }) => name === named);
  return (
    flags.find(({ name }) => name === CANARY) ??
    flags.find(({ piece }) => piece.at("cohorts").isThere) ??
    flags[0]
  );
}

function configurationOf({ piece, state, percentage }: OutFlag): Record<string, unknown> {
  if (!["off", "canary"].includes(state))
    piece.at("state").change("There is enabled only: canary and on are, off and kill are not.");
  if (percentage > 0) piece.at("percentage").lose("Cohorts have percentages there, and the whole has none.");
  const cohorts = piece.at("cohorts").isThere ? piece.at("cohorts").entries() : [];
  return present({
    enabled: state === "canary" || state === "on",
    version: textAt(piece, "release"),
    cohorts: Object.fromEntries(cohorts.map(([name, cohort]) => [name, cohortOf(cohort)])),
    halt_conditions: haltsOf(piece),
  });
}

function cohortOf(cohort: Piece): Record<string, unknown> {
  const [enabled, percentage, features] = [
    cohort.at("enabled"),
    cohort.at("percentage"),
    cohort.at("features"),
  ];
  const lists = [cohort.at("users"), cohort.at("groups")];
  const users = [
    ...new Set(lists.flatMap((list) => (list.isThere ? list.items() : [])).map((id) => id.text() ?? "")),
  ];
  if (JSON.stringify(lists[0]?.value) !== JSON.stringify(lists[1]?.value))
    cohort.change("Users and groups are one list there: each is matched as either when it comes back.");
  for (const list of lists) list.take();
  return present({
    enabled: enabled.isThere ? enabled.boolean() : undefined,
    percentage: percentage.isThere ? percentage.number() : undefined,
    users: lists.some((list) => list.isThere) ? users : undefined,
    features: features.isThere ? features.take() : undefined,
  });
}

/** Halt conditions of the flag's rules, or of those of the ready-made plan that it names. */
function haltsOf(flag: Piece): Record<string, number> | undefined {
  const rules = flag.at("rules");
  if (!Array.isArray(rules.value)) {
    const plan = typeof flag.at("plan").value === "string" ? PLANS[String(flag.at("plan").value)] : undefined;
    return plan?.rules ? conditionsOf(plan.rules as WrittenRule[]).conditions : undefined;
  }
  const written = rules.value.map((rule): WrittenRule => (isRecord(rule) ? (rule as WrittenRule) : {}));
  const { conditions, others } = conditionsOf(written);
  rules.items().forEach((rule, i) => {
    if (others.includes(i)) rule.lose("Not one of its halt conditions.");
    else rule.take();
  });
  return Object.keys(conditions).length > 0 ? conditions : undefined;
}
