/** Unleash: strategies of a feature, any of which lets somebody in, as cohorts and a percentage. */
import { isName, type Value } from "../../flag/schema.ts";
import { idsOf, percentageOf } from "../cells.ts";
import type { Draft } from "../drafts.ts";
import type { Piece } from "../piece.ts";
import { type Audience, allOf, audienceOf, cohortOf } from "./audience.ts";

/** Cohorts that come of strategies are called by this and a number. */
export const STRATEGY = "strategy";
/** Attribute with the visitor's address, and where it comes from. */
const ADDRESS = "remoteAddress";

/** Names of strategies that let in a percentage, with the parameter that has it. */
const GRADUAL: Readonly<Record<string, string>> = {
  flexibleRollout: "rollout",
  gradualRolloutUserId: "percentage",
  gradualRolloutSessionId: "percentage",
  gradualRolloutRandom: "percentage",
};

/** Whom a strategy lets in: a percentage of everyone, or an audience. Undefined where it cannot be said. */
type Admission = { share: number } | { audience: Audience } | undefined;

/** Reads all strategies of a feature into its draft. One without any is on for everybody. */
export function readStrategies(draft: Draft, strategies: readonly Piece[], segments: readonly Piece[]): void {
  const cohorts: { [key: string]: Value }[] = [];
  let share = 0;
  const isOne = strategies.length === 1;
  draft.absent.add("environments");
  for (const strategy of strategies) {
    const before = environmentsOf(strategy, isOne ? draft : undefined);
    const admission = admissionOf(draft, strategy, segments, before);
    if (admission === undefined) {
      strategy.lose("A flag here cannot say this strategy: whom it alone let in has the flag no longer.");
    } else if ("share" in admission) {
      if (share > 0 && admission.share !== share)
        strategy
          .at("parameters")
          .change("Of several percentages the largest counts: all are of the same visitors here.");
      share = Math.max(share, admission.share);
    } else cohorts.push(cohortOf(admission.audience));
  }
  draft.settleCohorts(STRATEGY, cohorts);
  const isPlain = strategies.every((s) => s.at("name").value === "default") && cohorts.length === 0;
  const isForAll = strategies.length === 0 || (isPlain && share === 100);
  draft.set("state", isForAll ? "on" : "canary");
  draft.set("percentage", isForAll ? 0 : share);
}

/** Constraints on the environment of the only strategy are the flag's own precondition. */
function environmentsOf(strategy: Piece, draft: Draft | undefined): readonly Piece[] {
  const constraints = Array.isArray(strategy.at("constraints").value)
    ? strategy.at("constraints").items()
    : [];
  return constraints.filter((constraint) => {
    const values = isIn(constraint) ? constraint.at("values").value : undefined;
    if (draft === undefined || constraint.at("contextName").value !== "environment" || !Array.isArray(values))
      return true;
    if (
      values.length === 0 ||
      !values.every((v) => typeof v === "string" && isName(v)) ||
      draft.flag.environments
    )
      return true;
    draft.absent.delete("environments");
    draft.set("environments", values);
    takeConstraint(constraint);
    return false;
  });
}

function admissionOf(
  draft: Draft,
  strategy: Piece,
  segments: readonly Piece[],
  constraints: readonly Piece[],
): Admission {
  if (strategy.at("disabled").value === true) return undefined;
  const own = ownAdmission(draft, strategy);
  const limits = constraintsOf(strategy, segments, constraints);
  if (own === undefined || limits === undefined) return undefined;
  const audiences = limits.map(audienceIn);
  if (!audiences.every((audience) => audience !== undefined)) return undefined;
  // A percentage of some only: a cohort's percentage is of everyone.
  if ("share" in own && own.share < 100 && audiences.length > 0) return undefined;
  const all = "audience" in own ? [own.audience, ...audiences] : audiences;
  const audience = allOf(all);
  if (all.length > 0 && audience === undefined) return undefined;
  takeStrategy(strategy, limits);
  return audience === undefined ? own : { audience };
}

