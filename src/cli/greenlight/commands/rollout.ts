/** The commands that move a rollout: start, pause, resume, approve, advance, promote, instant, restart, sign-off. */
import { Command } from "commander";
import type { RolloutView } from "../../../core/api/views.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import { rolloutText } from "../rollout-text.ts";
import { nameOf } from "../words.ts";

/** Orders something of a flag's rollout, and shows where it is then. */
export async function order(
  cli: Cli,
  flag: string,
  command: string,
  body: Record<string, unknown>,
  reason: string | undefined,
): Promise<void> {
  cli.needsRouter(`greenlight ${command}`);
  const path = `/flags/${encodeURIComponent(flag)}/${command}`;
  const view = await cli.write<RolloutView>(path, body, reason);
  cli.out.show(view, () => rolloutText(cli.out, view, Date.now()));
}

/** A command that only names a flag and a reason. */
function plain(name: string, description: string, question?: (flag: string) => string): CommandFactory {
  return (cli) =>
    new Command(name)
      .description(description)
      .argument("<flag>", "its name", nameOf)
      .argument("[reason]", "why")
      .action(async (flag: string, reason: string | undefined) => {
        if (question) await cli.confirm(question(flag));
        await order(cli, flag, name, {}, reason);
      });
}

export const startCommand = plain("start", "Begins a rollout that is idle or has ended.");
export const pauseCommand = plain("pause", "Keeps the percentage and stops advancing.");
export const approveCommand = plain("approve", "Leaves the stage that waits for an approval.");
export const advanceCommand = plain(
  "advance",
  "Goes to the next stage now: gates and approval of this one are skipped, the entry of the next is not.",
);
export const restartCommand = plain(
  "restart",
  "Begins anew at the first stage: green goes down to it.",
  (flag) => `Begin the rollout of ${flag} anew? Green goes down to the first stage.`,
);
export const instantCommand = plain(
  "instant",
  "Puts everybody on green at once, without stages or gates: for a hotfix.",
  (flag) => `Put everybody on green of ${flag} at once, without any gate?`,
);

export const resumeCommand: CommandFactory = (cli) =>
  new Command("resume")
    .description(
      "Lifts pause, reduction, halt and kill of a release, and goes on. The kill key is not lifted: unkill.",
    )
    .argument("<flag>", "its name", nameOf)
    .argument("[reason]", "why")
    .option("--release <release>", "of another release than the present one", nameOf)
    .action((flag: string, reason: string | undefined, { release }: { release?: string }) =>
      order(cli, flag, "resume", { ...(release !== undefined && { release }) }, reason),
    );

export const promoteCommand: CommandFactory = (cli) =>
  new Command("promote")
    .description("Goes to the end of the plan, if every gate that is left holds.")
    .argument("<flag>", "its name", nameOf)
    .argument("[reason]", "why")
    .option("--force", "to 100 % whatever the gates say; in the audit log as forced", false)
    .action(async (flag: string, reason: string | undefined, { force }: { force: boolean }) => {
      if (force) await cli.confirm(`Put everybody on green of ${flag}, whatever its gates say?`);
      await order(cli, flag, "promote", { force }, reason);
    });

export const signOffCommand: CommandFactory = (cli) =>
  new Command("sign-off")
    .description("Gives the word of a role that a gate asks for.")
    .argument("<flag>", "its name", nameOf)
    .argument("<role>", "product_owner, support …")
    .argument("[reason]", "why")
    .action((flag: string, role: string, reason: string | undefined) =>
      order(cli, flag, "sign-off", { role }, reason),
    );
