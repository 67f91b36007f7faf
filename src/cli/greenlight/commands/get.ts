/** `greenlight get FLAG`: one flag as it is written, understood and served. */
import { Command } from "commander";
import type { CommandFactory } from "../cli.ts";
import { flagText } from "../flag-text.ts";
import { nameOf } from "../words.ts";

export const getCommand: CommandFactory = (cli) =>
  new Command("get")
    .description("Shows one flag: what is asked for, what is served, and what keeps green out.")
    .argument("<flag>", "its name", nameOf)
    .option("--written", "only its text, as it stands in the document", false)
    .action(async (name: string, { written }: { written: boolean }) => {
      const view = await (await cli.store()).get(name);
      if (written) cli.out.show(view.written, () => JSON.stringify(view.written, null, 2));
      else cli.out.show(view, () => flagText(cli.out, view, Date.now()));
    });
