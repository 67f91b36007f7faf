/** How the Durable Objects are named and reached: one place, so that all ask the same ones. */
import type { ShardApi } from "../core/wire/messages.ts";
import "./env.ts";

/** Number of shards from the environment, 1 to 64. */
export function shardCount(env: Env): number {
  const n = Number(env.SHARDS ?? "1");
  return Number.isInteger(n) && n >= 1 && n <= 64 ? n : 1;
}

/** A fresh stub of shard `i`. A stub belongs to the request that made it. */
export function shardStub(env: Env, i: number): ShardApi {
  return env.COUNTERS.getByName(`shard-${i}`) as unknown as ShardApi;
}
