/** One change of one flag in the text of the document, as people order it by the API or the command line. */
import { getNodeValue, type Node } from "jsonc-parser";
import { type Path, readJson } from "./json.ts";
import { JsonText, memberOf } from "./json-text.ts";
import { isWithin, type Value } from "./schema.ts";

/** What is ordered. `put` replaces the flag or makes it; `patch` is a JSON merge patch (RFC 7396) of what is written. */
export type FlagEdit =
  | { kind: "create" | "put" | "patch"; value: { [key: string]: Value } }
  | { kind: "delete" }
  | { kind: "override"; of: "users" | "tenants"; id: string; override: { [key: string]: Value } | null };

/** The document with the change; or why there is none. */
export type Edited =
  | { ok: true; text: string; changed: boolean }
  | {
      ok: false;
      reason: "unreadable" | "unknown-flag" | "exists" | "not-an-object" | "no-override";
      sentence: string;
    };

type Refusal = Extract<Edited, { ok: false }>;
type Members = { [key: string]: Value };

const BOM = "\ufeff";

/** A key that plain reading of JSON hides. */
const FORBIDDEN = "__proto__";

/** Deepest nesting of what is put: more than any flag can have. */
const MAX_DEPTH = 64;

/**
 * Changes one flag in the text of a document; all else in it stays as it is written, to the last space. The text has
 * to be JSON; whether the flag is in good form afterwards is for `parseDocument` to say. Where a key stands twice in
 * what is to be changed nothing is: which of the two was meant nobody can tell.
 */
export function editFlag(text: string, name: string, edit: FlagEdit): Edited {
  if (!isWithin(edit, MAX_DEPTH))
    return refused("unreadable", `The change is nested more than ${MAX_DEPTH} deep`);
  const opened = open(text);
  if (!opened.ok) return opened;
  const { json, hidden } = opened;
  const flags = memberOf(json.root, "flags");
  if (flags?.type !== "object") return refused("not-an-object", "The document has no object called flags");
  const flag = memberOf(flags, name);
  if (edit.kind === "create" && flag) return refused("exists", `There is a flag ${name} already`);
  const inFlag = hidden.filter((path) => path[0] === "flags" && (path.length < 2 || path[1] === name));
  const isReplaced = edit.kind === "create" || edit.kind === "put" || edit.kind === "delete";
  if (inFlag.some((path) => !isReplaced || path.length <= 2))
    return refused("unreadable", "A key stands twice in what is to be changed: mend that by hand first");
  if (edit.kind === "create" || edit.kind === "put") {
    const isSame = flag && inFlag.length === 0 && isAs(flag, edit.value);
    return isSame
      ? { ok: true, text, changed: false }
      : done(text, json, flags, name, json.set(flags, edit.value));
  }
  if (!flag) return refused("unknown-flag", `The document has no flag ${name}`);
  if (edit.kind === "delete") return done(text, json, flags, name, undefined);
  if (flag.type !== "object") return refused("not-an-object", `The flag ${name} is not an object`);
  if (edit.kind !== "override") return done(text, json, flags, name, merged(json, flag, edit.value));
  const { of, id, override } = edit;
  if (override === null) {
    if (!memberOf(memberOf(memberOf(flag, "overrides"), of), id))
      return refused("no-override", `The flag ${name} has no such override`);
    return done(text, json, flags, name, without(json, flag, ["overrides", of, id]));
  }
  const written = withMember(json, flag, ["overrides", of, id], override);
  if (written === undefined)
    return refused("not-an-object", `What the flag ${name} has as overrides is not an object`);
  return done(text, json, flags, name, written);
}

/** Sets the global switch in the text of a document; nothing else in it changes. */
export function setEnabled(text: string, enabled: boolean): Edited {
  const opened = open(text);
  if (!opened.ok) return opened;
  const { json, hidden } = opened;
  if (hidden.some((path) => path.length === 1 && path[0] === "enabled"))
    return refused("unreadable", "The key enabled stands twice: mend that by hand first");
  const before = memberOf(json.root, "enabled");
  if (before ? before.value === enabled : enabled) return { ok: true, text, changed: false };
  // Where a person looks for it: before the flags.
  const written = json.changed(json.root, new Map([["enabled", String(enabled)]]), "first");
  return finished(text, json.withNode(json.root, written));
}

