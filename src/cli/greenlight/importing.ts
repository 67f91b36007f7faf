/** Files of other systems put together into one document, and what of them was left out, for people. */
import { importFrom } from "../../core/import/import.ts";
import type { Format, Loss, WrittenDocument } from "../../core/import/imported.ts";
import { type Change, mergeInto } from "../../core/import/merge.ts";
import { readText } from "./document-file.ts";
import { EXIT } from "./exit.ts";
import { stop } from "./failure.ts";
import type { Output } from "./output.ts";
import { parseSource, type WrittenAs } from "./read-source.ts";
import { table } from "./table.ts";

/** A loss, with the file that it is of. */
export interface LossOf extends Loss {
  file: string;
}

/** What several files came to, in their order: of two that say something of one field the later one counts. */
export interface Together {
  formats: Format[];
  document: WrittenDocument;
  changes: Change[];
  losses: LossOf[];
}

/** How files are to be read. */
export interface Reading {
  format: Format | "auto";
  as: WrittenAs | undefined;
  flag: string | undefined;
}

/** Reads the files, one after the other, into a document. Ends the command where one cannot be read. */
export async function together(
  files: readonly string[],
  before: WrittenDocument,
  { format, as, flag }: Reading,
): Promise<Together> {
  const result: Together = { formats: [], document: before, changes: [], losses: [] };
  for (const path of files) {
    const read = await parseSource(await readText(path), path, as);
    if (!read.ok) stop({ exit: EXIT.no, sentence: `${path}: ${read.sentence}` });
    const file = read.source.name ?? path;
    const known = Object.keys(result.document.flags);
    const imported = importFrom(format, read.source, { known, flag });
    if (!imported.ok)
      stop({ exit: EXIT.no, sentence: imported.sentence, where: whereOf(file, imported.path) });
    const merged = mergeInto(result.document, imported);
    result.formats.push(imported.format);
    result.document = merged.document;
    result.changes.push(...merged.changes);
    result.losses.push(...[...imported.losses, ...merged.losses].map((loss) => ({ ...loss, file })));
  }
  return result;
}

function whereOf(file: string, path: string): string {
  return path === "" ? file : `${file}: ${path}`;
}

/** Places that are named of a sentence; the others are counted. */
const PLACES = 3;

/** Losses as a table: what is the same of several places is said once. */
function lossesText(out: Output, losses: readonly LossOf[]): string {
  const groups = Map.groupBy(losses, ({ kind, sentence, file }) => JSON.stringify([kind, sentence, file]));
  const rows = [...groups.values()].map((group) => {
    const [first] = group as [LossOf];
    const places = group.slice(0, PLACES).map(({ path, value }) => `${path || "(all)"}: ${value}`);
    if (group.length > PLACES) places.push(`and ${group.length - PLACES} more`);
    return [first.kind, first.file, places.join("\n"), first.sentence];
  });
  const order = ["lost", "changed", "kept"];
  rows.sort(([a], [b]) => order.indexOf(a ?? "") - order.indexOf(b ?? ""));
  return table(out, ["", "file", "what", "why"], rows);
}

/** Tells people what was left out; with --quiet in one line, for it must not be missed. JSON has it in the answer. */
export function tellLosses(out: Output, losses: readonly LossOf[]): void {
  if (losses.length === 0 || out.json) return;
  if (out.quiet) {
    if (losses.some(({ kind }) => kind === "lost")) out.warn(`${lossesSaid(losses)}.`);
    return;
  }
  out.note(lossesText(out, losses));
  out.note(`\n${lossesSaid(losses)}.`);
}

/** How many there are of each kind, in a sentence. */
export function lossesSaid(losses: readonly Loss[]): string {
  const count = (kind: Loss["kind"]) => losses.filter((loss) => loss.kind === kind).length;
  return `${count("lost")} lost, ${count("changed")} in another sense, ${count("kept")} kept aside`;
}
