/** Thorbis's names for what a flag is, beside ours. */
import type { FlagSpecView } from "../core/api/views.ts";
import type { State } from "../core/flag/schema.ts";
import type { FlagItem, ThorbisChange } from "./schemas/flag.ts";

type Type = FlagItem["flag_type"];

const TYPES: readonly Type[] = ["domain", "feature", "experiment", "kill_switch"];

/** What is answered where a flag has no good form at all. */
const NO_ROLLBACK_TIME = 30;

/** The flag with both names. */
export function flagItem(view: FlagSpecView): FlagItem {
  const { flag } = view;
  return {
    ...view,
    flag_name: view.name,
    flag_type: typeOf(flag),
    current_state: flag?.state ?? "off",
    canary_percentage: flag?.percentage ?? 0,
    rollback_time_seconds: flag?.rollbackTimeSeconds ?? NO_ROLLBACK_TIME,
    dependencies: flag?.dependencies ?? [],
    created_at: timeOf(view.createdAt),
    updated_at: timeOf(view.updatedAt),
  };
}

/** What is set by a change of state. A flag in shadow has no percentage. */
export function patchOf({ current_state, canary_percentage }: ThorbisChange): {
  state: State;
  percentage?: number;
} {
  if (current_state === "shadow") return { state: current_state, percentage: 0 };
  return {
    state: current_state,
    ...(canary_percentage !== undefined && { percentage: canary_percentage }),
  };
}

/** The type that was imported, else what is nearest to the kind. */
function typeOf(flag: FlagSpecView["flag"]): Type {
  const imported = TYPES.find((type) => type === flag?.metadata.flag_type);
  if (imported) return imported;
  if (flag?.kind === "experiment") return "experiment";
  return flag?.kind === "kill-switch" ? "kill_switch" : "feature";
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
