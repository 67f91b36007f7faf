/** The health page: how fresh this isolate's knowledge is. It names no origin and no visitor. */
import { SHARE_PER_PERCENT } from "../core/flag/percentage.ts";
import type { State } from "../core/flag/schema.ts";
import type { Table } from "../core/flag/table.ts";
import { configOf } from "../edge/config.ts";
import { state } from "../edge/state.ts";

/** What the page says besides. */
export interface HealthMore {
  /** How the scheduled pull does, where there is one. */
  pull?: { failingSince: number | null } | undefined;
  /** Every flag as this isolate serves it: for those only who may know. */
  withFlags?: boolean;
}

/** Answers `GET /_greenlight/health`: 200 while there is something to route by, else 503. */
export async function health(
  env: Env,
  ctx: ExecutionContext,
  { pull, withFlags = false }: HealthMore = {},
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
    ...(withFlags && { feature_flags: featureFlags(knowing.table) }),
  };
  return Response.json(body, {
    status: knowing.origin === "nothing" ? 503 : 200,
    headers: { "cache-control": "no-store" },
  });
}

/** One flag as this isolate serves it. */
interface FlagHealth {
  /** As it counts now: `kill` where it is killed, `off` where a switch or a halt keeps green out. */
  state: State;
  /** As the document says, and percent of visitors on green as served. */
  percentage: number;
  served: number;
  release: string;
  enabled: boolean;
}

function featureFlags({ flags }: Table): Record<string, FlagHealth> {
  const healths = [...flags.values()].map(({ name, spec, stop, share }): [string, FlagHealth] => {
    const state = stop === "kill" ? "kill" : stop === undefined ? spec.state : "off";
    const { percentage, release } = spec;
    const enabled = state === "canary" || state === "on";
    return [name, { state, percentage, served: share / SHARE_PER_PERCENT, release, enabled }];
  });
  return Object.fromEntries(healths);
}
