/** Turns what zod finds into faults that an operator can act on: where, what is there, what was expected. */
import type { z } from "zod";
import type { Fault } from "../rollout/snapshot.ts";
import type { Path } from "./json.ts";
import { nearest } from "./nearest.ts";
import { isId, nameless, placeOfId, valueAt } from "./persons.ts";
import { keysAt } from "./shape.ts";

/** Faults kept of one flag: nobody mends more in one go, and a document of 1 MB can hold 100,000. */
export const MAX_FAULTS = 100;

/** Characters of a text or key that are shown. */
const SHOWN = 60;

type Issue = z.core.$ZodIssue;

/** What a check came to. */
export type Checked<T> = { ok: true; data: T } | { ok: false; faults: Fault[] };

/** Validates a value that stands at `at` in the document. */
export function check<S extends z.ZodType>(schema: S, value: unknown, at: Path): Checked<z.output<S>> {
  const result = schema.safeParse(value, { error: expectation });
  if (result.success) return { ok: true, data: result.data };
  const context = { schema, value, at };
  const faults = result.error.issues.slice(0, MAX_FAULTS).flatMap((issue) => explain(issue, context));
  return { ok: false, faults: faults.slice(0, MAX_FAULTS) };
}

/** A fault: what is at a place is not what was expected there. */
export function misfit(path: Path, found: unknown, expected: string): Fault {
  const message = found === undefined ? "missing" : `${show(found)} is not ${expected}`;
  return { path: pathText(path), message, expected };
}

/** A path as text: `flags.checkout.route.paths[0]`; keys that are no plain words stand in brackets and quotes. */
export function pathText(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (!/^[\w$-]{1,60}$/.test(String(part))) text += `[${show(String(part))}]`;
    else text += text === "" ? String(part) : `.${String(part)}`;
  }
  return text;
}

/** A value, short enough for a message. */
function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
}

/** Says for an issue what was expected, where the schema has no words of its own. */
function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? `a ${issue.expected}`;
    case "invalid_value":
      return choice(issue.values.map((v) => JSON.stringify(v)));
    case "too_small":
      return limit(issue.origin, issue.inclusive === false ? "above" : "of at least", issue.minimum);
    case "too_big":
      return limit(issue.origin, issue.inclusive === false ? "below" : "of at most", issue.maximum);
    default:
      return undefined;
  }
}

const TYPES: Record<string, string> = {
  array: "a list",
  int: "a whole number",
  object: "an object",
  record: "an object",
};

function limit(origin: string, how: string, bound: number | bigint): string {
  if (origin === "array") return `a list ${how} ${bound}`;
  if (origin === "string") return `a string ${how} ${bound} characters`;
  return `a number ${how} ${bound}`;
}

function choice(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : `one of ${words.join(", ")}`;
}

/** The value that issues speak about, its schema, and where it stands in the document. */
interface Context {
  schema: z.core.$ZodType;
  value: unknown;
  at: Path;
}

/** Faults of an issue. `options` are those of a union's forms that were meant, where the issue is about a union. */
function explain(issue: Issue, context: Context, options?: readonly number[]): Fault[] {
  const { schema, value, at } = context;
  const found = valueAt(value, issue.path);
  const path = nameless([...at, ...issue.path], value, at.length);
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = keysAt(schema, issue.path, value, options);
      return issue.keys
        .slice(0, MAX_FAULTS)
        .map((key) => unknownKey(nameless([...path, key], value, at.length), key, known));
    }
    case "invalid_key":
      if (placeOfId(path) === path.length - 1)
        return [unlikeId(path, String(issue.path.at(-1)), issue.issues[0]?.message ?? "an id")];
      return [misfit(path, issue.path.at(-1), issue.issues[0]?.message ?? "a name")];
    case "invalid_union":
      // Of forms that are told by a word such as `metric`, none has this one.
      if (issue.errors.length === 0 && "options" in issue)
        return [ofWords(path, found, issue.options.map(String))];
      return explainUnion(
        issue.errors.map((branch) => branch.map((i) => under(issue.path, i))),
        path,
        found,
        context,
      );
    case "invalid_value":
      return [ofWords(path, found, issue.values.map(String), issue.message)];
    default:
      if (isId(path, found)) return [unlikeId(path, found, issue.message)];
      return [misfit(path, found, issue.message)];
  }
}

function unlikeId(path: Path, found: string | number, expected: string): Fault {
  const what = typeof found === "number" ? "a number" : `a string of ${found.length} characters`;
  return { path: pathText(path), message: `${what} is not ${expected}`, expected };
}

/** A word that is none of those that may stand there. */
function ofWords(path: Path, found: unknown, words: readonly string[], expected?: string): Fault {
  const fault = misfit(path, found, expected ?? choice(words.map((word) => JSON.stringify(word))));
  const meant = typeof found === "string" ? nearest(found, words) : undefined;
  return meant === undefined
    ? fault
    : { ...fault, message: `${fault.message}; did you mean ${show(meant)}?` };
}

