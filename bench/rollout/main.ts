/** `npm run bench:rollout`: a week of each ready-made plan, what is kept of a rollout, and what the alarm costs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Table from "cli-table3";
import { Command } from "commander";
import pc from "picocolors";
import type { Figure } from "../figure.ts";
import { alarm } from "./alarm.ts";
import { type Simulated, simulate } from "./simulate.ts";
import { bytesOf } from "./state.ts";
import { FLAG, type NamedStory, storiesOf } from "./stories.ts";
import { readTrace } from "./trace.ts";

const WEEK = join(import.meta.dirname, "../../fixtures/traces/week.csv");
const MINUTES_A_DAY = 1440;
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/** Records that are printed of a story. */
const SHOWN = 60;

interface Options {
  json?: true;
  alarms: boolean;
  weeks: boolean;
}

async function main(): Promise<void> {
  const command = new Command("bench:rollout")
    .description("Plays a week of traffic through rollouts, and measures the controller's alarm.")
    .argument("[names...]", "stories, whole names or parts of them; default all")
    .option("--json", "print JSON")
    .option("--no-alarms", "leave out what the alarm costs")
    .option("--no-weeks", "leave out the weeks")
    .parse();
  const { json, alarms, weeks } = command.opts<Options>();
  const stories = weeks ? choose(command.args) : [];
  const figures: Figure[] = [];
  const played: { name: string; seconds: number; decisions: Simulated["decisions"] }[] = [];
  for (const story of stories) {
    const result = await simulate(story);
    const { decisions, seconds } = result;
    played.push({ name: story.name, seconds, decisions });
    figures.push(figureOf(story, result));
    if (!json) console.log(tell(story, result));
    if (story === stories[0]) figures.push(...kept(result));
  }
  if (alarms) figures.push(...(await alarm((text) => console.error(pc.dim(text)))));
  console.log(json ? JSON.stringify({ played, figures }, null, 2) : tableOf(figures));
}

function choose(names: readonly string[]): NamedStory[] {
  const all = storiesOf(readTrace(readFileSync(WEEK, "utf8")));
  const unknown = names.filter((wanted) => !all.some(({ name }) => name.includes(wanted)));
  if (unknown.length > 0) throw new Error(`no such story: ${unknown.join(", ")}`);
  return all.filter(({ name }) => names.length === 0 || names.some((wanted) => name.includes(wanted)));
}

function figureOf({ name, from, to, stepMs }: NamedStory, { seconds, end, decisions }: Simulated): Figure {
  const days = ((to - from) / MINUTES_A_DAY).toFixed(1);
  return {
    name: `a week of ${name}`,
    value: `${seconds.toFixed(1)} s`,
    number: seconds,
    note: `${days} days in steps of ${stepMs / 1000} s; ${decisions.length} records; ${end.phase} at ${end.share / 1000} %`,
  };
}

/** What is kept of the rollout at its end. */
function kept({ controller }: Simulated): Figure[] {
  return Object.entries(bytesOf(controller, FLAG)).map(([what, bytes]) => ({
    name: `kept: ${what}`,
    value: `${(bytes / 1000).toFixed(1)} kB`,
    number: bytes,
    note: "of one rollout, at the end of the first week above",
  }));
}

function tell({ name, about }: NamedStory, { decisions, seconds }: Simulated): string {
  const lines = decisions.slice(0, SHOWN).map(({ minute, action, percentage, reason }) => {
    const share = percentage === null ? "" : `${percentage} %`;
    return `  ${timeOf(minute)}  ${share.padStart(6)}  ${action}: ${reason}`;
  });
  return [pc.bold(`${name}: ${about}`), ...lines, pc.dim(`  ${seconds.toFixed(1)} s`), ""].join("\n");
}

/** `Mon 09:31`. */
function timeOf(minute: number): string {
  const whole = Math.floor(minute);
  const pad = (n: number) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor((whole % MINUTES_A_DAY) / 60), whole % 60];
  return `${DAYS[Math.floor(whole / MINUTES_A_DAY) % DAYS.length]} ${pad(hours)}:${pad(minutes)}`;
}

function tableOf(figures: readonly Figure[]): string {
  const table = new Table({ head: ["figure", "measured", "note"], style: { head: [], border: [] } });
  for (const { name, value, note } of figures) table.push([name, value, note ?? ""]);
  return table.toString();
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
