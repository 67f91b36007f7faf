/** `greenlight delete FLAG`: takes a flag out of the document. */
import { Command } from "commander";
import type { CommandFactory } from "../cli.ts";
import { nameOf } from "../words.ts";
import { showWritten } from "../written.ts";

export const deleteCommand: CommandFactory = (cli) =>
  new Command("delete")
    .description("Takes a flag out of the document, text and all. A routed flag's hosts are then not routed.")
    .argument("<flag>", "its name", nameOf)
    .argument("[reason]", "why")
    .action(async (flag: string, reason: string | undefined) => {
      await cli.confirm(`Delete ${flag}?`);
      const done = await (await cli.store()).edit(flag, { kind: "delete" }, cli.said(reason));
      showWritten(cli, `Deleted ${flag}`, done);
      cli.out.note(
        "It comes back with greenlight rollback --to REVISION; a halt of its release stays known.",
      );
    });
