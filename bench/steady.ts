/** Steady traffic of the first flag over busy isolates, for benches that look what becomes of it. */
import { hostOf } from "./document.ts";
import { run } from "./load.ts";
import { pageRequest } from "./visitors.ts";

/** Isolates under load. */
export const BUSY = 4;
/** Requests a second in all. */
const RATE = 200;
/** Visitors of the traffic have the numbers below; others can so be told apart in the log of an origin. */
export const VISITORS = 1000;
/** Flush interval of a busy isolate, milliseconds. */
export const FLUSH_MS = 1000;

/** Begins; what it answers ends it. */
export function beginTraffic(ports: readonly number[]): () => Promise<void> {
  let over = false;
  const load = run({
    ports: ports.slice(0, BUSY),
    count: Number.POSITIVE_INFINITY,
    connections: 2 * BUSY,
    rate: RATE,
    request: (i) => pageRequest(i % VISITORS, hostOf(0)),
    enough: () => over,
  });
  return async () => {
    over = true;
    await load;
  };
}
