/** Makes an imported document one without faults: what cannot stand in it is taken out, and said. */
import { pathText } from "../flag/faults.ts";
import { parseDocument } from "../flag/parse.ts";
import type { Fault } from "../rollout/snapshot.ts";
import type { Loss, WrittenDocument, WrittenFlag } from "./imported.ts";

/** A flag has fewer fields, and each pass takes one away from each flag that is at fault. */
const PASSES = 40;

/** Takes out what the schema refuses, field by field. `known` are flags of the document that it goes into. */
export function sound(document: WrittenDocument, known: readonly string[]): Loss[] {
  const losses: Loss[] = [];
  const others = Object.fromEntries(
    known.filter((name) => !(name in document.flags)).map((name) => [name, { state: "off" }]),
  );
  for (let pass = 0; pass < PASSES; pass++) {
    const { faults, broken } = parseDocument(
      JSON.stringify({ ...document, flags: { ...document.flags, ...others } }),
    );
    if (faults.length === 0) return losses;
    const before = losses.length;
    for (const [name, [fault]] of broken) {
      const flag = document.flags[name];
      if (flag !== undefined && fault !== undefined) losses.push(mend(document, name, flag, fault));
    }
    // Faults of the document as a whole, such as its size: no field is to blame.
    if (losses.length === before) break;
  }
  return losses;
}

/** Takes out what a fault is about: an entry of a list or a cohort, else the field, else the flag itself. */
function mend(document: WrittenDocument, name: string, flag: WrittenFlag, { path, message }: Fault): Loss {
  const sentence = `It cannot be taken: ${message}.`;
  const field = Object.keys(flag).find((key) => isUnder(path, pathText(["flags", name, key])));
  if (field === undefined || field === "state") {
    delete document.flags[name];
    return { path, value: "the flag", kind: "lost", sentence };
  }
  const value = flag[field];
  const inside = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const isList = Array.isArray(value);
  const part = inside.find((key) =>
    isUnder(path, pathText(["flags", name, field, isList ? Number(key) : key])),
  );
  if (part !== undefined && isList && value.length > 1) value.splice(Number(part), 1);
  else if (part !== undefined && PARTED.includes(field)) delete (value as Record<string, unknown>)[part];
  else delete flag[field];
  // Without what it needs to be on it must not be on for more.
  if (CONDITIONS.includes(field) && flag.state !== "kill") flag.state = "off";
  return {
    path,
    value: part === undefined ? field : `${field}: ${isList ? "an entry" : part}`,
    kind: "lost",
    sentence,
  };
}

/** Fields that keep a flag off for some: without them it is off for all. */
const CONDITIONS = ["environments", "dependencies"];

/** Fields whose entries stand for themselves. */
const PARTED = ["cohorts", "metadata"];

/** Is a fault's path that of a place, or of something in it? */
function isUnder(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`);
}
