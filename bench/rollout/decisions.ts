/** What two runs of a story are compared by: the records of the audit log without their hashes. */
import type { AuditEntry } from "../../src/core/rollout/audit-chain.ts";
import type { Story } from "./play.ts";

/** A record of the audit log as far as two runs of a story can be compared by it: without hashes. */
export interface Decision {
  /** Minutes of the trace, to the second. */
  minute: number;
  action: string;
  who: string;
  previous: string | null;
  next: string | null;
  percentage: number | null;
  reason: string;
}

/** Records of the audit log, as it reads them, in order of time. */
export function decisionsOf(entries: readonly AuditEntry[], { start }: Pick<Story, "start">): Decision[] {
  return entries.toReversed().map(({ at, action, who, previous, next, percentage, reason }) => ({
    minute: Math.round((at - start) / 1000) / 60,
    action,
    who,
    previous,
    next,
    percentage,
    reason,
  }));
}
