/** A thread that runs chunks of scenarios and sends their outcomes back. */
import { parentPort, workerData } from "node:worker_threads";
import { contenders, type Field, load } from "./contenders.ts";
import { CASES } from "./scenarios.ts";
import { type Outcome, runOnce } from "./simulate.ts";

/** Runs `run0` to `run0 + runs - 1` of a scenario. */
export interface Chunk {
  scenario: string;
  run0: number;
  runs: number;
}

/** Outcomes by contender, one for each run. */
export type Outcomes = Record<string, Outcome[]>;

const { detector, rivals } = workerData as Field;
const own = detector === undefined ? undefined : await load(detector);

parentPort!.on("message", ({ scenario: name, run0, runs }: Chunk) => {
  const scenario = CASES.find((one) => one.name === name)!;
  const field = contenders(scenario, own, rivals);
  const names = Object.keys(field);
  const outcomes: Outcomes = Object.fromEntries(names.map((contender) => [contender, []]));
  for (let run = run0; run < run0 + runs; run++) {
    const results = runOnce(Object.values(field), scenario, run);
    names.forEach((contender, i) => {
      outcomes[contender]!.push(results[i]!);
    });
  }
  parentPort!.postMessage(outcomes);
});
