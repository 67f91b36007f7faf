/** `greenlight history FLAG`: what its rollouts did and how they ended. */
import { Command } from "commander";
import type { PastRolloutView } from "../../../core/rollout/history.ts";
import { integer } from "../../options.ts";
import type { CommandFactory } from "../cli.ts";
import { percent, span, table, when } from "../table.ts";
import { nameOf } from "../words.ts";

/** Most rollouts of one answer, as the API gives. */
const MAX = 100;

export const historyCommand: CommandFactory = (cli) =>
  new Command("history")
    .description("Shows a flag's rollouts, the newest first: stages, outcome and reason.")
    .argument("<flag>", "its name", nameOf)
    .option("--limit <n>", "how many", integer(1, MAX), 20)
    .action(async (flag: string, { limit }: { limit: number }) => {
      cli.needsRouter("history");
      const path = `/flags/${encodeURIComponent(flag)}/history`;
      const api = await cli.api();
      const answer = await api.ask<{ rollouts: PastRolloutView[] }>(path, { query: { limit } });
      cli.out.show(answer, () => {
        if (answer.rollouts.length === 0) return `${flag} has had no rollout yet.`;
        const now = Date.now();
        const rows = answer.rollouts.map((past) => [
          String(past.rollout),
          past.release ?? "?",
          when(past.startedAt, now),
          past.endedAt === null ? "goes on" : span(past.endedAt - past.startedAt),
          past.stages.map(({ percentage }) => percent(percentage)).join(" → "),
          past.outcome ?? "",
          past.reason ?? "",
        ]);
        return table(cli.out, ["#", "release", "started", "took", "green", "outcome", "reason"], rows);
      });
    });
