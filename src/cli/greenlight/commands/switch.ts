/** `greenlight enable` and `greenlight disable`: the global switch of the document. */
import { Command } from "commander";
import type { CommandFactory } from "../cli.ts";
import { showWritten } from "../written.ts";

export const enableCommand: CommandFactory = (cli) =>
  new Command("enable")
    .description("Sets the global switch: flags count again.")
    .argument("[reason]", "why")
    .action(async (reason: string | undefined) => {
      const done = await (await cli.store()).setEnabled(true, cli.said(reason));
      showWritten(cli, "Flags count", done);
    });

export const disableCommand: CommandFactory = (cli) =>
  new Command("disable")
    .description("Takes the global switch off: everything goes to blue, whatever flags say.")
    .argument("[reason]", "why")
    .action(async (reason: string | undefined) => {
      await cli.confirm("Send everything to blue, in all flags?");
      const done = await (await cli.store()).setEnabled(false, cli.said(reason));
      showWritten(cli, "Everything goes to blue", done);
    });
