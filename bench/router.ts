/** The router as the benches start and ask it. */

import { type Running, startServe } from "../src/cli/running.ts";
import type { RowView, StatusView } from "../src/control/controller-api.ts";
import { Connection } from "./connection.ts";
import { hostOf } from "./document.ts";
import type { Bench } from "./figure.ts";
import { until } from "./until.ts";
import { pageRequest } from "./visitors.ts";

/** How long a fresh router may take to publish its first snapshot, milliseconds. */
const WARM_MS = 15_000;

/** Starts the router with a document and waits until every isolate but the cold ones serves green. */
export async function startRouter(
  bench: Bench,
  flags: string,
  { isolates = 1, cold = 0 } = {},
): Promise<Running> {
  const running = await startServe({ bundle: bench.bundle, flags, isolates: isolates + cold, cold });
  try {
    const warm = running.isolates.slice(0, isolates);
    await Promise.all(warm.map((url) => until("green is served", WARM_MS, () => servesGreen(portOf(url)))));
    return running;
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** Port of a URL. */
export function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** Ports of all isolates. */
export function portsOf(running: Running): number[] {
  return running.isolates.map(portOf);
}

/** Is any of a few visitors of the first flag served by green? */
async function servesGreen(port: number): Promise<boolean> {
  const connection = new Connection(port);
  try {
    for (let i = 0; i < 8; i++) {
      const { head } = await connection.ask(pageRequest(i, hostOf(0)));
      if (/x-colour: green/i.test(head)) return true;
    }
    return false;
  } finally {
    connection.close();
  }
}

/** A request to the admin API. `body` is sent as JSON; `any`: also an answer that is a failure is one. */
export async function ask(running: Running, path: string, asked: Asked = {}): Promise<Response> {
  const { body, any = false, ...init } = asked;
  const response = await fetch(`${running.isolates[0]}/_greenlight/api${path}`, {
    ...init,
    headers: {
      authorization: `Bearer ${running.token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...init.headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!any && !response.ok) throw new Error(`${path}: ${response.status}: ${await response.text()}`);
  return response;
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  any?: boolean;
}

/** The status by the admin API. */
export async function statusOf(running: Running): Promise<StatusView> {
  return (await (await ask(running, "/status")).json()) as StatusView;
}

/** Sums of all flags, cohorts and placements, by variant. */
export function sumsOf(status: StatusView): { blue: Sums; green: Sums } {
  const sums = { blue: { ...NOTHING }, green: { ...NOTHING } };
  for (const row of status.flags.flatMap((flag) => flag.rows)) add(sums[row.variant], row);
  return sums;
}

/** What a bench adds up. */
export interface Sums {
  requests: number;
  failures: number;
  diverted: number;
  rescued: number;
}

const NOTHING: Sums = { requests: 0, failures: 0, diverted: 0, rescued: 0 };

function add(sums: Sums, row: RowView): void {
  sums.requests += row.requests;
  sums.failures += row.errors + row.connect + row.timeouts;
  sums.diverted += row.diverted;
  sums.rescued += row.rescued;
}
