/** Flags read and written in KV itself, through wrangler, where router or controller are down: `--kv`. */
import type { Cli } from "./cli.ts";
import { misused } from "./failure.ts";
import type { FlagStore } from "./store.ts";

/** The flags as KV has them. */
export async function kvStore(_cli: Cli): Promise<FlagStore> {
  return misused("--kv is not there yet.");
}
