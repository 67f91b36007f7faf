/** A flag document in a file or on stdin, read as it is; and its faults as people and scripts read them. */
import { readFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import { parseDocument } from "../../core/flag/parse.ts";
import { type PlacedFault, placeFaults } from "../../core/flag/places.ts";
import type { Cli } from "./cli.ts";
import { EXIT } from "./exit.ts";
import { misused, stop } from "./failure.ts";
import type { Paint } from "./output.ts";

/** Stands for stdin in the place of a file. */
const STDIN = "-";

/** The text of a file, or of stdin for `-`. */
export async function readText(file: string): Promise<string> {
  if (file === STDIN) return await textOf(process.stdin);
  return await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) =>
    misused(`${file} cannot be read: ${error.code ?? error.message}.`, "A path, or - for stdin."),
  );
}

/** What a file is called in messages. */
export function nameOf(file: string): string {
  return file === STDIN ? "stdin" : file;
}

/** All faults of a text with their places. */
export function faultsIn(text: string): PlacedFault[] {
  return placeFaults(text, parseDocument(text).faults);
}

/** One fault as compilers tell them: `file:line:column: path: what is wrong; what was expected`. */
export function faultLine(
  paint: Paint,
  file: string,
  { line, column, path, message, expected }: PlacedFault,
): string {
  // Most messages hold what was expected; the others have it beside them.
  const wanted = message.includes(expected) ? "" : `; expected ${expected}`;
  return `${file}:${line}:${column}: ${paint.bold(path || "document")}: ${message}${wanted}`;
}

/** Ends the command where a document has faults: nothing of it is used. */
export function refuseFaults(cli: Cli, file: string, text: string): void {
  const faults = faultsIn(text);
  if (faults.length === 0) return;
  for (const fault of faults) cli.out.remark(faultLine(cli.out.paintErr, nameOf(file), fault));
  stop({
    exit: EXIT.no,
    sentence: `${nameOf(file)} has faults: nothing was changed.`,
    faults: cli.out.json ? faults : [],
  });
}
