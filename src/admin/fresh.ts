/** The routing table of this isolate, brought up to date: one that has only API requests would not do it by itself. */
import type { Knowing } from "../edge/knowing.ts";
import { state, withTimeout } from "../edge/state.ts";

/** KV and a shard answer within this, or the table is taken as it is, milliseconds. */
const ASK_MS = 1_000;
/** Between two looks whether KV has been read, milliseconds. */
const POLL_MS = 5;

/** What this isolate knows, as new as KV (when it is time to read it again) and its shard have it. Never fails. */
export async function freshKnowing(env: Env, ctx: ExecutionContext): Promise<Knowing> {
  const now = Date.now();
  if (state.isCold) await state.warmUp(env, ctx);
  else if (now >= state.wakeAt && state.refresh(env, ctx, now)) await read(now + ASK_MS);
  await withTimeout(state.ask(env), ASK_MS).catch(() => undefined);
  return state.knowing;
}

/** Waits until the reading that was just begun has ended: a kill key that is set would else be seen by the next only. */
async function read(until: number): Promise<void> {
  const { wakeAt } = state;
  while (state.wakeAt === wakeAt && Date.now() < until) await scheduler.wait(POLL_MS);
}
