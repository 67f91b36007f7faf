/** `npm run bench:halt`: the halt test and its rivals over seeded rollouts, as tables or as JSON. */
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { type Field, load, OWN } from "./contenders.ts";
import { cost } from "./cost.ts";
import { gate } from "./gate.ts";
import { type Job, runAll } from "./pool.ts";
import { lineOf, report } from "./report.ts";
import { CASES, type Case } from "./scenarios.ts";
import { type Summary, summarise } from "./summary.ts";

/** Threads: what the machine that the short form is made for has. */
const THREADS = 2;

/** Runs of the gate's figure, in the short and in the full form. */
const GATE_RUNS = [100, 1000] as const;

interface Options {
  full?: true;
  json?: true;
  list?: true;
  runs?: number;
  first: number;
  threads: number;
  detector: string | false;
  rivals: boolean;
}

async function main(): Promise<void> {
  const command = new Command("bench:halt")
    .description("False halts, and what a bad green has served when it is halted, over seeded rollouts.")
    .argument("[names...]", "scenarios or groups, whole names or parts of them; default all")
    .option("--full", "as many runs as the figures need: hours")
    .option("--json", "print JSON instead of tables")
    .option("--list", "print the scenarios with their groups and runs")
    .option("--runs <n>", "so many runs of each, whatever the form", whole)
    .option("--first <n>", "number of the first run: other numbers are other seeds", whole, 0)
    .option("--threads <n>", "worker threads", whole, THREADS)
    .option(
      "--detector <file>",
      "a file that exports create(config)",
      resolve(import.meta.dirname, "detector.ts"),
    )
    .option("--no-detector", "the rivals alone")
    .option("--no-rivals", "the detector alone")
    .parse();
  const options = command.opts<Options>();
  const cases = choose(command.args);
  const runsOf = ({ runs }: Case) => options.runs ?? runs[options.full ? 1 : 0];
  if (options.list) {
    for (const one of cases)
      console.log(`${one.group.padEnd(13)} ${String(runsOf(one)).padStart(5)}  ${one.name}`);
    return;
  }
  const detector = options.detector === false ? undefined : resolve(options.detector);
  const field: Field = { ...(detector !== undefined && { detector }), rivals: options.rivals };
  // Before the threads take the processors.
  const gateRuns = options.runs ?? GATE_RUNS[options.full ? 1 : 0];
  const costs = detector === undefined ? [] : [...gate(gateRuns), ...cost(await load(detector))];
  const summaries = new Map<Case, Summary[]>();
  const jobs = cases.map((scenario): Job => ({ scenario, run0: options.first, runs: runsOf(scenario) }));
  const started = performance.now();
  await runAll(jobs, field, options.threads, ({ scenario, runs }, outcomes) => {
    const lines = Object.entries(outcomes).map(([name, list]) => summarise(scenario, name, list));
    summaries.set(scenario, lines);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.error(pc.dim(`${seconds} s  ${scenario.name}, ${runs} runs: ${lineOf(lines)}`));
  });
  const all = cases.flatMap((one) => summaries.get(one)!);
  console.log(options.json ? JSON.stringify({ summaries: all, costs }, null, 2) : report(all, costs));
  // What was asked for and missed fails the run, so that nobody has to read the table to know.
  if (all.some(({ contender, verdict }) => contender === OWN && verdict === "missed")) process.exitCode = 1;
  if (costs.some(({ met }) => met === false)) process.exitCode = 1;
}

/** A whole name or a group goes before parts of names. */
function choose(names: readonly string[]): readonly Case[] {
  if (names.length === 0) return CASES;
  const chosen = new Set<Case>();
  for (const wanted of names) {
    const exact = CASES.filter(({ name, group }) => name === wanted || group === wanted);
    const found = exact.length > 0 ? exact : CASES.filter(({ name }) => name.includes(wanted));
    if (found.length === 0) throw new Error(`no scenario or group is called "${wanted}"; --list names them`);
    for (const one of found) chosen.add(one);
  }
  return CASES.filter((one) => chosen.has(one));
}

function whole(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 0) throw new InvalidArgumentError("a whole number");
  return n;
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
