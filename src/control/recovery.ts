/** What a controller with an empty store finds of a former one: so that a lost object never lifts a halt. */
import { flagSchema } from "../core/flag/schema.ts";
import type { Snapshot } from "../core/rollout/snapshot.ts";
import { isSnapshot, readKv } from "../edge/kv.ts";
import { shardCount, shardStub } from "../edge/objects.ts";
import { settled, within } from "./within.ts";

/** A read of KV that takes longer has failed, milliseconds. */
const KV_MS = 10_000;
/** Shards may be down; then KV alone must do, milliseconds. */
const SHARDS_MS = 2_000;

/**
 * The newest snapshot that KV or any shard holds; undefined where nothing was ever published. Throws when KV cannot
 * be read: without its answer nothing may be decided.
 */
export async function findPublished(env: Env): Promise<Snapshot | undefined> {
  const { snapshot: text } = await within(readKv(env.FLAGS), KV_MS, "KV read");
  let newest = publishedIn(text);
  const held = Array.from({ length: shardCount(env) }, async (_, i) => {
    const snapshot = await shardStub(env, i).held();
    if (snapshot && snapshot.revision > (newest?.revision ?? 0)) newest = snapshot;
  });
  await settled(Promise.allSettled(held), SHARDS_MS);
  // Something was published, and isolates hold a revision of it: to begin anew would be to never be heard again.
  if (!newest && text !== undefined && text.trim() !== "")
    throw new Error("the published snapshot cannot be read");
  return newest;
}

/** The snapshot in a text. A flag in it that cannot be read is left out: its halts are worth more than its form. */
function publishedIn(text: string | undefined): Snapshot | undefined {
  const value = text === undefined ? undefined : parseJson(text);
  if (!isSnapshot(value)) return undefined;
  const whole = Object.entries(value.flags).filter(([, flag]) => flagSchema.safeParse(flag).success);
  return { ...value, flags: Object.fromEntries(whole) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
