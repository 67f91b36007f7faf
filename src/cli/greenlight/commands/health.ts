/** `greenlight health --cohort C`: looks at a cohort's green for some time, and says at once when it turns bad. */
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { wordsOf } from "../../../core/analysis/condition-words.ts";
import type {
  FlagListView,
  FlagSpecView,
  FlagView,
  MetricsView,
  StatusView,
  WindowView,
} from "../../../core/api/views.ts";
import { DEFAULT_COHORT } from "../../../core/flag/members.ts";
import type { Flag } from "../../../core/flag/schema.ts";
import type { Cli, CommandFactory } from "../cli.ts";
import type { Api } from "../client.ts";
import { EXIT } from "../exit.ts";
import { healthLine, healthText, type Look } from "../health-text.ts";
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

/** A flag that is looked at, with what would halt it. */
interface Meant {
  name: string;
  triggers: { rule: string; action: string }[];
}

/** The flags that are looked at: of the cohort, the one that is named, or all in canary or shadow. */
async function meant(api: Api, { cohort, flag }: HealthFlags): Promise<Meant[]> {
  const specs =
    // Whoever is in no cohort of a flag is in the default one: all flags have it.
    cohort !== undefined && cohort !== DEFAULT_COHORT
      ? (await flagsOf(api, cohort, flag)).map(({ spec }) => spec)
      : flag !== undefined
        ? [await api.ask<FlagSpecView>(`/flags/${encodeURIComponent(flag)}`)]
        : (await api.ask<FlagListView>("/flags")).flags.filter(({ flag: one }) => isUnderWay(one));
  return specs.map((spec) => ({
    name: spec.name,
    triggers: (spec.flag?.route ? spec.flag.rules : []).map((rule) => ({
      rule: rule.metric === "evidence" ? `evidence >= ${Math.round(1 / rule.alpha)}` : wordsOf(rule),
      action: rule.action,
    })),
  }));
}

const isUnderWay = (flag: Flag | null) =>
  flag?.route !== undefined && (flag.state === "canary" || flag.state === "shadow");

/** The rows of a cohort; where none is meant those of all together. A cohort without requests has none. */
function sides({ rows }: MetricsView, cohort: string | undefined): Look["sides"] {
  const side = (variant: WindowView["variant"]) => {
    return rows.find((row) => row.variant === variant && row.cohort === (cohort ?? null)) ?? null;
  };
  return { green: side("green"), blue: side("blue") };
}

async function look(api: Api, flags: readonly Meant[], cohort: string | undefined): Promise<Look[]> {
  const [status, ...metrics] = await Promise.all([
    api.ask<StatusView>("/status"),
    ...flags.map(({ name }) =>
      api.ask<MetricsView>(`/flags/${encodeURIComponent(name)}/metrics`, { query: { window: WINDOW_S } }),
    ),
  ]);
  return flags.map(({ name, triggers }, i) => {
    const flag = status.flags.find((one) => one.name === name);
    return {
      at: Date.now(),
      flag: name,
      verdict: verdictOf(flag, cohort),
      sentence: flag?.verdict?.sentence ?? "nothing was judged yet",
      evidence: flag?.comparison ? { now: flag.comparison.evidence, halts: flag.comparison.threshold } : null,
      halts: haltsOf(flag, cohort).map(({ rule, reason }) => `${rule}: ${reason}`),
      triggers: triggers.map((one) => ({ ...one, firing: isFiring(flag, one.rule) })),
      sides: sides(metrics[i]!, cohort),
    };
  });
}

const haltsOf = (flag: FlagView | undefined, cohort: string | undefined) =>
  (flag?.rollout?.halts ?? (flag?.halt ? [flag.halt] : [])).filter(
    (halt) => halt.cohort === undefined || cohort === undefined || halt.cohort === cohort,
  );

const isFiring = (flag: FlagView | undefined, rule: string) =>
  flag?.verdict?.verdict === "unhealthy" && flag.verdict.rule === rule;

function verdictOf(flag: FlagView | undefined, cohort: string | undefined): Look["verdict"] {
  if (flag?.killed || haltsOf(flag, cohort).length > 0) return "unhealthy";
  return flag?.verdict?.verdict ?? "unmeasured";
}

async function watch(cli: Cli, flags: HealthFlags): Promise<void> {
  cli.needsRouter("health");
  const api = await cli.api();
  const looked = await meant(api, flags);
  const past: Look[][] = [];
  const until = Date.now() + flags.duration;
  for (;;) {
    const now = await look(api, looked, flags.cohort);
    past.push(now);
    if (cli.out.json) for (const one of now) cli.out.line(one, () => "");
    else draw(cli, past, { cohort: flags.cohort, until });
    const bad = now.filter(({ verdict }) => verdict === "unhealthy");
    if (bad.length > 0) return end(cli, "unhealthy", bad);
    const left = until - Date.now();
    if (left <= 0) break;
    const woken = await sleep(Math.min(flags.interval, left), true, { signal: cli.interrupted }).catch(
      () => false,
    );
    if (!woken) return;
  }
  const last = past.at(-1) ?? [];
  const unknown = last.filter(({ verdict }) => verdict !== "healthy");
  if (looked.length > 0 && unknown.length === 0) return end(cli, "healthy", last);
  return end(cli, "not known", unknown);
}

/** To the corner of the terminal, and nothing on it. */
const CLEAR = "\x1b[H\x1b[2J";

/** Over the last look on a terminal; elsewhere a line a flag. */
function draw(
  cli: Cli,
  past: readonly (readonly Look[])[],
  about: { cohort: string | undefined; until: number },
) {
  if (process.stdout.isTTY) {
    process.stdout.write(CLEAR);
    cli.out.line(past.at(-1), () => healthText(cli.out, past, about));
  } else for (const look of past.at(-1) ?? []) cli.out.line(look, () => healthLine(look));
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
