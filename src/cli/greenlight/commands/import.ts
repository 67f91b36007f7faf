/** `greenlight import`: reads files of other systems, and says what of them a flag document cannot. */
import { readFile, writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { mergedText } from "../../../core/flag/merge-text.ts";
import { FORMATS, type Format, type WrittenDocument } from "../../../core/import/imported.ts";
import { type InForce, inForce } from "../applying.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { faultsIn, refuseFaults } from "../document-file.ts";
import { EXIT } from "../exit.ts";
import { misused, stop } from "../failure.ts";
import { lossesSaid, type Together, tellLosses, together } from "../importing.ts";
import { WRITTEN_AS, type WrittenAs } from "../read-source.ts";

interface ImportFlags {
  format: Format | "auto";
  as?: WrittenAs;
  flag?: string;
  into?: string;
  apply?: boolean;
  dryRun?: boolean;
  strict?: boolean;
}

const EMPTY = '{\n  "flags": {}\n}\n';

export const importCommand: CommandFactory = (cli) =>
  new Command("import")
    .description(
      "Reads files of other systems as a flag document, prints it, merges it into a file or applies it, and lists what has no counterpart.",
    )
    .argument("<file...>", "JSON, YAML, CSV or .env; - for stdin. Of two files the later one counts")
    .addOption(
      new Option("--format <format>", "the system, where the shape does not tell it")
        .choices(["auto", ...FORMATS])
        .default("auto"),
    )
    .addOption(new Option("--as <form>", "how the text is written").choices([...WRITTEN_AS]))
    .option("--flag <flag>", "the flag that a file without names of flags is for")
    .option("--into <file>", "merge it into this document, made where it is not there")
    .option("--apply", "merge it into the document in force: shows the difference, asks, then does it")
    .option("--dry-run", "with --into and --apply: show it only")
    .option("--strict", "exit code 1 where something is lost, and nothing is written")
    .action(async (files: string[], given: ImportFlags) => {
      if (given.into !== undefined && given.apply) misused("--into or --apply, not both.");
      if (given.into !== undefined) return await importInto(cli, files, given, given.into);
      if (given.apply) return await importAndApply(cli, files, given);
      const result = await read(cli, files, given, EMPTY);
      cli.out.show(result, () => JSON.stringify(result.document, null, 2));
    });

/** Reads the files into a document, and says what is left out. */
async function read(cli: Cli, files: string[], given: ImportFlags, before: string): Promise<Together> {
  const there = JSON.parse(before.replace(/^\ufeff/, "")) as WrittenDocument;
  const result = await together(files, there, { format: given.format, as: given.as, flag: given.flag });
  const { losses } = result;
  tellLosses(cli.out, losses);
  if (given.strict && losses.some(({ kind }) => kind === "lost"))
    stop({ exit: EXIT.no, sentence: `${lossesSaid(losses)}: nothing was written, for --strict.` });
  return result;
}

function textOf(before: string, { document }: Together): string {
  return (
    mergedText(before, document) ??
    stop({ exit: EXIT.no, sentence: "The document has no object called flags." })
  );
}

async function importInto(cli: Cli, files: string[], given: ImportFlags, into: string): Promise<void> {
  const before = await readFile(into, "utf8").catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? EMPTY : misused(`${into} cannot be read: ${error.code ?? error.message}.`),
  );
  refuseFaults(cli, into, before);
  const result = await read(cli, files, given, before);
  const text = textOf(before, result);
  const [fault] = faultsIn(text);
  if (fault !== undefined)
    stop({ exit: EXIT.no, sentence: `Together they have a fault: ${fault.message}.`, where: fault.path });
  if (!given.dryRun) await writeFile(into, text);
  cli.out.show({ ...result, into, written: !given.dryRun }, () =>
    changesText(result, into, given.dryRun === true),
  );
}

function changesText({ changes }: Together, into: string, isDry: boolean): string {
  const lines = changes.map(({ flag, kind, fields }) =>
    kind === "changed" ? `  ${flag}: ${fields.join(", ")}` : `  ${flag}: ${kind}`,
  );
  return [isDry ? `${into} would have:` : `${into} has now:`, ...lines].join("\n");
}

/** What is read is merged anew where somebody has written meanwhile. */
async function importAndApply(cli: Cli, files: string[], given: ImportFlags): Promise<void> {
  const { applyText } = await import("./apply.ts");
  const before: InForce = await inForce(cli);
  const result = await read(cli, files, given, before.text);
  const merged = textOf(before.text, result);
  await applyText(cli, {
    before,
    wanted: (target) => {
      if (target === before.text) return merged;
      return stop({
        exit: EXIT.refused,
        sentence: "Somebody has written meanwhile. Nothing was changed: import again.",
      });
    },
    reason: undefined,
    dryRun: given.dryRun === true,
  });
}
