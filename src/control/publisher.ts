/** Tells the world what was decided: the snapshot into KV, once a second at most, and to every shard at once. */
import type { Snapshot } from "../core/rollout/snapshot.ts";
import { shardCount, shardStub } from "../edge/objects.ts";
import { Latest } from "./latest.ts";

/** KV takes one write per key and second. */
const KV_SPACING_MS = 1_000;
/** A shard that cannot be reached asks for the snapshot itself; so a push is given up soon. */
const PUSH_ATTEMPTS = 4;

export class Publisher {
  readonly #kv: Latest<Snapshot>;
  readonly #shards: Latest<Snapshot>[];

  /**
   * `confirm` runs before each put into KV and throws when this object is no longer the controller: an object that
   * was replaced may still run, but it can write nothing down.
   */
  constructor(env: Env, confirm: () => Promise<void>) {
    this.#kv = new Latest<Snapshot>({
      name: "snapshot to KV",
      send: async (snapshot) => {
        await confirm();
        const { revision } = snapshot;
        await env.FLAGS.put("snapshot", JSON.stringify(snapshot), { metadata: { revision } });
      },
      spacingMs: KV_SPACING_MS,
      attempts: Number.POSITIVE_INFINITY,
    });
    this.#shards = Array.from({ length: shardCount(env) }, (_, i) => {
      const send = async (snapshot: Snapshot) => shardStub(env, i).publish(snapshot);
      return new Latest<Snapshot>({
        name: `snapshot to shard ${i}`,
        send,
        spacingMs: 0,
        attempts: PUSH_ATTEMPTS,
      });
    });
  }

  /** Publishes a snapshot that is durable. Returns at once. */
  publish(snapshot: Snapshot): void {
    for (const shard of this.#shards) shard.offer(snapshot);
    this.republish(snapshot);
  }

  /** Puts it into KV only, where it may have been lost or written over. */
  republish(snapshot: Snapshot): void {
    this.#kv.offer(snapshot);
  }

  /** Is KV still to be told? */
  get busy(): boolean {
    return this.#kv.busy;
  }
}
