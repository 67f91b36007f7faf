/** CPU time of workerd per routed request, against two pass-through Workers on the same workerd build. */
import { join } from "node:path";
import { type Running, startServe } from "../src/cli/running.ts";
import { documentOf, hostOf } from "./document.ts";
import { atMost, type Bench, type Figure, type Named } from "./figure.ts";
import { run } from "./load.ts";
import { startPlainOrigin } from "./plain-origin.ts";
import { cpuMicros, pin } from "./process.ts";
import { portsOf, startRouter } from "./router.ts";
import { median, quantile, shuffled } from "./statistics.ts";
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
const ROUNDS = { quick: 16, full: 60 };

/** Bounds that the project has set itself. */
const OF_TEXTBOOK = 1.0;
const OF_LEANEST = 1.1;

type Mode = "routed" | "textbook" | "leanest";

async function measure(bench: Bench): Promise<Figure[]> {
  const origin = await startPlainOrigin("blue");
  const green = await startPlainOrigin("green");
  const started: Running[] = [];
  try {
    const flags = documentOf(FLAGS, { blue: origin.url, green: green.url });
    const modes = {} as Record<Mode, Running>;
    for (const mode of ["leanest", "textbook"] as const) {
      modes[mode] = await startPassThrough(bench, mode, origin.url);
      started.push(modes[mode]);
    }
    modes.routed = await startRouter(bench, flags);
    started.push(modes.routed);
    const pinned = started.every((running) => pin(running.pid, 0));
    return figures(await rounds(bench, modes), pinned);
  } finally {
    await Promise.all([...started, origin, green].map((it) => it.stop()));
  }
}

/** A pass-through runs by the same code as the router, on the same workerd; only the script is another one. */
function startPassThrough(bench: Bench, mode: Mode, origin: string): Promise<Running> {
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

/** Microseconds per request of each round. */
async function rounds(bench: Bench, modes: Record<Mode, Running>): Promise<Record<Mode, number[]>> {
  const names = Object.keys(modes) as Mode[];
  for (const name of names) await drive(modes[name], WARM_UP);
  // Counted from reading to reading: what a process does between its rounds (flushes, refreshes) is its cost as well.
  const last = new Map(names.map((name) => [name, cpuMicros(modes[name].pid)]));
  const micros: Record<Mode, number[]> = { routed: [], textbook: [], leanest: [] };
  const count = bench.quick ? ROUNDS.quick : ROUNDS.full;
  for (let round = 0; round < count; round++) {
    for (const name of shuffled(names)) {
      await drive(modes[name], PER_ROUND);
      const now = cpuMicros(modes[name].pid);
      micros[name].push((now - last.get(name)!) / PER_ROUND);
      last.set(name, now);
    }
    if (round % 4 === 3) bench.say(`round ${round + 1} of ${count}`);
  }
  return micros;
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

function figures(micros: Record<Mode, number[]>, pinned: boolean): Figure[] {
  const against = (mode: Mode, bound: number): Figure => {
    const ratios = micros.routed.map((us, i) => us / micros[mode][i]!);
    const quiet = quantile(micros.routed, 0.25) / quantile(micros[mode], 0.25);
    const spread = `${ratio(quantile(ratios, 0.25))} to ${ratio(quantile(ratios, 0.75))}`;
    return atMost(
      `CPU per routed request, of the ${mode} pass-through`,
      median(micros.routed) / median(micros[mode]),
      bound,
      ratio,
      `middle half of ${ratios.length} rounds ${spread}; ratio of the quiet quarters ${ratio(quiet)}`,
    );
  };
  const us = (mode: Mode) => `${mode} ${median(micros[mode]).toFixed(0)}`;
  return [
    against("textbook", OF_TEXTBOOK),
    against("leanest", OF_LEANEST),
    {
      name: "CPU per routed request",
      value: `${median(micros.routed).toFixed(0)} µs`,
      number: median(micros.routed),
      note: `${us("textbook")}, ${us("leanest")} µs; ${FLAGS} flags, counting on${pinned ? "" : ", NOT pinned"}`,
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
