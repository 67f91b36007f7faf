/** `npm run bench`: runs the benches and prints their figures as a table, or as JSON. */
import Table from "cli-table3";
import { Command } from "commander";
import pc from "picocolors";
import { makeBundle } from "../src/cli/bundle.ts";
import { cpu } from "./cpu.ts";
import { decide } from "./decide.ts";
import { exact } from "./exact.ts";
import type { Figure, Named } from "./figure.ts";
import { fuzzing } from "./fuzz.ts";
import { objects } from "./objects.ts";
import { overload } from "./overload.ts";
import { reach } from "./reach.ts";
import { size } from "./size.ts";
import { write } from "./write.ts";
import { writers } from "./writers.ts";

const BENCHES: readonly Named[] = [
  cpu,
  objects,
  reach,
  overload,
  exact,
  decide,
  size,
  write,
  writers,
  fuzzing,
];

interface Options {
  quick?: true;
  json?: true;
}

async function main(): Promise<void> {
  const command = new Command("bench")
    .description("Measures the router on this machine. Traffic goes to 127.0.0.1 only.")
    .argument("[names...]", `which benches: ${BENCHES.map(({ name }) => name).join(", ")}; default all`)
    .option("--quick", "shorter runs, wider spread")
    .option("--json", "print JSON instead of a table")
    .parse();
  const options = command.opts<Options>();
  const chosen = choose(command.args);
  const bundle = await makeBundle();
  const figures: (Figure & { bench: string })[] = [];
  for (const { name, about, run } of chosen) {
    const say = (text: string) => console.error(pc.dim(`${name}: ${text}`));
    say(about);
    const started = performance.now();
    for (const figure of await run({ quick: options.quick ?? false, bundle, say }))
      figures.push({ bench: name, ...figure });
    say(`took ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  console.log(options.json ? JSON.stringify(figures, null, 2) : tableOf(figures));
  // What was asked for and missed fails the run, so that nobody has to read the table to know.
  if (figures.some(({ met }) => met === false)) process.exitCode = 1;
}

function choose(names: readonly string[]): readonly Named[] {
  const unknown = names.filter((wanted) => !BENCHES.some(({ name }) => name === wanted));
  if (unknown.length > 0) throw new Error(`no such bench: ${unknown.join(", ")}`);
  return names.length === 0 ? BENCHES : BENCHES.filter(({ name }) => names.includes(name));
}

function tableOf(figures: readonly Figure[]): string {
  const table = new Table({
    head: ["figure", "measured", "asked for", "", "note"],
    colWidths: [38, 14, 18, 8, 60],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const { name, value, target, met, note } of figures)
    table.push([name, value, target ?? "", verdict(met), note ?? ""]);
  return table.toString();
}

function verdict(met: boolean | undefined): string {
  if (met === undefined) return "";
  return met ? pc.green("met") : pc.red("MISSED");
}

// A signal must run the exit handlers, for they stop the processes that a bench has started.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
