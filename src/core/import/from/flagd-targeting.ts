/** What flagd's targeting decides, said by cohorts and a percentage: one variant for those inside, one for all others. */
import { SHARE_PER_PERCENT } from "../../flag/percentage.ts";
import type { Value } from "../../flag/schema.ts";
import type { Draft } from "../drafts.ts";
import { isRecord, type Piece } from "../piece.ts";
import { cohortOf } from "./audience.ts";
import { audiencesOf, type Branch, operationOf, variableOf } from "./json-logic.ts";

/** Cohorts that come of targeting are called by this and a number. */
export const TARGETING = "targeting";

interface Targeting {
  draft: Draft;
  variants: { [name: string]: Value };
  branches: readonly Branch[];
  evaluators: Piece;
  /** The default variant. */
  fallback: string | undefined;
}

/** Shares by variant, summing to 1; undefined where a rule's result is none that can be read. */
type Outcome = Map<string, number> | undefined;

/** Reads the rules into the draft. Answers the two variants. Nobody is on for whom flagd may have said otherwise. */
export function readTargeting(targeting: Targeting): { on: string; off: string } {
  const { draft, variants, branches, evaluators, fallback } = targeting;
  const outcomes = branches.map(({ outcome }) => outcomeOf(outcome, fallback));
  const { on, off } = chosen(variants, outcomes, fallback);
  const cohorts: { [key: string]: Value }[] = [];
  let share: number | undefined;
  // Set by a rule that turns it off for some: whom a later rule turns on cannot be told apart from them.
  let doubtful = false;
  branches.forEach(({ condition, outcome: piece }, i) => {
    const outcome = outcomes[i];
    const part = shareOf(outcome, on, off);
    const who = condition === undefined ? "everyone" : audiencesOf(condition, evaluators);
    const whole = part === 1 || part === 0;
    if (share !== undefined) {
      say(condition, piece, "Never reached: the rules before are for everyone.");
    } else if (who === "everyone" && part !== undefined && !doubtful) {
      share = part;
      condition?.take();
      if (whole && operationOf(piece) === undefined) piece.take();
      else sayHash(piece);
    } else if (part === 1 && Array.isArray(who) && !doubtful) {
      cohorts.push(...who.map(cohortOf));
      condition?.take();
      piece.take();
    } else {
      if (part !== 1) doubtful = true;
      say(condition, piece, part === 0 ? LEFT_OFF : CANNOT);
    }
  });
  draft.settleCohorts(TARGETING, cohorts);
  const rest =
    share ?? (branches.length === 0 || !doubtful ? shareOf(outcomeOfDefault(fallback), on, off) : 0) ?? 0;
  // Of rules for everyone only shares keep a percentage: canary tells them from a flag that is on.
  const isSplit =
    cohorts.length > 0 || branches.some(({ outcome }) => operationOf(outcome)?.name === "fractional");
  draft.set("state", isSplit ? "canary" : rest === 1 ? "on" : "off");
  draft.set(
    "percentage",
    isSplit ? Math.floor(rest * 100 * SHARE_PER_PERCENT + 1e-6) / SHARE_PER_PERCENT : 0,
  );
  return { on, off };
}

const CANNOT =
  "Cohorts cannot say this rule: whom it is about gets the off variant, or what a later rule says.";
const LEFT_OFF =
  "Turned off for some: cohorts only turn on, so rules after this one are left out where they would turn it on.";

function say(condition: Piece | undefined, outcome: Piece, sentence: string): void {
  condition?.lose(sentence);
  if (condition?.path !== outcome.path) outcome.lose(sentence);
}

function sayHash(piece: Piece): void {
  piece.change("Visitors are placed by our hash of their targeting key: as many of them, but not the same.");
}

function outcomeOfDefault(fallback: string | undefined): Outcome {
  return fallback === undefined ? undefined : new Map([[fallback, 1]]);
}

function outcomeOf(piece: Piece, fallback: string | undefined): Outcome {
  const { value } = piece;
  if (typeof value === "string" || typeof value === "boolean") return new Map([[String(value), 1]]);
  if (value === null || value === undefined) return outcomeOfDefault(fallback);
  const operation = operationOf(piece);
  return operation?.name === "fractional" ? fractions(operation.args) : undefined;
}

function fractions(args: readonly Piece[]): Outcome {
  const [first, ...others] = args;
  const parts = first !== undefined && isBucketing(first) ? others : args;
  const weights = new Map<string, number>();
  for (const { value } of parts) {
    if (!Array.isArray(value) || typeof value[0] !== "string") return undefined;
    const weight: unknown = value.length > 1 ? value[1] : 1;
    if (typeof weight !== "number" || !(weight >= 0)) return undefined;
    weights.set(value[0], (weights.get(value[0]) ?? 0) + weight);
  }
  const sum = [...weights.values()].reduce((a, b) => a + b, 0);
  return sum > 0 ? new Map([...weights].map(([name, weight]) => [name, weight / sum])) : undefined;
}

/** Is this what is hashed, rather than a variant and its weight? */
function isBucketing(piece: Piece): boolean {
  return isRecord(piece.value) && (variableOf(piece) !== undefined || operationOf(piece)?.name === "cat");
}

/** The part that gets the on variant; undefined where somebody gets a third one. */
function shareOf(outcome: Outcome, on: string, off: string): number | undefined {
  if (outcome === undefined) return undefined;
  const others = [...outcome].some(([name, weight]) => name !== on && name !== off && weight > 0);
  if (others) return undefined;
  return on === off ? 1 : (outcome.get(on) ?? 0);
}

/** The variant for those inside and the one for all others. */
function chosen(
  variants: { [name: string]: Value },
  outcomes: readonly Outcome[],
  fallback: string | undefined,
): { on: string; off: string } {
  const names = Object.keys(variants);
  const isTrue = names.find((name) => variants[name] === true);
  const isFalse = names.find((name) => variants[name] === false);
  if (isTrue !== undefined && isFalse !== undefined) return { on: isTrue, off: isFalse };
  const reached = outcomes
    .flatMap((outcome) => [...(outcome?.keys() ?? [])])
    .filter((name) => names.includes(name));
  const off = fallback ?? reached.at(-1) ?? names[0] ?? "off";
  return { on: reached.find((name) => name !== off) ?? off, off };
}
