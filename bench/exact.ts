/** Nothing lost, nothing counted twice: sums against the origins' own logs, while objects die and batches are lost. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Running } from "../src/cli/running.ts";
import { documentOf, hostOf } from "./document.ts";
import type { Bench, Figure, Named } from "./figure.ts";
import { run } from "./load.ts";
import { type Origin, startOrigin } from "./origin.ts";
import { portsOf, startRouter, statusOf, sumsOf } from "./router.ts";
import { until } from "./until.ts";
import { pageRequest } from "./visitors.ts";
import { atTheDoor, evict, watched } from "./watched.ts";

const REQUESTS = { quick: 20_000, full: 200_000 };
const ISOLATES = 4;
const CONNECTIONS = 32;
const VISITORS = 5000;
/** Each way in which a flush goes wrong happens to this share of them. */
const SPOILT = 0.1;
/** An object dies so often, shard and controller in turn, milliseconds. */
const EVICT_EVERY_MS = 700;
/** Every so many-th request fails at green, so that rescues and failures are among what is counted. */
const FAIL_EVERY = 50;
/** After the load: longest interval, and tries again with back-off, milliseconds. */
const SETTLE_MS = 60_000;

async function measure(bench: Bench): Promise<Figure[]> {
  const blue = await startOrigin("blue");
  const green = await startOrigin("green");
  const flags = documentOf(1, { blue: blue.url, green: green.url }, { rules: [] });
  const running = await startRouter(await watched(bench), flags, { isolates: ISOLATES });
  let over = false;
  try {
    green.behave = () => (green.served % FAIL_EVERY === 0 ? 503 : 200);
    await atTheDoor(running, { loseBefore: SPOILT, loseAfter: SPOILT, twice: SPOILT });
    const killing = killObjects(running, () => over);
    const count = bench.quick ? REQUESTS.quick : REQUESTS.full;
    let unanswered = 0;
    await run({
      ports: portsOf(running),
      count,
      connections: CONNECTIONS,
      request: (i) => pageRequest(i % VISITORS, hostOf(0)),
      seen: ({ status }) => {
        if (status !== 200) unanswered++;
      },
    });
    over = true;
    const died = await killing;
    const { spoilt, calls } = await atTheDoor(running, { loseBefore: 0, loseAfter: 0, twice: 0 });
    let difference = Number.NaN;
    await until("all is counted", SETTLE_MS, async () => {
      difference = await differenceOf(running, blue, green);
      return difference === 0;
    }).catch((error: unknown) => bench.say(String(error)));
    return [
      {
        name: "sums against the origins' logs, difference",
        value: String(difference),
        number: difference,
        target: "0",
        met: difference === 0,
        note: `${count} requests on ${ISOLATES} isolates, ${died} evictions, ${spoilt} of ${calls} flushes lost or doubled; ${unanswered} answers other than 200`,
      },
    ];
  } finally {
    over = true;
    await Promise.all([running.stop(), blue.stop(), green.stop()]);
  }
}

/** Evicts shard and controller in turn until it is over; says how often. */
async function killObjects(running: Running, over: () => boolean): Promise<number> {
  let died = 0;
  for (; !over(); died++) {
    await evict(running, died % 2 === 0 ? "shard" : "controller");
    await sleep(EVICT_EVERY_MS);
  }
  return died;
}

/** Requests that either side knows of and the other does not, summed over both origins. */
async function differenceOf(running: Running, blue: Origin, green: Origin): Promise<number> {
  const sums = sumsOf(await statusOf(running));
  // What blue answered in green's place is in blue's log, and in green's row.
  const atBlue = sums.blue.requests + sums.green.rescued + sums.green.diverted;
  return Math.abs(green.served - sums.green.requests) + Math.abs(blue.served - atBlue);
}

export const exact: Named = {
  name: "exact",
  about: "sums against the origins' logs while objects die and batches are lost",
  run: measure,
};
