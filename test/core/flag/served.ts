/** Flags of a document as a router serves them: what tests of answers begin with. */
import { compileTable } from "../../../src/core/flag/compile.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import type { DocumentInput, Flag } from "../../../src/core/flag/schema.ts";
import type { Table } from "../../../src/core/flag/table.ts";
import { askedShare, effectiveFlags } from "../../../src/core/rollout/effective.ts";
import type { Halt, Snapshot } from "../../../src/core/rollout/snapshot.ts";

/** What is known beside the flags. */
export interface Beside {
  enabled?: boolean;
  kill?: string;
  environment?: string;
  halts?: Halt[];
  /** An edit that is not published yet. */
  edit?: DocumentInput["flags"];
  /** No controller has published anything. */
  cold?: boolean;
}

export const ROUTE = { blue: "service:BLUE", green: "service:GREEN", trusted: "access" } as const;

/** The routing table of these flags; throws where one has a fault. */
export function served(flags: DocumentInput["flags"], beside: Beside = {}): Table {
  const { enabled = true, kill = "", environment, halts = [], edit, cold = false } = beside;
  const document = parsed(flags);
  const snapshot: Snapshot = {
    v: 1,
    revision: 1,
    at: 0,
    specHash: "",
    enabled,
    flags: Object.fromEntries(document.flags),
    status: Object.fromEntries(
      [...document.flags].map(([name, flag]: [string, Flag]) => [
        name,
        { generation: "", share: askedShare(flag) },
      ]),
    ),
    halts,
    faults: [],
  };
  const pending = cold ? document : edit && parsed(edit);
  return compileTable(
    effectiveFlags({
      snapshot: cold ? undefined : snapshot,
      document: pending && { hash: "edit", revision: undefined, parsed: pending },
      kill,
      environment,
      heardAt: 0,
      now: 0,
    }),
  );
}

function parsed(flags: DocumentInput["flags"]) {
  const document = parseDocument(JSON.stringify({ flags }));
  if (document.faults.length > 0) throw new Error(JSON.stringify(document.faults));
  return document;
}

/** A halt of a flag's release or cohort. */
export function haltOf(flag: string, more: Partial<Halt> = {}): Halt {
  const reason = "Green fails more than blue";
  return { flag, release: "unversioned", action: "rollback", at: 0, rule: "", reason, figures: {}, ...more };
}
