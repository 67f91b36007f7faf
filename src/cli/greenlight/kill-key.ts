/** The kill key, edited in its namespace: read, changed, written and read back. */
import { setTimeout as sleep } from "node:timers/promises";
import type { WranglerKv } from "./kv.ts";

/** What one of the two ways of a kill came to. */
export interface Way {
  ok: boolean;
  sentence: string;
}

/** A change of the key. */
export interface KeyChange {
  change: (kill: string) => string;
  /** Is it so, as the key is? */
  holds: (kill: string) => boolean;
  /** Why it is not written after all; waited for no longer than `PATIENCE_MS`: a router that hangs holds nothing up. */
  objection?: Promise<string | undefined>;
}

/** Milliseconds; reading the key by wrangler takes as long. */
const PATIENCE_MS = 3000;

/** Changes the key. It is read back, for somebody else may have written in between. */
export async function editKey(kv: WranglerKv, { change, holds, objection }: KeyChange): Promise<Way> {
  const before = await kv.get("kill");
  if (!before.ok) return { ok: false, sentence: `${kv.where} cannot be read: ${before.sentence}` };
  const old = before.value ?? "";
  const next = change(old);
  if (next === old && before.value !== undefined)
    return { ok: true, sentence: `it was so before in ${kv.where}: ${JSON.stringify(old)}` };
  const why = objection && (await Promise.race([objection, sleep(PATIENCE_MS, undefined, { ref: false })]));
  if (why !== undefined) return { ok: false, sentence: `not written: ${why}` };
  const put = await kv.put("kill", next);
  if (!put.ok) return { ok: false, sentence: `${kv.where} cannot be written: ${put.sentence}` };
  const after = await kv.get("kill");
  if (!after.ok || !holds(after.value ?? ""))
    return { ok: true, sentence: `written in ${kv.where}; read back it is not there yet` };
  return { ok: true, sentence: `written in ${kv.where} and read back: ${JSON.stringify(after.value)}` };
}
