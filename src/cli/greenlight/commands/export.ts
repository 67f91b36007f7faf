/** `greenlight export`: writes flags in the form of another system, and says what that cannot. */
import { writeFile } from "node:fs/promises";
import { Argument, Command } from "commander";
import { EXPORT_FORMATS, type ExportFormat, exportTo } from "../../../core/import/export.ts";
import type { WrittenDocument } from "../../../core/import/imported.ts";
import { inForce } from "../applying.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { readText, refuseFaults } from "../document-file.ts";
import { EXIT } from "../exit.ts";
import { stop } from "../failure.ts";
import { lossesSaid, tellLosses } from "../importing.ts";

interface ExportFlags {
  file?: string;
  out?: string;
  only?: string[];
  flag?: string;
  strict?: boolean;
}

export const exportCommand: CommandFactory = (cli) =>
  new Command("export")
    .description("Writes the flags in the form of another system, and lists what that form cannot say.")
    .addArgument(new Argument("<format>", "the system").choices([...EXPORT_FORMATS]))
    .option("--file <file>", "of this document, - for stdin; default: the one in force")
    .option("--out <file>", "write to this file")
    .option("--only <flags...>", "these flags only")
    .option("--flag <flag>", "of the Canary plan: the flag that the configuration is of")
    .option("--strict", "exit code 1 where something is lost, and nothing is written")
    .action(async (format: ExportFormat, given: ExportFlags) => {
      const text = await textOf(cli, given.file);
      const document = chosen(JSON.parse(text.replace(/^\ufeff/, "")) as WrittenDocument, given.only);
      const exported = exportTo(format, document, { flag: given.flag });
      const losses = exported.losses.map((loss) => ({ ...loss, file: given.file ?? "in force" }));
      tellLosses(cli.out, losses);
      if (given.strict && losses.some(({ kind }) => kind === "lost"))
        stop({ exit: EXIT.no, sentence: `${lossesSaid(losses)}: nothing was written, for --strict.` });
      // Our own form is handed on to the last space.
      const body = format === "greenlight" && given.only === undefined ? text : exported.text;
      if (given.out === undefined)
        return cli.out.show({ ...exported, text: body }, () => body.replace(/\n$/, ""));
      await writeFile(given.out, body);
      cli.out.show({ ...exported, out: given.out }, () => `Written to ${given.out}.`);
    });

async function textOf(cli: Cli, file: string | undefined): Promise<string> {
  if (file === undefined) return (await inForce(cli)).text;
  const text = await readText(file);
  refuseFaults(cli, file, text);
  return text;
}

function chosen(document: WrittenDocument, only: readonly string[] | undefined): WrittenDocument {
  if (only === undefined) return document;
  const missing = only.find((name) => !Object.hasOwn(document.flags, name));
  if (missing !== undefined) stop({ exit: EXIT.refused, sentence: `There is no flag ${missing}.` });
  return { ...document, flags: Object.fromEntries(only.map((name) => [name, document.flags[name]!])) };
}
