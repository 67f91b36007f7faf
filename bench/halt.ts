/** From the batch that decides to the last visitor served by green, over busy isolates and a cold one. */
import { documentOf, hostOf } from "./document.ts";
import { atMost, type Bench, type Figure, type Named } from "./figure.ts";
import { run } from "./load.ts";
import { startOrigin } from "./origin.ts";
import { portOf, portsOf, startRouter, statusOf } from "./router.ts";
import { median } from "./statistics.ts";
import { until } from "./until.ts";
import { pageRequest } from "./visitors.ts";

const ISOLATES = 4;
const RATE = 200;
const VISITORS = 1000;
const TRIALS = { quick: 2, full: 5 };
/** Traffic before green begins to fail, so that rules have something to compare with, milliseconds. */
const HEALTHY_MS = 2000;
/** The decision must have come by then, milliseconds. */
const PATIENCE_MS = 20_000;
/** Traffic after the decision: longer than the bound, so that a straggler is seen, milliseconds. */
const AFTER_MS = 5000;
/** Visitors who ask the cold isolate right after the decision. */
const COLD_VISITORS = 40;

/** Flush interval of a busy isolate, milliseconds, and the bound: two of them and a second. */
const FLUSH_MS = 1000;
const BOUND_MS = 2 * FLUSH_MS + 1000;

interface Trial {
  /** Milliseconds from the decision to the last request that reached green. */
  lastMs: number;
  /** Milliseconds from the first failure to the decision. */
  decidedMs: number;
  /** Requests of the cold isolate that reached green. */
  cold: number;
}

async function measure(bench: Bench): Promise<Figure[]> {
  const trials: Trial[] = [];
  for (let i = 0; i < (bench.quick ? TRIALS.quick : TRIALS.full); i++) trials.push(await trial(bench));
  const last = trials.map(({ lastMs }) => lastMs);
  const cold = trials.reduce((sum, trial) => sum + trial.cold, 0);
  return [
    atMost(
      "decision to the last visitor on green, worst",
      Math.max(...last),
      BOUND_MS,
      (ms) => `${(ms / 1000).toFixed(2)} s`,
      `median ${(median(last) / 1000).toFixed(2)} s of ${trials.length}; decided ${(median(trials.map((t) => t.decidedMs)) / 1000).toFixed(2)} s after the first failure; ${cold} of ${COLD_VISITORS * trials.length} visitors of a cold isolate reached green`,
    ),
  ];
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
  const running = await startRouter(bench, flags, { isolates: ISOLATES, cold: 1 });
  let over = false;
  try {
    const ports = portsOf(running);
    const load = run({
      ports: ports.slice(0, ISOLATES),
      count: Number.POSITIVE_INFINITY,
      connections: 2 * ISOLATES,
      rate: RATE,
      request: (i) => pageRequest(i % VISITORS, hostOf(0)),
      enough: () => over,
    });
    const healthyUntil = Date.now() + HEALTHY_MS;
    await until("green has been healthy for a while", HEALTHY_MS + 1000, () => Date.now() >= healthyUntil);
    const failingSince = Date.now();
    green.behave = () => 500;
    let at = 0;
    await until("green is halted", PATIENCE_MS, async () => {
      at = (await statusOf(running)).halts[0]?.at ?? 0;
      return at > 0;
    });
    const seen = green.log.length;
    const cold = await askCold(portOf(running.isolates.at(-1)!), () => coldOnGreen(green.log.slice(seen)));
    const end = at + AFTER_MS;
    await until("stragglers would have shown", AFTER_MS + 1000, () => Date.now() >= end);
    over = true;
    await load;
    return { lastMs: green.log.at(-1)!.at - at, decidedMs: at - failingSince, cold };
  } finally {
    over = true;
    await Promise.all([running.stop(), blue.stop(), green.stop()]);
  }
}

/** Visitors of the cold isolate have numbers of their own, by which green's log tells them apart. */
async function askCold(port: number, onGreen: () => number): Promise<number> {
  await run({
    ports: [port],
    count: COLD_VISITORS,
    connections: 4,
    request: (i) => pageRequest(VISITORS + i, hostOf(0)),
  });
  return onGreen();
}

function coldOnGreen(log: readonly { visitor: number }[]): number {
  return log.filter(({ visitor }) => visitor >= VISITORS).length;
}

export const halt: Named = {
  name: "halt",
  about: "from the batch that decides to the last visitor on green",
  run: measure,
};
