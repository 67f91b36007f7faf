/** What a flag is for one tenant or key, by the routing table of this isolate: what their requests get. */
import type { FlagSpecView } from "../core/api/views.ts";
import { type Evaluation, type EvaluationContext, evaluateFlag } from "../core/flag/answer.ts";
import type { State } from "../core/flag/schema.ts";
import type { Table } from "../core/flag/table.ts";

/** Whose state is asked about, and by which table. */
export interface Asking {
  table: Table;
  tenant: string | undefined;
  key: string | undefined;
}

/**
 * The state of a flag for those who ask, in the one word that Thorbis's clients take: `on` and `canary` are enabled.
 * For nobody in particular it is the state as it counts now.
 */
export function stateFor(view: FlagSpecView, asking: Asking | undefined, now: number): State {
  const { name, effective } = view;
  if (asking === undefined) return effective;
  const found = evaluateFlag(asking.table, name, contextOf(asking), now);
  if (found.enabled) return effective === "canary" && !isOwnAnswer(found) ? "canary" : "on";
  if (effective === "kill") return "kill";
  return effective === "shadow" && !isOwnAnswer(found) ? "shadow" : "off";
}

/** A tenant without a key of their own is asked about as the key that flags by tenant stick to. */
function contextOf({ tenant, key }: Asking): EvaluationContext {
  return {
    targetingKey: key ?? tenant ?? "",
    attributes: tenant === undefined ? {} : { tenant: [tenant] },
    bucket: undefined,
  };
}

function isOwnAnswer({ steps }: Evaluation): boolean {
  return steps.some(({ step, decided }) => decided && step === "override");
}
