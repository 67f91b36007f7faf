/** From the batch that decides to the last visitor served by green, over busy isolates and a cold one. */
import { setTimeout as sleep } from "node:timers/promises";
import { documentOf, hostOf } from "./document.ts";
import { atMost, type Bench, type Figure, type Named } from "./figure.ts";
import { run } from "./load.ts";
import { startOrigin } from "./origin.ts";
import { portsOf, startRouter, statusOf } from "./router.ts";
import { median } from "./statistics.ts";
import { BUSY, beginTraffic, FLUSH_MS, VISITORS } from "./steady.ts";
import { until } from "./until.ts";
import { pageRequest } from "./visitors.ts";

/** Beside the isolates under load one that had traffic and then none, and one that is cold when green is halted. */
const IDLE = 1;
const COLD = 1;
const TRIALS = { quick: 2, full: 5 };
/** Traffic before green begins to fail: longer than an isolate takes to fall silent, milliseconds. */
const HEALTHY_MS = 7000;
/** The decision must have come by then, milliseconds. */
const PATIENCE_MS = 20_000;
/** Visitors that ask the cold isolate right after the decision, and later the idle one. */
const PROBES = 40;

/** The bound: two flushes and a second, milliseconds. */
const BOUND_MS = 2 * FLUSH_MS + 1000;
/** An isolate with little traffic flushes each 5 s: its bound, milliseconds. */
const IDLE_BOUND_MS = 2 * 5000 + 1000;
/** Traffic after the decision: longer than the bound, so that a straggler is seen, milliseconds. */
const AFTER_MS = BOUND_MS + 1000;

interface Trial {
  /** Milliseconds from the decision to the last request of a busy isolate that reached green. */
  lastMs: number;
  /** Milliseconds from the first failure to the decision. */
  decidedMs: number;
  /** Requests that reached green: of the cold isolate at once, of the idle one after the bound. */
  cold: number;
  idle: number;
}

async function measure(bench: Bench): Promise<Figure[]> {
  const trials: Trial[] = [];
  for (let i = 0; i < (bench.quick ? TRIALS.quick : TRIALS.full); i++) trials.push(await trial(bench));
  const last = trials.map(({ lastMs }) => lastMs);
  const decided = median(trials.map(({ decidedMs }) => decidedMs));
  const note = `median ${seconds(median(last))} of ${trials.length} trials on ${BUSY} isolates; decided ${seconds(decided)} after the first failure`;
  return [
    atMost("decision to the last visitor on green, worst", Math.max(...last), BOUND_MS, seconds, note),
    probed("cold isolate, asked right after the decision: requests on green", trials, "cold"),
    probed("idle isolate, asked when the bound is over: requests on green", trials, "idle"),
  ];
}

function probed(name: string, trials: readonly Trial[], which: "cold" | "idle"): Figure {
  const reached = trials.reduce((sum, trial) => sum + trial[which], 0);
  return atMost(
    name,
    reached,
    0,
    String,
    `of ${PROBES * trials.length} requests, half of them meant for green`,
  );
}

async function trial(bench: Bench): Promise<Trial> {
  const blue = await startOrigin("blue");
  const green = await startOrigin("green", true);
  // Breaker and rescue out of the way: it is the halt that has to take green out.
  const flags = documentOf(
    1,
    { blue: blue.url, green: green.url },
    {
      rules: [{ metric: "error_rate", above: 0.05, minRequests: 20 }],
      route: { rescue: "off", breaker: { failureThreshold: 1000 } },
    },
  );
  const running = await startRouter(bench, flags, { isolates: BUSY + IDLE, cold: COLD });
  const ports = portsOf(running);
  const endTraffic = beginTraffic(ports);
  const reached = async (port: number) => {
    const before = green.log.length;
    // Visitors with numbers of their own, by which green's log tells them apart.
    await run({
      ports: [port],
      count: PROBES,
      connections: 4,
      request: (i) => pageRequest(VISITORS + i, hostOf(0)),
    });
    return green.log.slice(before).filter(({ visitor }) => visitor >= VISITORS).length;
  };
  try {
    await sleep(HEALTHY_MS);
    const failingSince = Date.now();
    green.behave = () => 500;
    let at = 0;
    await until("green is halted", PATIENCE_MS, async () => {
      at = (await statusOf(running)).halts[0]?.at ?? 0;
      return at > 0;
    });
    const cold = await reached(ports.at(-1)!);
    await sleep(at + AFTER_MS - Date.now());
    await sleep(at + IDLE_BOUND_MS - Date.now());
    const last = green.log.findLast(({ visitor }) => visitor < VISITORS)!.at;
    const idle = await reached(ports[BUSY]!);
    return { lastMs: last - at, decidedMs: at - failingSince, cold, idle };
  } finally {
    await endTraffic();
    await Promise.all([running.stop(), blue.stop(), green.stop()]);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export const reach: Named = {
  name: "reach",
  about: "from the batch that decides to the last visitor on green",
  run: measure,
};
