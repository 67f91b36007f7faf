/** `greenlight validate`: the faults of a document, each with its place; or with `--cohort` whether a rollout may go on. */
import { Command } from "commander";
import type { Fault } from "../../../core/rollout/snapshot.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { faultLine, faultsIn, nameOf, readText } from "../document-file.ts";
import { EXIT } from "../exit.ts";
import { misused } from "../failure.ts";

interface ValidateFlags {
  cohort?: string;
  flag?: string;
  online?: boolean;
}

/** What the router says of a document that it does not store. */
interface Judged {
  valid: boolean;
  faults: Fault[];
  added: string[];
  changed: string[];
  removed: string[];
}

export const validateCommand: CommandFactory = (cli) =>
  new Command("validate")
    .description(
      "Finds every fault of a document, with line and column; asks nobody. With --cohort: may the rollout go on to the next cohort? Changes nothing.",
    )
    .argument("[file]", "the document; - for stdin")
    .option("--online", "ask the router as well: what would change", false)
    .option("--cohort <cohort>", "check what has to hold before the cohort after this one opens")
    .option("--flag <flag>", "with --cohort: of this flag only")
    .action(async (file: string | undefined, { cohort, flag, online }: ValidateFlags) => {
      if (cohort !== undefined) {
        if (file !== undefined) misused("A file or --cohort, not both.");
        const { validateCohort } = await import("../validate-cohort.ts");
        return await validateCohort(cli, cohort, flag);
      }
      if (file === undefined) misused("Which document?", "greenlight validate FILE, or - for stdin.");
      await validateFile(cli, file, online === true);
    });

async function validateFile(cli: Cli, file: string, online: boolean): Promise<void> {
  const text = await readText(file);
  const faults = faultsIn(text);
  const judged = online ? await ask(cli, text) : undefined;
  const valid = faults.length === 0 && judged?.valid !== false;
  const router = judged && { added: judged.added, changed: judged.changed, removed: judged.removed };
  cli.out.show({ file: nameOf(file), valid, faults, ...router }, () => {
    const { paint } = cli.out;
    const lines = faults.map((fault) => faultLine(paint, nameOf(file), fault));
    const verdict = valid
      ? paint.green(`✓ ${nameOf(file)} has no faults.`)
      : paint.red(`✗ ${nameOf(file)} has ${faults.length === 1 ? "one fault" : `${faults.length} faults`}.`);
    if (judged) {
      lines.push(`would add: ${judged.added.join(", ") || "nothing"}`);
      lines.push(`would change: ${judged.changed.join(", ") || "nothing"}`);
      lines.push(`would remove: ${judged.removed.join(", ") || "nothing"}`);
    }
    return [...lines, verdict].join("\n");
  });
  if (!valid) cli.ends(EXIT.no);
}

async function ask(cli: Cli, text: string): Promise<Judged> {
  const api = await cli.api();
  return await cli.busy(`asking ${api.profile.url}`, () =>
    api.ask<Judged>("/validate", { method: "POST", body: text }),
  );
}
