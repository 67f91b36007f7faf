/** Which faults an edit of one flag answers for: its own, and those elsewhere that it has brought. */
import type { Fault } from "../rollout/snapshot.ts";
import { MAX_FAULTS, pathText } from "./faults.ts";
import { type ParsedDocument, parseDocument } from "./parse.ts";

/**
 * Faults of `flag` in the document `after`, and those elsewhere that the text `before` did not have. Faults that others had
 * before are theirs: a broken neighbour stops nobody. Without a flag only new ones count.
 */
export function newFaults(before: string, after: ParsedDocument, flag: string | undefined): Fault[] {
  const own = (flag !== undefined && after.broken.get(flag)) || [];
  const others = elsewhere(after, flag);
  if (own.length > 0 || others.length === 0) return own;
  const known = new Set(elsewhere(parseDocument(before), undefined).map(keyOf));
  return others.filter((fault) => !known.has(keyOf(fault)));
}

/** Is a fault one of this flag? */
export function isFaultOf({ path }: Fault, flag: string): boolean {
  const at = pathText(["flags", flag]);
  return path === at || path.startsWith(`${at}.`) || path.startsWith(`${at}[`);
}

/** Faults that are not of one flag, each other flag's in full; without the last of too many, which says how many more. */
function elsewhere({ broken, faults }: ParsedDocument, flag: string | undefined): Fault[] {
  const ofOthers = [...broken].filter(([name]) => name !== flag).flatMap(([, own]) => own);
  const names = [...broken.keys()];
  const listed = faults.length > MAX_FAULTS ? faults.slice(0, -1) : faults;
  return [...ofOthers, ...listed.filter((fault) => !names.some((name) => isFaultOf(fault, name)))];
}

function keyOf({ path, message }: Fault): string {
  return `${path}|${message}`;
}
