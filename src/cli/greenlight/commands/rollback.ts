/** `greenlight rollback`: back to less of green, to a release, or to a whole document of earlier. */
import { Command, Option } from "commander";
import type { RolloutView, WriteView } from "../../../core/api/views.ts";
import { integer } from "../../options.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { misused } from "../failure.ts";
import { rolloutText } from "../rollout-text.ts";
import { nameOf } from "../words.ts";
import { showWritten } from "../written.ts";

interface RollbackFlags {
  gradual?: boolean;
  immediate?: boolean;
  version?: string;
  to?: number | string;
}

async function ofFlag(cli: Cli, flag: string, how: RollbackFlags, reason: string | undefined): Promise<void> {
  const mode = how.gradual ? "gradual" : how.immediate ? "immediate" : undefined;
  const body = { ...(mode && { mode }), ...(how.version !== undefined && { version: how.version }) };
  const path = `/flags/${encodeURIComponent(flag)}/rollback`;
  const answer = await cli.write<RolloutView | WriteView>(path, body, reason);
  if ("phase" in answer) cli.out.show(answer, () => rolloutText(cli.out, answer, Date.now()));
  else showWritten(cli, `Rolled ${flag} back`, answer);
}

const revisionOf = integer(1, Number.MAX_SAFE_INTEGER);

/** The document of a file in the place of the one in KV: earlier ones are not kept there. */
async function toFile(cli: Cli, file: string, reason: string | undefined): Promise<void> {
  if (!cli.options.kv)
    misused(`${JSON.stringify(file)} is no revision.`, `greenlight apply ${file} writes a file.`);
  const { readText, refuseFaults } = await import("../document-file.ts");
  const text = await readText(file);
  refuseFaults(cli, file, text);
  await cli.confirm(`Put the document of ${file} in the place of the one in KV?`);
  const done = await (await cli.store()).putDocument(text, undefined, cli.said(reason));
  showWritten(cli, `The document is that of ${file}`, done);
}

export const rollbackCommand: CommandFactory = (cli) =>
  new Command("rollback")
    .description(
      "Takes a flag back to its last different state with less of green, or to nothing. It never raises green.",
    )
    .argument("[flag]", "its name; not with --to")
    .argument("[reason]", "why")
    .addOption(
      new Option("--gradual", "halve and watch, as the plan says").conflicts(["immediate", "version", "to"]),
    )
    .addOption(new Option("--immediate", "green to 0 at once").conflicts(["gradual", "version", "to"]))
    .addOption(
      new Option("--version <release>", "to state and percentage of when it last had this release")
        .argParser(nameOf)
        .conflicts(["gradual", "immediate", "to"]),
    )
    .addOption(
      new Option(
        "--to <revision>",
        "the whole document, as it was at this revision; with --kv a file that holds it",
      ).argParser((text: string) => (/^\d+$/.test(text) ? revisionOf(text) : text)),
    )
    .action(async (first: string | undefined, second: string | undefined, how: RollbackFlags) => {
      if (how.to !== undefined) {
        if (second !== undefined) misused("--to takes back the whole document: name no flag with it.");
        if (typeof how.to === "string") return await toFile(cli, how.to, first);
        await cli.confirm(`Take the whole document back to revision ${how.to}?`);
        cli.needsRouter("rollback --to REVISION");
        const done = await cli.write("/rollback", { revision: how.to }, first);
        return showWritten(cli, `The document is as it was at revision ${how.to}`, done);
      }
      if (first === undefined) misused("Which flag?", "greenlight rollback FLAG, or --to REVISION.");
      await cli.confirm(`Roll ${nameOf(first)} back${how.gradual ? " by degrees" : ""}?`);
      if (!cli.options.kv) return await ofFlag(cli, first, how, second);
      if (how.gradual || how.version !== undefined)
        misused("By KV alone a flag can only go to 0.", "Leave --gradual and --version out.");
      const patch = { state: "off" };
      const done = await (await cli.store()).edit(first, { kind: "patch", value: patch }, cli.said(second));
      showWritten(cli, `Switched ${first} off`, done);
    });
