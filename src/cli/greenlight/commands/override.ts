/** `greenlight override FLAG on|off --user ID`: one user's or tenant's own answer. */
import { Command, Option } from "commander";
import type { CommandFactory } from "../cli.ts";
import { misused } from "../failure.ts";
import { nameOf, timeFrom } from "../words.ts";
import { showWritten } from "../written.ts";

interface OverrideFlags {
  user?: string;
  tenant?: string;
  variant?: string;
  expires?: number;
  remove: boolean;
}

export const overrideCommand: CommandFactory = (cli) =>
  new Command("override")
    .description(
      "Gives one user or tenant an answer of their own: over percentage and off, never over kill or halt.",
    )
    .argument("<flag>", "its name", nameOf)
    .argument("[state]", "on or off; not with --remove")
    .argument("[reason]", "why")
    .addOption(new Option("--user <id>", "targeting key of the user").conflicts("tenant"))
    .option("--tenant <id>", "the tenant")
    .option("--variant <name>", "of a plain flag: this variant", nameOf)
    .option("--expires <time>", "7d from now, or 2030-01-31T12:00:00Z", timeFrom(Date.now()))
    .option("--remove", "take it away", false)
    .action(
      async (flag: string, first: string | undefined, second: string | undefined, flags: OverrideFlags) => {
        const { user, tenant, variant, expires, remove } = flags;
        const id = user ?? tenant;
        if (id === undefined) misused("Whose override?", "--user ID or --tenant ID.");
        const of = user === undefined ? "tenants" : "users";
        const whom = user === undefined ? "the tenant" : "the user";
        const store = await cli.store();
        if (remove) {
          await cli.confirm(`Take the override of ${whom} away from ${flag}?`);
          const said = cli.said(second ?? first);
          const done = await store.edit(flag, { kind: "override", of, id, override: null }, said);
          return showWritten(cli, `Took the override of ${whom} away from ${flag}`, done);
        }
        if (first !== "on" && first !== "off") misused("on or off was expected.", "Or --remove.");
        const override = {
          state: first,
          ...(variant !== undefined && { variant }),
          ...(expires !== undefined && { expires: new Date(expires).toISOString() }),
          ...(second !== undefined && { reason: second }),
        };
        const done = await store.edit(flag, { kind: "override", of, id, override }, cli.said(second));
        showWritten(cli, `${flag} is ${first} for ${whom}`, done);
      },
    );
