/** `greenlight cohort enable|disable NAME`: the switch of a cohort. */
import { Command } from "commander";
import type { Cli, CommandFactory } from "../cli.ts";
import { needsCohort } from "../of-cohort.ts";
import { nameOf } from "../words.ts";
import { showWritten } from "../written.ts";

async function put(cli: Cli, cohort: string, enabled: boolean, reason: string | undefined): Promise<void> {
  const store = await cli.store();
  const { flags } = await store.list();
  needsCohort(flags, cohort);
  if (!enabled) await cli.confirm(`Take the cohort ${cohort} off green in all flags?`);
  const done = await store.setCohort(cohort, enabled, cli.said(reason));
  showWritten(
    cli,
    `${enabled ? "Enabled" : "Disabled"} the cohort ${cohort} (canary.cohort.${cohort}.enabled)`,
    done,
  );
}

export const cohortCommand: CommandFactory = (cli) => {
  const cohort = new Command("cohort").description(
    "Takes a cohort off green in all flags, or lets it back: the switch canary.cohort.NAME.enabled.",
  );
  cohort
    .command("enable")
    .description("Lets the cohort back to what its flags say.")
    .argument("<cohort>", "its name", nameOf)
    .argument("[reason]", "why")
    .action((name: string, reason: string | undefined) => put(cli, name, true, reason));
  cohort
    .command("disable")
    .description("Takes the cohort's visitors off green, in all flags, at once.")
    .argument("<cohort>", "its name", nameOf)
    .argument("[reason]", "why")
    .action((name: string, reason: string | undefined) => put(cli, name, false, reason));
  return cohort;
};
