/** Free ports on loopback. */
import { createServer } from "node:net";

/** How many ports are tried before we give up: enough to step over a few running sessions. */
const TRIES = 100;

/** Can a server listen on this port of 127.0.0.1 now? */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** The first port at or above `from` at which `count` neighbours are free; throws after TRIES. */
export async function freeBlock(from: number, count: number): Promise<number> {
  for (let port = from; port < from + TRIES && port + count <= 65_536; port++) {
    const taken = await firstTaken(port, count);
    if (taken === undefined) return port;
    port = taken;
  }
  throw new Error(`no ${count} free ports on 127.0.0.1 from ${from} on`);
}

async function firstTaken(port: number, count: number): Promise<number | undefined> {
  for (let p = port; p < port + count; p++) if (!(await isFree(p))) return p;
  return undefined;
}