/** Of forms that are told by a word such as `metric` none has this one: the same as any choice of values. */
function asChoice(issue: Issue): Issue {
  if (issue.code !== "invalid_union" || !("options" in issue) || issue.errors.length > 0) return issue;
  const values = issue.options as z.core.util.Primitive[];
  const message = choice(values.map((v) => JSON.stringify(v)));
  return { code: "invalid_value", values, path: issue.path, message, input: undefined };
}

function unknownKey(path: Path, key: string, known: readonly string[]): Fault {
  const meant = nearest(key, known);
  // The key of another kind of rule: known, but not here.
  const hint = meant === key ? " here" : meant === undefined ? "" : `; did you mean ${show(meant)}?`;
  return { path: pathText(path), message: `unknown key${hint}`, expected: choice(known) };
}

/**
 * A value that fits none of several forms: the forms that it comes closest to are the ones that were meant. What is
 * wrong with all of these is reported as it is; where they differ, the fault names what would tell them apart.
 */
function explainUnion(forms: Issue[][], path: Path, found: unknown, context: Context): Fault[] {
  const all = forms.map((form) => form.map(asChoice).flatMap(onePerKey));
  const common = inAll(all);
  const rest = all.map((form) => without(form, common));
  const depth = path.length - context.at.length;
  const isOtherType = (i: Issue) => i.code === "invalid_type" && i.path.length === depth;
  let meant = prefer(rest, (form) => !form.some(isOtherType));
  meant = prefer(meant, (form) => !form.some(hasNoKind));
  meant = prefer(meant, (form) => !form.some(isOtherKind));
  const kinds = meant.every((form) => form.some(isOtherKind)) ? meant.flat().filter(isOtherKind) : [];
  if (kinds.length > 0) {
    const values = [...new Set(kinds.flatMap((i) => i.values))];
    const kind = { ...kinds[0]!, values, message: choice(values.map((v) => JSON.stringify(v))) };
    return [...common, kind].flatMap((i) => explain(i, context));
  }
  const fewest = Math.min(...meant.map((form) => form.length));
  const closest = meant.filter((form) => form.length === fewest);
  const options = closest.map((form) => rest.indexOf(form));
  const shared = inAll(closest);
  const apart = closest.flatMap((form) => without(form, shared));
  return [
    ...[...common, ...shared].flatMap((i) => explain(i, context, options)),
    ...tellApart(apart, path, found, context.value),
  ];
}

/** Issues that every form has. */
function inAll(forms: Issue[][]): Issue[] {
  const [first = [], ...others] = forms;
  return others.reduce((shared, form) => shared.filter((i) => without([i], form).length === 0), first);
}

function without(issues: Issue[], others: Issue[]): Issue[] {
  const known = new Set(others.map(identity));
  return issues.filter((i) => !known.has(identity(i)));
}

/** One fault for the issues by which the closest forms differ. */
function tellApart(issues: Issue[], path: Path, found: unknown, root: unknown): Fault[] {
  if (issues.length === 0) return [];
  const missing = issues.filter((i) => valueAt(root, i.path) === undefined).map((i) => String(i.path.at(-1)));
  const surplus = issues.flatMap((i) => (i.code === "unrecognized_keys" ? i.keys : []));
  if (missing.length + surplus.length < issues.length) {
    return [misfit(path, found, [...new Set(issues.map((i) => i.message))].join(" or "))];
  }
  const keys = [...new Set([...missing, ...surplus])].sort().join(", ");
  const message = surplus.length > 0 ? `more than one of ${keys}` : `missing: one of ${keys}`;
  return [{ path: pathText(path), message, expected: `exactly one of ${keys}` }];
}

/** Those that pass the test, or all when none does. */
function prefer<T>(all: T[], test: (item: T) => boolean): T[] {
  const some = all.filter(test);
  return some.length > 0 ? some : all;
}

/** Keys that tell the forms of a union apart. */
const KIND_KEYS: readonly PropertyKey[] = ["metric", "type"];

/** Does the issue say that the value is of another kind, as told by a literal or a key such as `metric`? */
function isOtherKind(issue: Issue): issue is z.core.$ZodIssueInvalidValue {
  if (issue.code !== "invalid_value") return false;
  return issue.values.length === 1 || KIND_KEYS.includes(issue.path.at(-1) ?? "");
}

/** Does the issue say that the form is not told by the key that tells what the value is? */
function hasNoKind(issue: Issue): boolean {
  return issue.code === "unrecognized_keys" && issue.keys.some((key) => KIND_KEYS.includes(key));
}

function onePerKey(issue: Issue): Issue[] {
  if (issue.code !== "unrecognized_keys") return [issue];
  return issue.keys.slice(0, MAX_FAULTS).map((key) => ({ ...issue, keys: [key] }));
}

function identity(issue: Issue): string {
  return JSON.stringify([
    issue.code,
    issue.path,
    issue.code === "unrecognized_keys" ? issue.keys : issue.message,
  ]);
}

function under(prefix: PropertyKey[], issue: Issue): Issue {
  return { ...issue, path: [...prefix, ...issue.path] };
}
