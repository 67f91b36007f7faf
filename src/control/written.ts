/** What stands in the text of the document about each flag, before defaults, plans and groups are filled in. */
import type { Value } from "../core/flag/schema.ts";

/** Fields of a flag as they are written. */
export type Written = { [key: string]: Value };
export type WrittenFlags = ReadonlyMap<string, Written>;

/** The flags of a text, in its order; undefined for a text that is not a document. Never throws. */
export function writtenFlags(text: string): WrittenFlags | undefined {
  try {
    const document = JSON.parse(text.replace(/^\ufeff/, "")) as unknown;
    const flags = isRecord(document) ? document.flags : undefined;
    if (!isRecord(flags)) return undefined;
    return new Map(Object.entries(flags).filter((entry): entry is [string, Written] => isRecord(entry[1])));
  } catch {
    return undefined;
  }
}

/**
 * Paths of what differs, at most two names deep: `plan.stages`, `overrides.users`. Not deeper: names below may be ids of
 * people, and paths go into the audit log.
 */
export function changedFields(before: Written | undefined, after: Written | undefined): string[] {
  return differing(before ?? {}, after ?? {}).flatMap((key) => {
    const [old, now] = [before?.[key], after?.[key]];
    if (!isRecord(old) || !isRecord(now)) return [key];
    return differing(old, now).map((inner) => `${key}.${inner}`);
  });
}

function differing(a: Record<string, unknown>, b: Record<string, unknown>): string[] {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
}

function isRecord(value: unknown): value is Record<string, Value> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
