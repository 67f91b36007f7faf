/** `greenlight health --cohort C`: looks at a cohort's green for some time, and says at once when it turns bad. */
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import type { FlagView, MetricsView, StatusView, WindowView } from "../../../core/api/views.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import type { Api } from "../client.ts";
import { EXIT } from "../exit.ts";
import { healthText, type Look } from "../health-text.ts";
import { flagsOf } from "../of-cohort.ts";
import { duration, nameOf } from "../words.ts";

const HOUR = 3_600_000;
const TEN_SECONDS = 10_000;
/** Seconds of the counts that each look shows. */
const WINDOW_S = 300;

interface HealthFlags {
  cohort?: string;
  flag?: string;
  duration: number;
  interval: number;
}

/** Names of the flags that are looked at. */
async function meant(api: Api, { cohort, flag }: HealthFlags): Promise<string[]> {
  if (cohort !== undefined) return (await flagsOf(api, cohort, flag)).map(({ spec }) => spec.name);
  if (flag !== undefined) return [flag];
  const { flags } = await api.ask<StatusView>("/status");
  return flags.filter(({ state }) => state === "canary" || state === "shadow").map(({ name }) => name);
}

/** The rows of a cohort, else those of all cohorts together. */
function sides({ rows }: MetricsView, cohort: string | undefined): Look["sides"] {
  const side = (variant: WindowView["variant"]) => {
    const own = rows.filter((row) => row.variant === variant);
    return (
      own.find((row) => cohort !== undefined && row.cohort === cohort) ??
      own.find((row) => row.cohort === null) ??
      null
    );
  };
  return { green: side("green"), blue: side("blue") };
}

async function look(api: Api, names: readonly string[], cohort: string | undefined): Promise<Look[]> {
  const [status, ...metrics] = await Promise.all([
    api.ask<StatusView>("/status"),
    ...names.map((name) =>
      api.ask<MetricsView>(`/flags/${encodeURIComponent(name)}/metrics`, { query: { window: WINDOW_S } }),
    ),
  ]);
  return names.map((name, i) => {
    const flag = status.flags.find((one) => one.name === name);
    return {
      at: Date.now(),
      flag: name,
      verdict: verdictOf(flag, cohort),
      sentence: flag?.verdict?.sentence ?? "nothing was judged yet",
      evidence: flag?.comparison ? { now: flag.comparison.evidence, halts: flag.comparison.threshold } : null,
      halts: haltsOf(flag, cohort).map(({ rule, reason }) => `${rule}: ${reason}`),
      sides: sides(metrics[i]!, cohort),
    };
  });
}

const haltsOf = (flag: FlagView | undefined, cohort: string | undefined) =>
  (flag?.rollout?.halts ?? (flag?.halt ? [flag.halt] : [])).filter(
    (halt) => halt.cohort === undefined || cohort === undefined || halt.cohort === cohort,
  );

function verdictOf(flag: FlagView | undefined, cohort: string | undefined): Look["verdict"] {
  if (flag?.killed || haltsOf(flag, cohort).length > 0) return "unhealthy";
  return flag?.verdict?.verdict ?? "unmeasured";
}

async function watch(cli: Cli, flags: HealthFlags): Promise<void> {
  cli.needsRouter("health");
  const api = await cli.api();
  const names = await meant(api, flags);
  const past: Look[][] = [];
  const until = Date.now() + flags.duration;
  for (;;) {
    const now = await look(api, names, flags.cohort);
    past.push(now);
    if (cli.out.json) for (const one of now) cli.out.line(one, () => "");
    else draw(cli, healthText(cli.out, past, { cohort: flags.cohort, until }));
    if (now.some(({ verdict }) => verdict === "unhealthy")) return end(cli, "unhealthy", now);
    const left = until - Date.now();
    if (left <= 0) break;
    const woken = await sleep(Math.min(flags.interval, left), true, { signal: cli.interrupted }).catch(
      () => false,
    );
    if (!woken) return;
  }
  const last = past.at(-1) ?? [];
  const unknown = last.filter(({ verdict }) => verdict !== "healthy");
  if (names.length > 0 && unknown.length === 0) return end(cli, "healthy", last);
  return end(cli, "not known", unknown);
}

/** Over the last look on a terminal, below it elsewhere. */
function draw(cli: Cli, text: string): void {
  const over = process.stdout.isTTY === true && !cli.options.quiet;
  process.stdout.write(over ? `\x1b[H\x1b[2J${text}\n` : `${text}\n`);
}

function end(cli: Cli, said: "healthy" | "unhealthy" | "not known", looks: readonly Look[]): void {
  const { paintErr: paint } = cli.out;
  const colour = { healthy: paint.green, unhealthy: paint.red, "not known": paint.yellow }[said];
  const why = looks.map(({ flag, sentence, halts }) => `${flag}: ${halts[0] ?? sentence}`).join("; ");
  cli.out.note(`${colour(said)}${why === "" ? ": nothing is in canary or shadow" : `: ${why}`}`);
  if (said !== "healthy") cli.ends(EXIT.no);
}

export const healthCommand: CommandFactory = (cli) =>
  new Command("health")
    .description(
      "Looks at green for some time: rates and latencies with their trend, evidence and what would halt it. Ends with 1 when it turns unhealthy, or is not known to be healthy at the end.",
    )
    .option("--cohort <cohort>", "of this cohort; else of all visitors", nameOf)
    .option("--flag <flag>", "only this flag; else all of the cohort, or all in canary", nameOf)
    .option("--duration <time>", "how long (default: 1h)", duration, HOUR)
    .option("--interval <time>", "between two looks (default: 10s)", duration, TEN_SECONDS)
    .action((flags: HealthFlags) => watch(cli, flags));
