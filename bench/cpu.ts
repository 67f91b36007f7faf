/** CPU time of workerd per routed request, against two pass-through Workers on the same workerd build. */
import { join } from "node:path";
import { type Running, startServe } from "../src/cli/running.ts";
import { documentOf, hostOf } from "./document.ts";
import { atMost, type Bench, type Figure, type Named } from "./figure.ts";
import { run } from "./load.ts";
import { startPlainOrigin } from "./plain-origin.ts";
import { cpuMicros, pin } from "./process.ts";
import { portsOf, startRouter } from "./router.ts";
import { median, shuffled } from "./statistics.ts";
import { pageRequest } from "./visitors.ts";

/** Flags in the document. */
const FLAGS = 50;
/** Visitors that come back. */
const VISITORS = 1000;
const CONNECTIONS = 16;
/** Requests before the first round, so that V8 has compiled what is hot. */
const WARM_UP = 8000;
/** Requests of a round: about a second, the time between two flushes under load. */
const PER_ROUND = 2500;
const ROUNDS = { quick: 8, full: 20 };
/** Processes of each mode: two of the same bundle differ by 5 to 15 %, more than what there is to measure. */
const PROCESSES = { quick: 2, full: 3 };

/** Bounds that the project has set itself. */
const OF_TEXTBOOK = 1.0;
const OF_LEANEST = 1.1;

const MODES = ["routed", "textbook", "leanest"] as const;
type Mode = (typeof MODES)[number];

/** One process of a mode, and the microseconds per request of each of its rounds. */
interface Runner {
  mode: Mode;
  running: Running;
  micros: number[];
}

async function measure(bench: Bench): Promise<Figure[]> {
  const origin = await startPlainOrigin("blue");
  const green = await startPlainOrigin("green");
  const runners: Runner[] = [];
  try {
    const flags = documentOf(FLAGS, { blue: origin.url, green: green.url });
    for (let i = 0; i < (bench.quick ? PROCESSES.quick : PROCESSES.full); i++) {
      for (const mode of MODES) {
        const running =
          mode === "routed"
            ? await startRouter(bench, flags)
            : await startPassThrough(bench, mode, origin.url);
        runners.push({ mode, running, micros: [] });
      }
    }
    const pinned = runners.every(({ running }) => pin(running.pid, 0));
    await rounds(bench, runners);
    return figures(runners, pinned);
  } finally {
    await Promise.all([...runners.map(({ running }) => running), origin, green].map((it) => it.stop()));
  }
}

/** A pass-through runs by the same code as the router, on the same workerd; only the script is another one. */
function startPassThrough(bench: Bench, mode: Exclude<Mode, "routed">, origin: string): Promise<Running> {
  const bundle = {
    ...bench.bundle,
    dir: join(import.meta.dirname, "workers"),
    modules: [`${mode}.js`],
    vars: { ORIGIN: origin, ORIGIN_HOST: new URL(origin).host },
    kv: [],
    objects: [],
    sqlite: [],
  };
  return startServe({ bundle });
}

/** Measures the rounds of all processes, each round in another order. */
async function rounds(bench: Bench, runners: readonly Runner[]): Promise<void> {
  for (const { running } of runners) await drive(running, WARM_UP);
  // Counted from reading to reading: what a process does between its rounds (flushes, refreshes) is its cost as well.
  const last = new Map(runners.map(({ running }) => [running, cpuMicros(running.pid)]));
  const count = bench.quick ? ROUNDS.quick : ROUNDS.full;
  for (let round = 0; round < count; round++) {
    for (const { running, micros } of shuffled(runners)) {
      await drive(running, PER_ROUND);
      const now = cpuMicros(running.pid);
      micros.push((now - last.get(running)!) / PER_ROUND);
      last.set(running, now);
    }
    if (round % 4 === 3) bench.say(`round ${round + 1} of ${count}`);
  }
}

function drive(running: Running, count: number): Promise<void> {
  return run({
    ports: portsOf(running),
    count,
    connections: CONNECTIONS,
    request: (i) => pageRequest(i % VISITORS, hostOf(i % FLAGS)),
    seen: ({ status }) => {
      if (status !== 200) throw new Error(`an answer with status ${status}`);
    },
  });
}

function figures(runners: readonly Runner[], pinned: boolean): Figure[] {
  const medians = (mode: Mode) => runners.filter((r) => r.mode === mode).map(({ micros }) => median(micros));
  const mean = (mode: Mode) => medians(mode).reduce((sum, us) => sum + us, 0) / medians(mode).length;
  const against = (mode: Mode, bound: number): Figure =>
    atMost(
      `CPU per routed request, of the ${mode} pass-through`,
      mean("routed") / mean(mode),
      bound,
      ratio,
      `mean of ${medians(mode).length} processes each; best against best ${ratio(Math.min(...medians("routed")) / Math.min(...medians(mode)))}`,
    );
  const us = (mode: Mode) =>
    `${mode} ${medians(mode)
      .map((n) => n.toFixed(0))
      .join(" ")}`;
  return [
    against("textbook", OF_TEXTBOOK),
    against("leanest", OF_LEANEST),
    {
      name: "CPU per routed request",
      value: `${mean("routed").toFixed(0)} µs`,
      number: mean("routed"),
      note: `by process: ${us("routed")}, ${us("textbook")}, ${us("leanest")} µs; ${FLAGS} flags, counting on${pinned ? "" : ", NOT pinned"}`,
    },
  ];
}

function ratio(n: number): string {
  return n.toFixed(3);
}

export const cpu: Named = {
  name: "cpu",
  about: "CPU time of workerd per routed request, against pass-through Workers",
  run: measure,
};
