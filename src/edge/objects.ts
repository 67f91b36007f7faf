/** How the Durable Objects are named and reached: one place, so that all ask the same ones. */
import type { ShardApi } from "../core/wire/messages.ts";
import type { ObserverApi, OutboxApi } from "../core/wire/outbox.ts";
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

/** A fresh stub of the environment's one outbox. */
export function outboxStub(env: Env): OutboxApi {
  return env.OUTBOX.getByName("outbox") as unknown as OutboxApi;
}

/** A fresh stub of the controller, as the outbox sees it. */
export function observerStub(env: Env): ObserverApi {
  return env.CONTROLLER.getByName("controller") as unknown as ObserverApi;
}
