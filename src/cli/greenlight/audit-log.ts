/** The audit log as it is asked for, page by page. */
import type { AuditEntry } from "../../core/rollout/audit-chain.ts";
import type { Api } from "./client.ts";
import { EXIT } from "./exit.ts";
import { stop } from "./failure.ts";

/** Records of one page, as many as the API gives. */
const PAGE = 200;

/** All records, the oldest first. */
export async function wholeLog(api: Api): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (;;) {
    const oldest = entries.at(-1)?.id;
    const page = await api.ask<{ entries: AuditEntry[] }>("/audit", {
      query: { limit: PAGE, before: oldest },
    });
    if (oldest !== undefined && page.entries.some(({ id }) => id >= oldest))
      stop({
        exit: EXIT.unreachable,
        sentence: `${api.profile.url} gave records that are not older than ${oldest}.`,
      });
    entries.push(...page.entries);
    if (page.entries.length < PAGE) return entries.reverse();
  }
}
