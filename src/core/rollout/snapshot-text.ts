/** Reads the text under the KV key `snapshot`: any bytes can be there. */
import { flagSchema } from "../flag/schema.ts";
import { SNAPSHOT_VERSION, type Snapshot } from "./snapshot.ts";

/**
 * The snapshot in a text, or undefined for anything that is none. Every flag in it is checked, for a half-right
 * snapshot would fail visitors' requests later, and gets the defaults of this release.
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

/** A revision as the controller counts them. */
export function isRevision(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
