/** What of a flag has to fit to the rest of it and to the document: groups, cohorts of stages, sets, variants. */
import type { Fault } from "../rollout/snapshot.ts";
import type { Cohort } from "./cohort.ts";
import { misfit, pathText } from "./faults.ts";
import type { Path } from "./json.ts";
import { isDoubtful, type Part } from "./parts.ts";
import { type Plan, plan as planSchema } from "./plan.ts";
import { PLANS } from "./plans.ts";
import { type Flag, MAX_MEMBERS } from "./schema.ts";
import { OFF, ON, typeOf, variantsOf } from "./variants.ts";

/** The lists of a cohort that may name groups. */
const LISTS = ["users", "segments"] as const;

/**
 * The flag with the members of groups in the place of their names, so that it needs the document no longer. An empty
 * group among `segments` stays by its name: without any segment the percentage would be of everyone.
 */
export function withMembers(
  flag: Flag,
  groups: Part<readonly string[]>,
  at: Path,
): { flag: Flag; faults: Fault[] } {
  const faults: Fault[] = [];
  const cohorts: Record<string, Cohort> = {};
  for (const [name, cohort] of Object.entries(flag.cohorts)) {
    cohorts[name] = cohort;
    for (const key of LISTS) {
      const list = cohort[key];
      const place = [...at, "cohorts", name, key];
      const doubtful = list.findIndex((id) => isDoubtful(groups, id));
      if (doubtful >= 0) faults.push(misfit([...place, doubtful], list[doubtful], GOOD_GROUP));
      if (!list.some((id) => groups.good.has(id))) continue;
      const ids = expanded(list, groups.good, key === "segments");
      if (ids.length > MAX_MEMBERS) faults.push(tooMany(place));
      cohorts[name] = { ...cohorts[name], [key]: ids };
    }
  }
  return { flag: { ...flag, cohorts }, faults };
}

const GOOD_GROUP = "an id, or a group without faults";

function expanded(
  list: readonly string[],
  groups: ReadonlyMap<string, readonly string[]>,
  keepsEmpty: boolean,
): string[] {
  const ids = new Set<string>();
  for (const id of list) {
    const members = groups.get(id);
    if (members === undefined || (keepsEmpty && members.length === 0)) ids.add(id);
    else for (const member of members) ids.add(member);
    if (ids.size > MAX_MEMBERS) break;
  }
  return [...ids];
}

function tooMany(path: Path): Fault {
  const limit = `${MAX_MEMBERS} ids with the members of the groups`;
  return { path: pathText(path), message: `more than ${limit}`, expected: `at most ${limit}` };
}

/**
 * Faults of what a flag's plan and rules name: cohorts of stages and sets of objectives that are not there. A
 * ready-made plan may name cohorts that the flag lacks; such a stage has only its percentage.
 * `wrote` says which of the two stand in the flag itself; the others are reported by where they come from.
 */
export function misnamed(flag: Flag, wrote: { plan: boolean; rules: boolean }, at: Path): Fault[] {
  const { plan } = flag;
  const planAt = (path: Path) => (wrote.plan ? [...at, "plan", ...path] : [...at, "plan"]);
  const sets = new Set([...Object.keys(flag.slos), ...Object.keys(plan?.slos ?? {})]);
  const missingSets = (list: readonly object[], path: (i: number) => Path) =>
    list.flatMap((item, i) => {
      const set = setOf(item);
      return set === undefined || sets.has(set) ? [] : [misfit(path(i), set, `${SET} (${words(sets)})`)];
    });
  const faults = wrote.rules ? missingSets(flag.rules, (i) => [...at, "rules", i, "set"]) : [];
  if (plan === undefined) return faults;
  faults.push(...missingSets(plan.rules ?? [], (i) => planAt(["rules", i, "set"])));
  for (const [i, stage] of plan.stages.entries()) {
    for (const key of ["entry", "exit", "rules"] as const)
      faults.push(...missingSets(stage[key] ?? [], (j) => planAt(["stages", i, key, j, "set"])));
  }
  return isReadyMade(plan) ? faults : [...faults, ...missingCohorts(flag, plan, planAt)];
}

const SET = "a set of slos of the flag or its plan";

function missingCohorts(flag: Flag, { stages }: Plan, planAt: (path: Path) => Path): Fault[] {
  return stages.flatMap(({ cohort }, i) =>
    cohort === undefined || Object.hasOwn(flag.cohorts, cohort)
      ? []
      : [
          misfit(
            planAt(["stages", i, "cohort"]),
            cohort,
            `a cohort of the flag (${words(Object.keys(flag.cohorts))})`,
          ),
        ],
  );
}

function isReadyMade(plan: Plan): boolean {
  const known = plan.name !== undefined && Object.hasOwn(PLANS, plan.name) ? PLANS[plan.name] : undefined;
  return known !== undefined && JSON.stringify(planSchema.parse(known)) === JSON.stringify(plan);
}

/** The set of objectives that a condition is about. */
function setOf(condition: object): string | undefined {
  return "metric" in condition && condition.metric === "slos" && "set" in condition
    ? String(condition.set)
    : undefined;
}

function words(names: Iterable<string>): string {
  return [...names].join(", ") || "there is none";
}

/** Faults of what a flag answers: a routed one blue or green, a plain one a variant of its own, all of one type. */
export function variantFaults(flag: Flag, at: Path): Fault[] {
  const named = [...ownVariants(flag, "users", at), ...ownVariants(flag, "tenants", at)];
  if (flag.route !== undefined) return [...routedFaults(flag, at), ...named.map(({ path }) => routed(path))];
  const variants = variantsOf(flag);
  const usual = (["onVariant", "offVariant"] as const).map((key) => ({
    path: [...at, key],
    name: flag[key],
  }));
  const types = Object.entries(variants).map(([name, value]) => ({ name, type: typeOf(value) }));
  const others = types.filter(({ type }) => type !== types[0]?.type);
  return [
    ...[...usual, ...named].flatMap(({ path, name }) =>
      Object.hasOwn(variants, name)
        ? []
        : [misfit(path, name, `a variant of the flag (${words(Object.keys(variants))})`)],
    ),
    ...others.map(({ name, type }) => ({
      path: pathText([...at, "variants", name]),
      message: `of type ${type}, where ${types[0]?.name} is of type ${types[0]?.type}`,
      expected: "one type in all variants",
    })),
  ];
}

function routedFaults({ variants, onVariant, offVariant }: Flag, at: Path): Fault[] {
  const written = [
    ...(variants === undefined ? [] : ["variants"]),
    ...(onVariant === ON ? [] : ["onVariant"]),
    ...(offVariant === OFF ? [] : ["offVariant"]),
  ];
  return written.map((key) => routed([...at, key]));
}

function routed(path: Path): Fault {
  return {
    path: pathText(path),
    message: "a flag with a route has the variants blue and green",
    expected: "no variants here, or no route",
  };
}

/** Variants that overrides name, each with its place; users go by their number, for no fault names a person. */
function ownVariants({ overrides }: Flag, of: "users" | "tenants", at: Path): { path: Path; name: string }[] {
  return Object.entries(overrides[of]).flatMap(([id, { variant }], i) =>
    variant === undefined
      ? []
      : [{ path: [...at, "overrides", of, of === "users" ? i : id, "variant"], name: variant }],
  );
}
