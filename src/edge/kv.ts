/** Reads the three keys of the KV namespace in one call. */
import "./env.ts";
import { isRevision } from "../core/rollout/snapshot-text.ts";

export { isSnapshot, parseSnapshot } from "../core/rollout/snapshot-text.ts";

/** The least that KV allows, seconds. */
const CACHE_TTL_SECONDS = 30;

/** Texts as they are in KV; undefined where a key is missing. */
export interface KvTexts {
  flags: string | undefined;
  /** Revision in the metadata of `flags`: the controller put it. */
  revision: number | undefined;
  kill: string | undefined;
  snapshot: string | undefined;
  /** Revision in the metadata of `snapshot`. */
  snapshotRevision: number | undefined;
}

/** Reads `flags`, `kill` and `snapshot`. Rejects when KV cannot be read. */
export async function readKv(kv: KVNamespace): Promise<KvTexts> {
  const found = await kv.getWithMetadata<{ revision?: unknown }>(["flags", "kill", "snapshot"], {
    type: "text",
    cacheTtl: CACHE_TTL_SECONDS,
  });
  const textOf = (key: string) => found.get(key)?.value ?? undefined;
  const revisionOf = (key: string) => {
    const revision = found.get(key)?.metadata?.revision;
    return isRevision(revision) ? revision : undefined;
  };
  return {
    flags: textOf("flags"),
    revision: revisionOf("flags"),
    kill: textOf("kill"),
    snapshot: textOf("snapshot"),
    snapshotRevision: revisionOf("snapshot"),
  };
}
