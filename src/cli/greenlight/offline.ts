/** A document evaluated without a router: as it would be served once it is published, nothing killed, nothing halted. */
import { compileTable } from "../../core/flag/compile.ts";
import type { ParsedDocument } from "../../core/flag/parse.ts";
import type { Table } from "../../core/flag/table.ts";
import { effectiveFlags } from "../../core/rollout/effective.ts";
import { SNAPSHOT_VERSION, type Snapshot } from "../../core/rollout/snapshot.ts";

/** The routing table of a document. `environment`: the one that is meant; `now`: milliseconds since the epoch. */
export function offlineTable(
  { enabled = true, flags }: ParsedDocument,
  environment: string | undefined,
  now: number,
): Table {
  const snapshot: Snapshot = {
    v: SNAPSHOT_VERSION,
    revision: 1,
    at: now,
    specHash: "",
    enabled,
    flags: Object.fromEntries(flags),
    status: {},
    halts: [],
    faults: [],
  };
  return compileTable(
    effectiveFlags({ snapshot, document: undefined, kill: "", environment, heardAt: now, now }),
  );
}
