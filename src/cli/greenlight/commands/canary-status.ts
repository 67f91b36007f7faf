/** `greenlight canary-status [FLAG]`: where rollouts are, what they wait for. */
import { Command } from "commander";
import type { RolloutView, StatusView } from "../../../core/api/views.ts";
import type { CommandFactory } from "../cli.ts";
import { bar, phaseText, rolloutText, stageText, verdictSign } from "../rollout-text.ts";
import { percent, table } from "../table.ts";
import { nameOf } from "../words.ts";

export const canaryStatusCommand: CommandFactory = (cli) =>
  new Command("canary-status")
    .description("Shows where each rollout is and what it waits for; of one flag with every gate.")
    .argument("[flag]", "its name", nameOf)
    .option("--all", "also those with nothing under way", false)
    .action(async (flag: string | undefined, { all }: { all: boolean }) => {
      cli.needsRouter("canary-status");
      const api = await cli.api();
      if (flag !== undefined) {
        const view = await api.ask<RolloutView>(`/flags/${encodeURIComponent(flag)}/rollout`);
        return cli.out.show(view, () => rolloutText(cli.out, view, Date.now()));
      }
      const { flags } = await api.ask<StatusView>("/status");
      const rollouts = flags.flatMap(({ rollout, verdict }) =>
        rollout && (all || (rollout.phase !== "idle" && rollout.phase !== "completed"))
          ? [{ rollout, verdict: verdict?.verdict ?? "unmeasured" }]
          : [],
      );
      const { paint } = cli.out;
      cli.out.show(
        rollouts.map(({ rollout, verdict }) => ({ ...rollout, verdict })),
        () =>
          rollouts.length === 0
            ? "No rollout is under way."
            : table(
                cli.out,
                ["", "flag", "release", "phase", "stage", "green", "waits for"],
                rollouts.map(({ rollout, verdict }) => [
                  verdictSign(paint, verdict),
                  rollout.flag,
                  rollout.release,
                  phaseText(paint, rollout.phase),
                  stageText(rollout),
                  `${bar(rollout.served)} ${percent(rollout.served)}`,
                  rollout.why ?? rollout.waitsFor[0] ?? "",
                ]),
              ),
      );
    });
