/** Targeting of flagd: branches of its JsonLogic, and the conditions in them that a cohort can say. */
import { isRecord, type Piece } from "../piece.ts";
import { type Audience, allOf, audienceOf } from "./audience.ts";

/** One way through the rules: who takes it, and to what. Without a condition it is for all others. */
export interface Branch {
  condition: Piece | undefined;
  outcome: Piece;
}

/** Deepest nesting that is looked into. */
const DEEPEST = 20;

/** The operation of an object with one key, and its arguments; one argument may stand without a list. */
export function operationOf(piece: Piece): { name: string; args: Piece[] } | undefined {
  if (!isRecord(piece.value)) return undefined;
  const [name, ...more] = Object.keys(piece.value);
  if (name === undefined || more.length > 0) return undefined;
  const inside = piece.at(name);
  return { name, args: Array.isArray(inside.value) ? inside.children() : [inside] };
}

/** Branches of a rule, in order. An `if` in the place of all others is looked into. */
export function branchesOf(rule: Piece, depth = 0): Branch[] {
  const operation = operationOf(rule);
  if (operation?.name !== "if" || depth > DEEPEST) {
    // A condition by itself answers true or false.
    const isCondition = operation !== undefined && !["fractional", "if"].includes(operation.name);
    return isCondition
      ? [{ condition: rule, outcome: rule.as(true) }]
      : [{ condition: undefined, outcome: rule }];
  }
  const { args } = operation;
  const branches: Branch[] = [];
  for (let i = 0; i + 1 < args.length; i += 2) branches.push({ condition: args[i]!, outcome: args[i + 1]! });
  if (args.length % 2 === 1) branches.push(...branchesOf(args.at(-1)!, depth + 1));
  return branches;
}

/** Who meets a condition: any of these; undefined where cohorts cannot say it. `everyone` is a condition that is true. */
export function audiencesOf(piece: Piece, evaluators: Piece, depth = 0): Audience[] | "everyone" | undefined {
  if (piece.value === true) return "everyone";
  const operation = operationOf(piece);
  if (operation === undefined || depth > DEEPEST) return undefined;
  const { name, args } = operation;
  switch (name) {
    case "$ref": {
      const shared = evaluators.at(String(args[0]?.value));
      return shared.isThere ? audiencesOf(shared, evaluators, depth + 1) : undefined;
    }
    case "==":
    case "===":
      return args.length === 2 ? one(equals(args[0]!, args[1]!) ?? equals(args[1]!, args[0]!)) : undefined;
    case "in":
      return args.length === 2 && Array.isArray(args[1]!.value)
        ? one(isOneOf(args[0]!, args[1]!.value))
        : undefined;
    case "or": {
      const parts = args.map((arg) => audiencesOf(arg, evaluators, depth + 1));
      return parts.every((part) => Array.isArray(part)) ? parts.flat() : undefined;
    }
    case "and": {
      const parts = args.map((arg) => audiencesOf(arg, evaluators, depth + 1));
      if (!parts.every((part) => Array.isArray(part) && part.length === 1)) return undefined;
      return one(allOf(parts.flat() as Audience[]));
    }
    default:
      return undefined;
  }
}

function one(audience: Audience | undefined): Audience[] | undefined {
  return audience === undefined ? undefined : [audience];
}

function equals(left: Piece, right: Piece): Audience | undefined {
  return typeof right.value === "object" ? undefined : isOneOf(left, [right.value]);
}

function isOneOf(left: Piece, values: readonly unknown[]): Audience | undefined {
  const name = variableOf(left);
  return name === undefined ? undefined : audienceOf(name, values);
}

/** Attribute that `{ "var": … }` is about; undefined where it has a default, or is something else. */
export function variableOf(piece: Piece): string | undefined {
  const operation = operationOf(piece);
  if (operation?.name !== "var" || operation.args.length !== 1) return undefined;
  const name = operation.args[0]!.value;
  return typeof name === "string" ? name : undefined;
}
