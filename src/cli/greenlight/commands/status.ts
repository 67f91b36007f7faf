/** `greenlight status`: the whole installation at one look. */
import { Command } from "commander";
import type { StatusView } from "../../../core/api/views.ts";
import { SHARE_PER_PERCENT } from "../../../core/flag/percentage.ts";
import type { CommandFactory } from "../cli.ts";
import { stateText } from "../flag-text.ts";
import type { Output } from "../output.ts";
import { phaseText, stageText, verdictSign } from "../rollout-text.ts";
import { pairs, percent, table, when } from "../table.ts";
import { afterHalt } from "../way-on.ts";

function statusText(out: Output, status: StatusView, url: string, now: number): string {
  const { paint } = out;
  const sampled = status.sampling < 1 ? `, a sample of ${percent(status.sampling * 100)}` : "";
  const lines = [
    pairs(out, [
      ["router", url],
      ["revision", `${status.revision}, ${when(status.at, now)}`],
      ["isolates", `${status.isolates} heard in the last minute${sampled}`],
      [
        "global switch",
        status.enabled ? "on" : `${paint.red("off: everything goes to blue")} → greenlight enable`,
      ],
      ["kill key", status.kill.trim() === "" ? null : paint.red(status.kill.trim())],
      ["batches lost", status.lost === 0 ? null : String(status.lost)],
    ]),
  ];
  for (const halt of status.halts)
    lines.push(`${paint.red("■")} ${halt.flag} ${halt.release}: ${halt.reason}`, `  → ${afterHalt(halt)}`);
  for (const { path, message } of status.faults) lines.push(`${paint.red("✗")} ${path}: ${message}`);
  const rows = status.flags.map(({ name, state, percentage, share, verdict, rollout }) => [
    verdictSign(paint, verdict?.verdict ?? "unmeasured"),
    name,
    state === "canary" ? `${stateText(paint, state)} ${percent(percentage)}` : stateText(paint, state),
    percent(share / SHARE_PER_PERCENT),
    rollout ? `${phaseText(paint, rollout.phase)} ${stageText(rollout)}` : "",
    verdict?.sentence ?? "",
  ]);
  if (rows.length > 0)
    lines.push("", table(out, ["", "flag", "asked for", "served", "rollout", "verdict"], rows));
  return lines.join("\n");
}

export const statusCommand: CommandFactory = (cli) =>
  new Command("status")
    .description(
      "Shows the whole installation: switches, halts, faults, isolates, and every flag with its verdict.",
    )
    .action(async () => {
      cli.needsRouter("status");
      const api = await cli.api();
      const status = await api.ask<StatusView>("/status");
      cli.out.show(status, () => statusText(cli.out, status, api.profile.url, Date.now()));
    });
