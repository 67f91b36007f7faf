/** `greenlight list`: all flags, as they are asked for and as they are served. */
import { Command } from "commander";
import type { CommandFactory } from "../cli.ts";
import { flagTable } from "../flag-text.ts";

interface ListFlags {
  state?: string;
  kind?: string;
}

export const listCommand: CommandFactory = (cli) =>
  new Command("list")
    .description("Shows all flags: what is asked for, and what is served after halts, kill and switches.")
    .argument("[text]", "only flags whose name or description has it")
    .option("--state <state>", "only those in this state: off, shadow, canary, on or kill")
    .option(
      "--kind <kind>",
      "only those of this kind: release, experiment, operational, kill-switch, permission",
    )
    .action(async (text: string | undefined, only: ListFlags) => {
      const view = await (await cli.store()).list();
      const flags = view.flags.filter(
        ({ name, effective, flag, written }) =>
          (text === undefined || name.includes(text) || String(written?.description ?? "").includes(text)) &&
          (only.state === undefined || effective === only.state || flag?.state === only.state) &&
          (only.kind === undefined || (flag?.kind ?? "release") === only.kind),
      );
      await import("../names.ts").then(({ keepNames }) => keepNames(view.flags.map(({ name }) => name)));
      cli.out.show({ ...view, flags }, () => flagTable(cli.out, { ...view, flags }));
    });
