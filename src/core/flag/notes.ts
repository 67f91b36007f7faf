/**
 * Lines that are appended to a flag's `notes` in the text of the document. A person's text is theirs: everything but the
 * line stays as it was, to the last space.
 */
import { type Node, parseTree } from "jsonc-parser";

/** Notes longer than this lose the oldest of the appended lines, characters. A person's own lines stay. */
export const MAX_NOTES = 10_000;

/** How an appended line begins: by it it is told from a person's. */
const APPENDED = /^\[\d{4}-\d\d-\d\d \d\d:\d\d UTC\] /;

/** A line to append: what happened, and when (milliseconds since the epoch, told to the minute). */
export function noteLine(at: number, sentence: string): string {
  const [day, time] = new Date(at).toISOString().split("T") as [string, string];
  return `[${day} ${time.slice(0, 5)} UTC] ${sentence.replace(/\s+/g, " ").trim()}`;
}

/**
 * Appends a line to a flag's notes; undefined if the text is not JSON, or has no such flag to append to. A line that is
 * there already is not appended again, for a crash may have come between the writing and the forgetting of it.
 */
export function appendNote(text: string, flag: string, line: string): string | undefined {
  const spec = fieldOf(fieldOf(treeOf(text), "flags"), flag);
  if (spec?.type !== "object" || !spec.children?.length) return undefined;
  const notes = fieldOf(spec, "notes");
  if (!notes) return withNotes(text, spec, line);
  if (notes.type !== "string") return undefined;
  const old = notes.value as string;
  if (old.split("\n").includes(line)) return text;
  const kept = shortened(old === "" ? [line] : [...old.split("\n"), line]);
  const end = notes.offset + notes.length;
  if (kept === undefined) {
    // Before the closing quote, so that not even the escapes of what is there change.
    const added = quoted(old === "" ? line : `\n${line}`).slice(1);
    return text.slice(0, end - 1) + added + text.slice(end);
  }
  return text.slice(0, notes.offset) + quoted(kept) + text.slice(end);
}

/** Appends lines of several flags; lines of flags that are not there are left out. The same text if nothing is left. */
export function appendNotes(text: string, notes: readonly { flag: string; line: string }[]): string {
  return notes.reduce((so, { flag, line }) => appendNote(so, flag, line) ?? so, text);
}

/** The flag with notes behind its last field, set as that one is. */
function withNotes(text: string, spec: Node, line: string): string {
  const fields = spec.children!;
  const last = fields.at(-1)!;
  const lead = text.slice(fields.length > 1 ? endOf(fields.at(-2)!) : spec.offset + 1, last.offset);
  const [key, value] = last.children as [Node, Node];
  const colon = text.slice(endOf(key), value.offset);
  const field = `,${lead.replace(/^\s*,/, "")}"notes"${colon}${quoted(line)}`;
  return text.slice(0, endOf(last)) + field + text.slice(endOf(last));
}

/** Lines without the oldest appended ones, as far as they are too long; undefined if nothing has to go. */
function shortened(lines: string[]): string | undefined {
  const kept = [...lines];
  let length = kept.join("\n").length;
  const before = kept.length;
  // The newest line stays, also beside a person's text that is too long by itself.
  for (let i = 0; length > MAX_NOTES && i < kept.length - 1; ) {
    if (APPENDED.test(kept[i]!)) length -= kept.splice(i, 1)[0]!.length + 1;
    else i++;
  }
  return kept.length < before ? kept.join("\n") : undefined;
}

/** Value of a key, as plain parsing finds it: of two with one name the last. */
function fieldOf(node: Node | undefined, key: string): Node | undefined {
  if (node?.type !== "object") return undefined;
  return node.children?.findLast(({ children }) => children?.[0]?.value === key)?.children?.[1];
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Undefined for what is not JSON: the library itself would read on behind a slip. */
function treeOf(text: string): Node | undefined {
  try {
    JSON.parse(text);
    return parseTree(text);
  } catch {
    return undefined;
  }
}