/** Whom the strategy lets in but for its constraints. */
function ownAdmission(draft: Draft, strategy: Piece): Admission {
  const { value: name } = strategy.at("name");
  const parameters = strategy.at("parameters");
  if (name === "default") return { share: 100 };
  if (name === "userWithId") return listed("userId", idsOf(parameters.at("userIds")));
  if (name === "remoteAddress") {
    const addresses = idsOf(parameters.at("IPs"));
    if (addresses.some((address) => address.includes("/"))) return undefined;
    draft.set("context", { [ADDRESS]: "ip" });
    return listed(ADDRESS, addresses);
  }
  const key = typeof name === "string" && Object.hasOwn(GRADUAL, name) ? GRADUAL[name]! : undefined;
  const share = key === undefined ? undefined : percentageOf(parameters.at(key));
  if (share === undefined) return undefined;
  const group = parameters.at("groupId");
  if (typeof group.value === "string" && group.value !== "" && group.value.length <= LONGEST_SALT) {
    if (group.take() !== draft.name && draft.flag.salt === undefined) draft.set("salt", group.value);
    else if (group.value !== draft.name && draft.flag.salt !== group.value)
      group.lose("All strategies of a flag share one hash here: that of the first.");
  }
  const sticky = parameters.at("stickiness");
  if (sticky.value === "default" || sticky.value === "userId") sticky.take();
  else if (sticky.isThere)
    sticky.change("Placed by the targeting key: put into `stickBy` where it comes from.");
  return { share };
}

/** Characters of a salt. */
const LONGEST_SALT = 128;

function listed(attribute: string, ids: string[]): Admission {
  const audience = audienceOf(attribute, ids);
  return audience && { audience };
}

/** Constraints of the strategy and of the segments that it names; undefined where a segment is not there. */
function constraintsOf(
  strategy: Piece,
  segments: readonly Piece[],
  constraints: readonly Piece[],
): Piece[] | undefined {
  const all = [...constraints];
  const ids = Array.isArray(strategy.at("segments").value) ? strategy.at("segments").items() : [];
  for (const id of ids) {
    const segment = segments.find((one) => one.at("id").value === id.value);
    if (segment === undefined || !Array.isArray(segment.at("constraints").value)) return undefined;
    all.push(...segment.at("constraints").children());
    segment.at("id").take();
    segment.at("name").lose("What a segment asks for is written out in each flag that names it.");
    id.take();
  }
  return all;
}

/** Does a constraint ask for one of its values? */
function isIn(constraint: Piece): boolean {
  const inverted = constraint.at("inverted").value === true;
  return constraint.at("operator").value === (inverted ? "NOT_IN" : "IN");
}

function audienceIn(constraint: Piece): Audience | undefined {
  const name = constraint.at("contextName").value;
  const values = constraint.at("values").value;
  if (!isIn(constraint) || typeof name !== "string" || !Array.isArray(values)) return undefined;
  return name === "environment" ? undefined : audienceOf(name, values);
}

function takeConstraint(constraint: Piece): void {
  for (const key of ["contextName", "operator", "values"]) constraint.at(key).take();
  if (typeof constraint.at("inverted").value === "boolean") constraint.at("inverted").take();
  if (constraint.at("value").value === "") constraint.at("value").take();
  if (constraint.at("caseInsensitive").value === false) constraint.at("caseInsensitive").take();
}

/** Looks after what has been said, and says what is left aside. */
function takeStrategy(strategy: Piece, constraints: readonly Piece[]): void {
  for (const key of ["name", "featureName"]) strategy.at(key).take();
  if (strategy.at("disabled").value === false) strategy.at("disabled").take();
  for (const key of ["id", "title", "sortOrder"])
    strategy.at(key).lose("Strategies have neither names nor an order here.");
  for (const constraint of constraints) takeConstraint(constraint);
}
