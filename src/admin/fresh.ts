/** The routing table of this isolate, brought up to date: one that has only API requests would not do it by itself. */
import type { Knowing } from "../edge/knowing.ts";
import { state, withTimeout } from "../edge/state.ts";

/** A shard answers within this, or the table is taken as it is, milliseconds. */
const ASK_MS = 1_000;

/** What this isolate knows, as new as its shard has it. Never fails. */
export async function freshKnowing(env: Env, ctx: ExecutionContext): Promise<Knowing> {
  const now = Date.now();
  if (state.isCold) await state.warmUp(env, ctx);
  else if (now >= state.wakeAt) state.refresh(env, ctx, now);
  await withTimeout(state.ask(env), ASK_MS).catch(() => undefined);
  return state.knowing;
}
