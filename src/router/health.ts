/** The health page: how fresh this isolate's knowledge is. It names no origin and no visitor. */
import { configOf } from "../edge/config.ts";
import { state } from "../edge/state.ts";

/**
 * Answers `GET /_greenlight/health`: 200 while there is something to route by, else 503. `pull`: how the scheduled pull
 * does, where there is one.
 */
export async function health(
  env: Env,
  ctx: ExecutionContext,
  pull?: { failingSince: number | null },
): Promise<Response> {
  const now = Date.now();
  if (state.isCold) await state.warmUp(env, ctx);
  else if (now >= state.wakeAt) state.refresh(env, ctx, now);
  const { knowing } = state;
  const status = knowing.origin === "spec" ? "ok" : knowing.origin === "bundle" ? "stale" : "no-document";
  const { environment, overrides } = configOf(env);
  const body = {
    status,
    source: knowing.source,
    environment: environment ?? null,
    envOverrides: overrides !== undefined,
    revision: knowing.revision,
    snapshotAgeMs: knowing.snapshot ? Math.max(0, now - knowing.snapshot.at) : null,
    kvAgeMs: knowing.kvAt === undefined ? null : Math.max(0, now - knowing.kvAt),
    shardAgeMs: knowing.heardAt === undefined ? null : Math.max(0, now - knowing.heardAt),
    flags: knowing.table.flags.size,
    halts: knowing.snapshot?.halts.length ?? 0,
    faults: knowing.faults.length,
    ...(pull && { pull }),
  };
  return Response.json(body, {
    status: knowing.origin === "nothing" ? 503 : 200,
    headers: { "cache-control": "no-store" },
  });
}
