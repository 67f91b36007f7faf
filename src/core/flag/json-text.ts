/** The text of a JSON document, and changes of its objects that leave all the rest as it is written, to the last space. */
import { type Node, parseTree } from "jsonc-parser";
import type { Value } from "./schema.ts";

/** Indentation where the document shows none of its own. */
const USUAL_STEP = "  ";

/** What becomes of members of an object, by key: the text of their new value, or undefined to take them out. */
export type Changes = ReadonlyMap<string, string | undefined>;

/** A text that is JSON, with its parts. */
export class JsonText {
  readonly text: string;
  readonly root: Node;
  /** One step of indentation; undefined where the document stands on one line. */
  readonly #step: string | undefined;
  readonly #eol: string;

  private constructor(text: string, root: Node) {
    this.text = text;
    this.root = root;
    const first = root.children?.[0];
    const lead = first ? text.slice(root.offset + 1, first.offset) : "";
    this.#step = lead.includes("\n") ? indentIn(lead) || USUAL_STEP : undefined;
    this.#eol = lead.includes("\r\n") ? "\r\n" : "\n";
  }

  /** Undefined for a text that is nested too deeply to be changed. It has to be JSON. */
  static of(text: string): JsonText | undefined {
    try {
      const root = parseTree(text);
      return root && new JsonText(text, root);
    } catch {
      // The library calls itself for each level.
      return undefined;
    }
  }

  /** A node as it is written. */
  written({ offset, length }: Node): string {
    return this.text.slice(offset, offset + length);
  }

  /** The whole text with another one in the place of a node. */
  withNode({ offset, length }: Node, written: string): string {
    return this.text.slice(0, offset) + written + this.text.slice(offset + length);
  }

  /** A value as it is set for a member of the object. */
  set(object: Node, value: Value): string {
    const lead = this.#leadOf(object);
    if (this.#step === undefined || !lead.includes("\n")) return JSON.stringify(value);
    return JSON.stringify(value, null, this.#step).replaceAll("\n", this.#eol + indentIn(lead));
  }

  /** The object's text with the changes. Members that are new are set as those that are there, behind or before them. */
  changed(object: Node, changes: Changes, place: "first" | "last" = "last"): string {
    const { text } = this;
    const members = object.children ?? [];
    const lead = this.#leadOf(object);
    const known = new Set<string>();
    const kept: string[] = [];
    for (const [i, member] of members.entries()) {
      const [key, value] = member.children as [Node, Node];
      const name = String(key.value);
      known.add(name);
      const change = changes.get(name);
      if (change === undefined && changes.has(name)) continue;
      const before = kept.length === 0 ? "" : text.slice(endOf(members[i - 1]!), member.offset);
      const now = change === undefined ? this.written(member) : text.slice(key.offset, value.offset) + change;
      kept.push(before + now);
    }
    const colon = this.#colonIn(members[0]);
    const added = [...changes].flatMap(([key, value]) =>
      value === undefined || known.has(key) ? [] : [`${JSON.stringify(key)}${colon}${value}`],
    );
    if (kept.length + added.length === 0) return members.length === 0 ? this.written(object) : "{}";
    const old = kept.length > 0 ? [kept.join("")] : [];
    const parts = place === "first" ? [...added, ...old] : [...old, ...added];
    const gap = place === "first" ? `,${lead}` : this.#gapIn(members, lead);
    return `{${lead}${parts.join(gap)}${this.#tailOf(object, lead)}}`;
  }

  /** What stands between the opening brace and the first member, or would stand there. */
  #leadOf(object: Node): string {
    const first = object.children?.[0];
    if (first) return this.text.slice(object.offset + 1, first.offset);
    if (this.#step === undefined) return "";
    return this.#eol + this.#indentAt(object) + this.#step;
  }

  #tailOf(object: Node, lead: string): string {
    const last = object.children?.at(-1);
    if (last) return this.text.slice(endOf(last), endOf(object) - 1);
    return lead === "" ? "" : this.#eol + this.#indentAt(object);
  }

  /** What stands between two members. */
  #gapIn(members: readonly Node[], lead: string): string {
    if (members.length > 1) return this.text.slice(endOf(members.at(-2)!), members.at(-1)!.offset);
    return `,${lead}`;
  }

  #colonIn(member: Node | undefined): string {
    const [key, value] = member?.children ?? [];
    if (key && value) return this.text.slice(endOf(key), value.offset);
    return this.#step === undefined ? ":" : ": ";
  }

  /** Indentation of the line on which a node begins. */
  #indentAt({ offset }: Node): string {
    const line = this.text.slice(this.text.lastIndexOf("\n", offset) + 1, offset);
    return /^[ \t]*/.exec(line)?.[0] ?? "";
  }
}

/** Value of a key of an object. */
export function memberOf(node: Node | undefined, key: string): Node | undefined {
  if (node?.type !== "object") return undefined;
  return node.children?.find(({ children }) => children?.[0]?.value === key)?.children?.[1];
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}

/** Indentation of what follows some space. */
function indentIn(space: string): string {
  return space.slice(space.lastIndexOf("\n") + 1);
}
