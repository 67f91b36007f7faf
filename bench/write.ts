/** A write through the API while traffic flows: until every busy isolate serves by it, and a cold and an idle one. */
import { setTimeout as sleep } from "node:timers/promises";
import { documentOf, hostOf } from "./document.ts";
import { atMost, type Bench, type Figure, type Named } from "./figure.ts";
import { run } from "./load.ts";
import { type Origin, startOrigin } from "./origin.ts";
import { ask, portsOf, startRouter } from "./router.ts";
import { median } from "./statistics.ts";
import { pageRequest } from "./visitors.ts";

/** Isolates under load, one that had traffic and then none, and one that is cold when the write comes. */
const BUSY = 4;
const IDLE = 1;
const COLD = 1;
const RATE = 200;
const VISITORS = 1000;
const TRIALS = { quick: 2, full: 6 };
/** Traffic before the write: longer than an isolate takes to fall silent, milliseconds. */
const BEFORE_MS = 9_000;
/** Visitors that ask the cold and the idle isolate right after the answer. */
const PROBES = 40;
/** Flush interval of a busy isolate, milliseconds, and the bound: two of them. */
const FLUSH_MS = 1000;
const BOUND_MS = 2 * FLUSH_MS;
/** Traffic after the write: longer than the bound, so that a straggler is seen, milliseconds. */
const AFTER_MS = BOUND_MS + 3000;

/** A write, and the side on which nobody is afterwards. */
interface Order {
  percentage: number;
  left: "blue" | "green";
}
const ORDERS: readonly Order[] = [
  { percentage: 0, left: "green" },
  { percentage: 100, left: "blue" },
];

interface Trial extends Order {
  /** Milliseconds that the write took, and from its answer to the last visitor of the side that is left. */
  answeredMs: number;
  lastMs: number;
  /** Requests that reached the side that is left: of the cold and of the idle isolate, asked after the answer. */
  cold: number;
  idle: number;
}

async function measure(bench: Bench): Promise<Figure[]> {
  const trials: Trial[] = [];
  for (let i = 0; i < (bench.quick ? TRIALS.quick : TRIALS.full); i++)
    trials.push(await trial(bench, ORDERS[i % ORDERS.length]!));
  const answered = median(trials.map(({ answeredMs }) => answeredMs));
  return [
    ...ORDERS.map(({ percentage, left }) => {
      const last = trials.filter((t) => t.percentage === percentage).map(({ lastMs }) => lastMs);
      const note = `median ${seconds(median(last))} of ${last.length} trials on ${BUSY} isolates; the write itself took ${seconds(answered)}`;
      const name = `50 % to ${percentage} %: from the answer to the last visitor on ${left}, worst`;
      return atMost(name, Math.max(...last), BOUND_MS, seconds, note);
    }),
    probed("cold isolate, asked right after the answer: requests on the old side", trials, "cold"),
    probed("idle isolate, asked right after the answer: requests on the old side", trials, "idle"),
  ];
}

function probed(name: string, trials: readonly Trial[], which: "cold" | "idle"): Figure {
  const reached = trials.reduce((sum, trial) => sum + trial[which], 0);
  return atMost(name, reached, 0, String, `of ${PROBES * trials.length} requests`);
}

async function trial(bench: Bench, order: Order): Promise<Trial> {
  const blue = await startOrigin("blue", true);
  const green = await startOrigin("green", true);
  const left = order.left === "blue" ? blue : green;
  const flags = documentOf(1, { blue: blue.url, green: green.url });
  const running = await startRouter(bench, flags, { isolates: BUSY + IDLE, cold: COLD });
  const ports = portsOf(running);
  let over = false;
  const load = run({
    ports: ports.slice(0, BUSY),
    count: Number.POSITIVE_INFINITY,
    connections: 2 * BUSY,
    rate: RATE,
    request: (i) => pageRequest(i % VISITORS, hostOf(0)),
    enough: () => over,
  });
  try {
    await sleep(BEFORE_MS);
    const sentAt = Date.now();
    const { percentage } = order;
    await ask(running, "/flags/shop-0/percentage", { method: "PUT", body: { percentage } });
    const at = Date.now();
    // Visitors with numbers of their own, by which the origin's log tells them apart.
    const cold = await reached(ports.at(-1)!, left, VISITORS);
    const idle = await reached(ports[BUSY]!, left, VISITORS + PROBES);
    await sleep(at + AFTER_MS - Date.now());
    const last = left.log.findLast(({ visitor }) => visitor < VISITORS)?.at ?? at;
    return { ...order, answeredMs: at - sentAt, lastMs: Math.max(0, last - at), cold, idle };
  } finally {
    over = true;
    await load;
    await Promise.all([running.stop(), blue.stop(), green.stop()]);
  }
}

/** How many of some visitors of an isolate reach an origin. */
async function reached(port: number, origin: Origin, first: number): Promise<number> {
  await run({
    ports: [port],
    count: PROBES,
    connections: 4,
    request: (i) => pageRequest(first + i, hostOf(0)),
  });
  return origin.log.filter(({ visitor }) => visitor >= first && visitor < first + PROBES).length;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export const write: Named = {
  name: "write",
  about: "from a write through the API to the last visitor of before",
  run: measure,
};
