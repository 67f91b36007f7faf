/** Calls to Durable Objects and rows that they write, at a steady load and at one request per isolate and second. */
import { documentOf, hostOf } from "./document.ts";
import { atMost, type Bench, type Figure, type Named } from "./figure.ts";
import { run } from "./load.ts";
import { startOrigin } from "./origin.ts";
import { portsOf, startRouter } from "./router.ts";
import { pageRequest } from "./visitors.ts";
import { atTheDoor, watched } from "./watched.ts";

/** Requests a second in the steady case: well within what a busy machine manages. */
const STEADY_RATE = 300;
const STEADY_ISOLATES = 2;
const SLOW_ISOLATES = 4;
/** Seconds of load. The slow case has to see several intervals of 5 s. */
const SECONDS = { quick: 20, full: 45 };

/** Bounds that the project has set itself: calls per isolate and second; calls per request at one a second. */
const PER_ISOLATE_SECOND = 1;
const PER_SLOW_REQUEST = 0.25;

interface Spent {
  calls: number;
  rows: number;
  requests: number;
}

async function measure(bench: Bench): Promise<Figure[]> {
  const seconds = bench.quick ? SECONDS.quick : SECONDS.full;
  const counting = await watched(bench);
  const [steady, slow] = await Promise.all([
    spent(counting, STEADY_ISOLATES, STEADY_RATE, seconds),
    spent(counting, SLOW_ISOLATES, SLOW_ISOLATES, seconds),
  ]);
  const per1000 = (n: number) => (1000 * n) / steady.requests;
  return [
    atMost(
      "object calls per isolate and second, steady load",
      // A window of n seconds sees up to n + 1 flushes a second apart: the first one carries what was before.
      (steady.calls - STEADY_ISOLATES) / (STEADY_ISOLATES * seconds),
      PER_ISOLATE_SECOND,
      (n) => n.toFixed(2),
      `${STEADY_RATE} requests a second on ${STEADY_ISOLATES} isolates for ${seconds} s`,
    ),
    shown("object calls per 1,000 requests, steady load", per1000(steady.calls)),
    shown("rows written per 1,000 requests, steady load", per1000(steady.rows)),
    atMost(
      "object calls per request, one request per isolate and second",
      slow.calls / slow.requests,
      PER_SLOW_REQUEST,
      (n) => n.toFixed(3),
      `${slow.requests} requests on ${SLOW_ISOLATES} isolates, ${slow.rows} rows written`,
    ),
  ];
}

async function spent(bench: Bench, isolates: number, rate: number, seconds: number): Promise<Spent> {
  const blue = await startOrigin("blue");
  const green = await startOrigin("green");
  const running = await startRouter(bench, documentOf(1, { blue: blue.url, green: green.url }), { isolates });
  try {
    const before = { ...(await atTheDoor(running)) };
    const requests = rate * seconds;
    await run({
      ports: portsOf(running),
      count: requests,
      connections: isolates,
      rate,
      request: (i) => pageRequest(i, hostOf(0)),
    });
    const after = await atTheDoor(running);
    return { calls: after.calls - before.calls, rows: after.rows - before.rows, requests };
  } finally {
    await Promise.all([running.stop(), blue.stop(), green.stop()]);
  }
}

function shown(name: string, number: number): Figure {
  return { name, value: number.toFixed(1), number };
}

export const objects: Named = {
  name: "objects",
  about: "Durable Object calls and rows written",
  run: measure,
};
