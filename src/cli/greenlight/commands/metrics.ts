/** `greenlight metrics FLAG` and `greenlight usage`: what was counted within a window of time. */
import { Command } from "commander";
import type { MetricsView, UsageView } from "../../../core/api/views.ts";
import type { CommandFactory } from "../cli.ts";
import { count, latency, ratio, table, when } from "../table.ts";
import { duration, nameOf } from "../words.ts";

const MS = 1000;
const FIVE_MINUTES = 300_000;
const DAY = 86_400_000;

interface WindowFlags {
  window: number;
}

/** A window in whole seconds, as the API takes it. */
const query = ({ window }: WindowFlags) => ({ window: Math.round(window / MS) });

export const metricsCommand: CommandFactory = (cli) =>
  new Command("metrics")
    .description("Shows requests, errors and latencies of a flag's two sides within a window, by cohort.")
    .argument("<flag>", "its name", nameOf)
    .option("-w, --window <time>", "from 1m to 30d (default: 5m)", duration, FIVE_MINUTES)
    .action(async (flag: string, flags: WindowFlags) => {
      cli.needsRouter("metrics");
      const api = await cli.api();
      const view = await api.ask<MetricsView>(`/flags/${encodeURIComponent(flag)}/metrics`, {
        query: query(flags),
      });
      cli.out.show(view, () => {
        const now = Date.now();
        const head = `${view.flag} ${view.release}, from ${when(view.from, now)}`;
        if (!view.complete)
          return `${head}\nCounts of a part of this time were not kept: take a shorter window.`;
        if (view.rows.length === 0) return `${head}\nNo requests.`;
        const rows = view.rows.map((row) => [
          row.variant,
          row.cohort ?? "all",
          count(row.requests),
          ratio(row.errorRate),
          count(row.timeouts),
          count(row.diverted + row.rescued),
          ...[row.mean, row.p50, row.p75, row.p95, row.p99].map(latency),
          count(row.visitors),
        ]);
        const columns = ["side", "cohort", "requests", "errors", "timeouts", "diverted, rescued"];
        return `${head}\n${table(cli.out, [...columns, "mean", "p50", "p75", "p95", "p99", "visitors"], rows)}`;
      });
    });

export const usageCommand: CommandFactory = (cli) =>
  new Command("usage")
    .description("Shows how much flags are used within a window, the most used first.")
    .argument("[flag]", "only this one", nameOf)
    .option("-w, --window <time>", "from 1m to 30d (default: 24h)", duration, DAY)
    .action(async (flag: string | undefined, flags: WindowFlags) => {
      cli.needsRouter("usage");
      const api = await cli.api();
      const ask = { query: query(flags) };
      const usage =
        flag === undefined
          ? (await api.ask<{ usage: UsageView[] }>("/usage", ask)).usage
          : [await api.ask<UsageView>(`/flags/${encodeURIComponent(flag)}/usage`, ask)];
      cli.out.show(flag === undefined ? { usage } : usage[0], () =>
        table(
          cli.out,
          ["flag", "tenants", "keys", "operations", "mean", "success"],
          usage.map((one) => [
            one.complete ? one.flag : `${one.flag} (not all of the time was kept)`,
            one.tenants === null ? "–" : count(one.tenants),
            count(one.keys),
            count(one.operations),
            latency(one.meanLatency),
            ratio(one.successRate),
          ]),
        ),
      );
    });
