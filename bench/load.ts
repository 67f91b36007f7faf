/** A load generator: a fixed number of requests over keep-alive connections, as fast as they go or at a steady rate. */
import { setTimeout as sleep } from "node:timers/promises";
import { Connection, type Reply } from "./connection.ts";

export interface Load {
  /** Ports of the router's isolates; connection i belongs to port i modulo their number. */
  ports: readonly number[];
  /** Requests in all. */
  count: number;
  connections: number;
  /** Requests a second in all; absent: as fast as they go. */
  rate?: number;
  /** The text of request i. */
  request(i: number): string;
  /** Called with each answer. */
  seen?(reply: Reply, i: number): void;
  /** Ends the load early once it says so. */
  enough?(): boolean;
}

/** Runs a load to its end. */
export async function run(load: Load): Promise<void> {
  const start = performance.now();
  const gap = load.rate === undefined ? 0 : 1000 / load.rate;
  let next = 0;
  const one = async (k: number) => {
    const connection = new Connection(load.ports[k % load.ports.length]!);
    try {
      for (let i = next++; i < load.count && !load.enough?.(); i = next++) {
        const wait = start + i * gap - performance.now();
        if (wait > 1) await sleep(wait);
        const reply = await connection.ask(load.request(i));
        load.seen?.(reply, i);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: load.connections }, (_, k) => one(k)));
}
