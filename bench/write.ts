/** A write through the API while traffic flows: until every busy isolate serves by it, and a cold and an idle one. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Running } from "../src/cli/running.ts";
import { documentOf, hostOf } from "./document.ts";
import { atMost, type Bench, type Figure, isExactly, type Named } from "./figure.ts";
import { run } from "./load.ts";
import { type Origin, startOrigin } from "./origin.ts";
import { ask, portsOf, startRouter } from "./router.ts";
import { median } from "./statistics.ts";
import { BUSY, beginTraffic, FLUSH_MS, VISITORS } from "./steady.ts";
import { pageRequest } from "./visitors.ts";

/** Beside the isolates under load one that had traffic and then none, and one that is cold when the write comes. */
const IDLE = 1;
const COLD = 1;
const TRIALS = { quick: 2, full: 4 };
/** The percentage before: other than that of the document which was put by hand. */
const HALF = 49;
/**
 * Traffic before the write, milliseconds: longer than an isolate without any takes to be out of touch (its last flush is
 * 5 s after its last request, and 8 s later it asks before it sends anyone to green), and than all take to read in KV
 * what the API has written. A document put by hand holds green at its percentage until then.
 */
const BEFORE_MS = 16_000;
/** Visitors that ask the cold and the idle isolate right after the answer. */
const PROBES = 40;
/** The bound: two flushes, milliseconds. */
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
  /** Times of requests that reached the side that is left, of the cold and of the idle isolate, from the answer on. */
  cold: number[];
  idle: number[];
}

async function measure(bench: Bench): Promise<Figure[]> {
  const trials: Trial[] = [];
  const count = bench.quick ? TRIALS.quick : TRIALS.full;
  for (let i = 0; i < count; i++) {
    // Each at another time between two flushes.
    const phaseMs = (FLUSH_MS * i) / count;
    trials.push(await trial(bench, ORDERS[i % ORDERS.length]!, phaseMs));
  }
  const answered = median(trials.map(({ answeredMs }) => answeredMs));
  return [
    ...ORDERS.map(({ percentage, left }) => {
      const last = trials.filter((t) => t.percentage === percentage).map(({ lastMs }) => lastMs);
      const note = `median ${seconds(median(last))} of ${last.length} trials on ${BUSY} isolates; the write itself took ${seconds(answered)}`;
      const name = `${HALF} % to ${percentage} %: from the answer to the last visitor on ${left}, worst`;
      return atMost(name, Math.max(...last), BOUND_MS, seconds, note);
    }),
    ...probed("cold", trials),
    ...probed("idle", trials),
  ];
}

/** Nobody may be on green afterwards; those who came before the isolate's shard has answered may still be on blue. */
function probed(which: "cold" | "idle", trials: readonly Trial[]): Figure[] {
  const reached = (left: Order["left"]) => trials.filter((t) => t.left === left).flatMap((t) => t[which]);
  const note = `of ${(PROBES * trials.length) / ORDERS.length} requests right after the answer`;
  const blue = reached("blue");
  const most = Math.max(0, ...blue);
  return [
    isExactly(`${which} isolate, ${HALF} % to 0 %: requests on green`, reached("green").length, 0, note),
    atMost(
      `${which} isolate, ${HALF} % to 100 %: from the answer to the last visitor on blue, worst`,
      most,
      BOUND_MS,
      seconds,
      `${blue.length} ${note}`,
    ),
  ];
}

async function trial(bench: Bench, order: Order, phaseMs: number): Promise<Trial> {
  const blue = await startOrigin("blue", true);
  const green = await startOrigin("green", true);
  const left = order.left === "blue" ? blue : green;
  const flags = documentOf(1, { blue: blue.url, green: green.url });
  const running = await startRouter(bench, flags, { isolates: BUSY + IDLE, cold: COLD });
  const ports = portsOf(running);
  const endTraffic = beginTraffic(ports);
  try {
    await setPercentage(running, HALF);
    await sleep(BEFORE_MS + phaseMs);
    const sentAt = Date.now();
    await setPercentage(running, order.percentage);
    const at = Date.now();
    // Visitors with numbers of their own, by which the origin's log tells them apart.
    const since = (times: number[]) => times.map((time) => time - at);
    const cold = since(await reached(ports.at(-1)!, left, VISITORS));
    const idle = since(await reached(ports[BUSY]!, left, VISITORS + PROBES));
    await sleep(at + AFTER_MS - Date.now());
    const last = left.log.findLast(({ visitor }) => visitor < VISITORS)?.at ?? at;
    return { ...order, answeredMs: at - sentAt, lastMs: Math.max(0, last - at), cold, idle };
  } finally {
    await endTraffic();
    await Promise.all([running.stop(), blue.stop(), green.stop()]);
  }
}

async function setPercentage(running: Running, percentage: number): Promise<void> {
  await ask(running, "/flags/shop-0/percentage", { method: "PUT", body: { percentage } });
}

/** When some visitors of an isolate reach an origin, milliseconds since the epoch. */
async function reached(port: number, origin: Origin, first: number): Promise<number[]> {
  await run({
    ports: [port],
    count: PROBES,
    connections: 4,
    request: (i) => pageRequest(first + i, hostOf(0)),
  });
  const theirs = origin.log.filter(({ visitor }) => visitor >= first && visitor < first + PROBES);
  return theirs.map(({ at }) => at);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export const write: Named = {
  name: "write",
  about: "from a write through the API to the last visitor of before",
  run: measure,
};
