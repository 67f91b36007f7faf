/** Our own documents, which are taken as they are. */
import { parseDocument } from "../../flag/parse.ts";
import type { Imported, WrittenDocument } from "../imported.ts";
import { isRecord } from "../piece.ts";

const STATES: readonly unknown[] = ["off", "shadow", "canary", "on", "kill"];

/** The document, if there is no fault in it. */
export function fromGreenlight(value: unknown): Imported {
  const [fault] = parseDocument(JSON.stringify(value) ?? "").faults;
  if (fault !== undefined)
    return { ok: false, sentence: `A fault in the document: ${fault.message}.`, path: fault.path };
  return {
    ok: true,
    format: "greenlight",
    document: value as WrittenDocument,
    losses: [],
    assumed: {},
    absent: {},
  };
}

/** Is this a flag of ours? */
export function isOurs(value: unknown): boolean {
  return isRecord(value) && STATES.includes(value.state);
}
