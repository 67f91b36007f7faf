/** The text of a document taken to another content, with all that stays as it is written, to the last space. */
import { JsonText, memberOf } from "./json-text.ts";
import type { Value } from "./schema.ts";

type Members = Readonly<Record<string, unknown>>;

/**
 * The text with flags and other members as the document has them. What the document does not name stays: nothing is
 * taken out. Undefined for a text that cannot be changed.
 */
export function mergedText(text: string, document: Members & { flags: Members }): string | undefined {
  const json = openObject(text);
  const flags = json && memberOf(json.root, "flags");
  if (!json || flags?.type !== "object") return undefined;
  const before = JSON.parse(json.text) as Members & { flags: Members };
  const inFlags = changesOf(before.flags, document.flags, (value) => json.set(flags, value));
  const { flags: _, ...others } = document;
  const withFlags = inFlags.size === 0 ? json.text : json.withNode(flags, json.changed(flags, inFlags));
  const again = openObject(withFlags);
  if (!again) return undefined;
  const atTop = changesOf(before, others, (value) => again.set(again.root, value));
  // Groups and plans stand where a person looks for them: before the flags.
  const body =
    atTop.size === 0 ? withFlags : again.withNode(again.root, again.changed(again.root, atTop, "first"));
  return text.startsWith(BOM) ? BOM + body : body;
}

const BOM = "\ufeff";

function openObject(text: string): JsonText | undefined {
  const json = JsonText.of(text.startsWith(BOM) ? text.slice(1) : text);
  return json?.root.type === "object" ? json : undefined;
}

function changesOf(before: Members, after: Members, set: (value: Value) => string): Map<string, string> {
  const changes = new Map<string, string>();
  for (const [key, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (JSON.stringify(old) !== JSON.stringify(value)) changes.set(key, set(value as Value));
  }
  return changes;
}
