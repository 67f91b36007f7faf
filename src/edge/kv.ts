/** Reads the three keys of the KV namespace in one call. */
import "./env.ts";
import { flagSchema } from "../core/flag/schema.ts";
import { SNAPSHOT_VERSION, type Snapshot } from "../core/rollout/snapshot.ts";

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

/**
 * The snapshot in a text, or undefined for anything that is none: any bytes can be under the key. Every flag in it is
 * checked, for a half-right snapshot would fail visitors' requests later, and gets the defaults of this release.
 */
export function parseSnapshot(text: string): Snapshot | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isSnapshot(value)) return undefined;
  const flags: Snapshot["flags"] = {};
  for (const [name, flag] of Object.entries(value.flags)) {
    const parsed = flagSchema.safeParse(flag);
    if (!parsed.success) return undefined;
    flags[name] = parsed.data;
  }
  return { ...value, flags };
}

/** Has the value the shape of a snapshot of a version that is understood? Does not look into its flags. */
export function isSnapshot(value: unknown): value is Snapshot {
  if (!isRecord(value)) return false;
  return (
    value.v === SNAPSHOT_VERSION &&
    isRevision(value.revision) &&
    typeof value.specHash === "string" &&
    typeof value.enabled === "boolean" &&
    isRecord(value.flags) &&
    isRecord(value.status) &&
    Array.isArray(value.halts) &&
    value.halts.every(isRecord)
  );
}

function isRevision(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