type Opened = { ok: true; json: JsonText; hidden: Path[] } | Refusal;

function open(text: string): Opened {
  const read = readJson(text);
  if (!read.ok) return refused("unreadable", `The document is ${read.fault.message}`);
  const json = JsonText.of(text.startsWith(BOM) ? text.slice(1) : text);
  if (json?.root.type !== "object") return refused("not-an-object", "The document is not an object");
  return { ok: true, json, hidden: read.hidden };
}

function refused(reason: Refusal["reason"], sentence: string): Refusal {
  return { ok: false, reason, sentence };
}

/** The document with the flag as written, or without it. */
function done(text: string, json: JsonText, flags: Node, name: string, written: string | undefined): Edited {
  const edited = finished(text, json.withNode(flags, json.changed(flags, new Map([[name, written]]))));
  if (edited.ok && edited.changed && `${name} ${written}`.includes(FORBIDDEN)) {
    const read = readJson(edited.text);
    if (read.ok && read.hidden.some((path) => path[1] === name && path.at(-1) === FORBIDDEN))
      return refused("unreadable", `No key may be called ${FORBIDDEN}`);
  }
  return edited;
}

function finished(before: string, body: string): Edited {
  const text = before.startsWith(BOM) ? BOM + body : body;
  return { ok: true, text, changed: text !== before };
}

/** The text of an object with a merge patch: null takes a member out, objects go on inside, all else is put. */
function merged(json: JsonText, object: Node, patch: Members): string {
  const members = new Map(
    (object.children ?? []).map(({ children }) => [children![0]!.value, children![1]!]),
  );
  const changes = new Map<string, string | undefined>();
  for (const [key, value] of Object.entries(patch)) {
    const member = members.get(key);
    if (value === null) changes.set(key, undefined);
    else if (member?.type === "object" && isMembers(value)) changes.set(key, merged(json, member, value));
    else {
      const put = withoutNulls(value);
      const isSame = member && isAs(member, put);
      changes.set(key, isSame ? json.written(member) : json.set(object, put));
    }
  }
  return json.changed(object, changes);
}

/** Is the value that is put there already? */
function isAs(node: Node, value: Value): boolean {
  return isShallow(node, 2 * MAX_DEPTH + 1) && JSON.stringify(getNodeValue(node)) === JSON.stringify(value);
}

/** Each level of an object is two of its nodes. */
function isShallow({ children = [] }: Node, depth: number): boolean {
  return depth > 0 && children.every((child) => isShallow(child, depth - 1));
}

/** What a merge patch leaves where nothing was: itself without what it would take out. */
function withoutNulls(value: Value): Value {
  if (!isMembers(value)) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}

/** The text of an object with a value at the end of a path; undefined where something else than an object is on it. */
function withMember(
  json: JsonText,
  object: Node,
  [key, ...rest]: string[],
  value: Value,
): string | undefined {
  const member = memberOf(object, key!);
  let written: string | undefined;
  if (member && rest.length > 0) {
    if (member.type !== "object") return undefined;
    written = withMember(json, member, rest, value);
    if (written === undefined) return undefined;
  } else if (member && isAs(member, value)) {
    written = json.written(member);
  } else {
    written = json.set(
      object,
      rest.reduceRight<Value>((inner, name) => ({ [name]: inner }), value),
    );
  }
  return json.changed(object, new Map([[key!, written]]));
}

/** The text of an object without what is at the end of a path, and without the objects that this leaves empty. */
function without(json: JsonText, object: Node, [key, ...rest]: string[]): string {
  const member = memberOf(object, key!)!;
  const inner = rest.length > 0 ? without(json, member, rest) : EMPTY;
  return json.changed(object, new Map([[key!, inner === EMPTY ? undefined : inner]]));
}

const EMPTY = "{}";

function isMembers(value: Value): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
