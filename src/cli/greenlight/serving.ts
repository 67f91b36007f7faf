/** Waits until what was written is what visitors get: isolates answer in turn, so several have to say so. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "./client.ts";

/** Answers in a row by the new revision: each may come from another isolate. */
const IN_A_ROW = 5;
/** Between two looks, milliseconds. */
const LOOK_MS = 200;
/** Two flush intervals of an idle isolate are 40 s; KV's own delay is a minute. Milliseconds. */
export const SERVED_WITHIN_MS = 60_000;

/** How far it is. */
export interface Served {
  /** Every isolate that answered serves it. */
  ok: boolean;
  /** Since the wait began, milliseconds. */
  tookMs: number;
  /** The lowest revision that was served in the last answers. */
  revision: number;
}

/** Waits until the isolates that answer serve by a revision, or `withinMs` have passed. */
export async function untilServed(api: Api, revision: number, withinMs = SERVED_WITHIN_MS): Promise<Served> {
  const from = performance.now();
  let row = 0;
  let seen = 0;
  for (;;) {
    const got = await api.fetch("/_greenlight/health");
    if ("response" in got) {
      const body = (await got.response.json().catch(() => ({}))) as { revision?: number };
      seen = body.revision ?? 0;
      row = seen >= revision ? row + 1 : 0;
    } else row = 0;
    const tookMs = Math.round(performance.now() - from);
    if (row >= IN_A_ROW) return { ok: true, tookMs, revision: seen };
    if (tookMs >= withinMs) return { ok: false, tookMs, revision: seen };
    if (row === 0) await sleep(LOOK_MS);
  }
}
