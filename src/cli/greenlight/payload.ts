/** A file that holds flags in any form that is read: ours, or another system's, told apart by its shape. */
import { type ParsedDocument, parseDocument } from "../../core/flag/parse.ts";
import { importFrom } from "../../core/import/import.ts";
import type { FieldsOf, Imported } from "../../core/import/imported.ts";
import type { Cli } from "./cli.ts";
import { faultLine, faultsIn, nameOf, readText } from "./document-file.ts";
import { EXIT } from "./exit.ts";
import { misused, stop } from "./failure.ts";
import { parseSource } from "./read-source.ts";

/** Flags that were read, and what was left out of the file. */
export type Payload = Extract<Imported, { ok: true }>;

/** The flags of a file, parsed. Of a document of ours those in good form; the faults of the others are told. */
export async function documentOf(cli: Cli, file: string): Promise<ParsedDocument> {
  const text = await readText(file);
  const parsed = parseDocument(text);
  // A flag in good form: it is one of ours, whatever else is wrong in it.
  if (parsed.flags.size === 0) return parseDocument(JSON.stringify((await readPayload(file, text)).document));
  for (const fault of faultsIn(text)) cli.out.warn(faultLine(cli.out.paintErr, nameOf(file), fault));
  return parsed;
}

/** The flags of a file in any form that is known. `known`: flags that are there already. */
export async function payloadOf(file: string, known: readonly string[]): Promise<Payload> {
  return await readPayload(file, await readText(file), known);
}

async function readPayload(file: string, text: string, known: readonly string[] = []): Promise<Payload> {
  const name = nameOf(file);
  const read = await parseSource(text, file);
  if (!read.ok) return stop({ exit: EXIT.no, sentence: read.sentence, where: name });
  const imported = importFrom("auto", read.source, { known });
  if (imported.ok) return imported;
  return stop({
    exit: EXIT.no,
    sentence: imported.sentence,
    where: imported.path === "" ? name : `${name}: ${imported.path}`,
    hint: "greenlight validate tells the faults of a document, greenlight import what becomes of another system's file.",
  });
}

/** The payload's only flag under another name: a percentage that is called otherwise than the flag that it is for. */
export function renamed(payload: Payload, to: string): Payload {
  const [from, ...more] = Object.keys(payload.document.flags);
  if (from === undefined || more.length > 0)
    return misused(`--flag is for payloads of one flag; there are ${more.length + 1}.`);
  if (from === to) return payload;
  const move = (fields: FieldsOf): FieldsOf => (fields[from] === undefined ? {} : { [to]: fields[from] });
  return {
    ...payload,
    document: { ...payload.document, flags: { [to]: payload.document.flags[from]! } },
    assumed: move(payload.assumed),
    absent: move(payload.absent),
  };
}
