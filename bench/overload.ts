/** A blue that can take little more than its own load, while green fails wholly: do blue's own visitors notice? */
import { setTimeout as sleep } from "node:timers/promises";
import { documentOf, type Flag, hostOf } from "./document.ts";
import type { Bench, Figure, Named } from "./figure.ts";
import { run } from "./load.ts";
import { type Behaviour, startOrigin } from "./origin.ts";
import { portsOf, startRouter } from "./router.ts";
import { pageRequest } from "./visitors.ts";

const RATE = 200;
const VISITORS = 1000;
const ISOLATES = 2;
/** Connections: enough for all requests that wait in blue's queue. */
const CONNECTIONS = 100;
/** Blue's capacity as a multiple of the load of its own visitors, half of all. */
const CAPACITY = 1.3;
/** Blue sheds what would have to wait longer, milliseconds. */
const QUEUE_MS = 500;
/** Seconds of load with a green that is well: longer than the 10 s over which the rescue budget looks back. */
const WELL_S = { quick: 8, full: 12 };
/** Seconds of load with a green that fails wholly. */
const BROKEN_S = { quick: 10, full: 20 };
/** Bound: share of blue's own requests answered. */
const ANSWERED = 0.99;

interface Outcome {
  /** Share of blue's own requests that were answered. */
  own: number;
  /** Share of green's requests that were answered, by blue. */
  others: number;
  /** Requests that reached blue, of its capacity. */
  load: number;
}

async function measure(bench: Bench): Promise<Figure[]> {
  const budget = await trial(bench, { rules: [], route: { breaker: { failureThreshold: 1000 } } });
  bench.say("again, with a breaker");
  const breaker = await trial(bench, { rules: [] });
  return [
    {
      name: `blue's own visitors answered, capacity ${CAPACITY} of their load, green down`,
      value: percent(budget.own),
      number: budget.own,
      target: `at least ${percent(ANSWERED)}`,
      met: budget.own >= ANSWERED,
      note: `rescue budget alone; blue ran at ${percent(budget.load)} of its capacity; ${percent(budget.others)} of green's requests rescued`,
    },
    {
      name: "the same with the breaker, no halt",
      value: percent(breaker.own),
      number: breaker.own,
      note: `an open breaker sends all of green's visitors to blue: ${percent(breaker.load)} of its capacity; ${percent(breaker.others)} of green's requests answered`,
    },
  ];
}

async function trial(bench: Bench, flag: Flag): Promise<Outcome> {
  const blue = await startOrigin("blue");
  const green = await startOrigin("green");
  const running = await startRouter(bench, documentOf(1, { blue: blue.url, green: green.url }, flag), {
    isolates: ISOLATES,
  });
  try {
    const ports = portsOf(running);
    const onGreen = new Set<number>();
    const load = (seconds: number, seen: (visitor: number, status: number, head: string) => void) =>
      run({
        ports,
        count: RATE * seconds,
        connections: CONNECTIONS,
        rate: RATE,
        request: (i) => pageRequest(i % VISITORS, hostOf(0)),
        seen: ({ status, head }, i) => seen(i % VISITORS, status, head),
      });
    await load(bench.quick ? WELL_S.quick : WELL_S.full, (visitor, _status, head) => {
      if (/x-colour: green/i.test(head)) onGreen.add(visitor);
    });
    const capacity = CAPACITY * RATE * (1 - onGreen.size / VISITORS);
    blue.behave = limited(capacity);
    green.behave = () => 503;
    const before = blue.served;
    const seconds = bench.quick ? BROKEN_S.quick : BROKEN_S.full;
    const own = { all: 0, answered: 0 };
    const others = { all: 0, answered: 0 };
    await load(seconds, (visitor, status) => {
      const group = onGreen.has(visitor) ? others : own;
      group.all++;
      if (status === 200) group.answered++;
    });
    return {
      own: own.answered / own.all,
      others: others.answered / others.all,
      load: (blue.served - before) / (capacity * seconds),
    };
  } finally {
    await Promise.all([running.stop(), blue.stop(), green.stop()]);
  }
}

/** An origin that takes so many requests a second, queues a little and sheds the rest. */
function limited(perSecond: number): Behaviour {
  const serviceMs = 1000 / perSecond;
  let freeAt = 0;
  return async () => {
    const now = performance.now();
    const wait = Math.max(0, freeAt - now);
    if (wait > QUEUE_MS) return 503;
    freeAt = now + wait + serviceMs;
    await sleep(wait + serviceMs);
    return 200;
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export const overload: Named = {
  name: "overload",
  about: "blue's own visitors while green fails wholly",
  run: measure,
};
