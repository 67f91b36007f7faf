/** An entry of the audit log as a line in a terminal. */
import type { AuditEntry } from "../../core/rollout/audit-chain.ts";
import { stateText } from "./flag-text.ts";
import type { Paint } from "./output.ts";

/** Time, who, what, of which flag, from what to what, and why. */
export function entryText(paint: Paint, entry: AuditEntry): string {
  const { id, at, who, how, action, flag, release, previous, next, reason } = entry;
  const time = new Date(at).toISOString().slice(0, 19).replace("T", " ");
  const moved = next === null || previous === next ? "" : `${previous ?? "–"} → ${words(paint, next)}`;
  return [
    paint.dim(`${String(id).padStart(5)}  ${time}`),
    paint.bold(action),
    flag === null ? "" : `${flag}${release === null ? "" : ` ${release}`}`,
    moved || ownAnswer(entry),
    paint.dim(`${who} (${how})`),
    // One line is one entry, whatever somebody has given as the reason.
    reason.replace(/\s+/g, " "),
  ]
    .filter(Boolean)
    .join("  ");
}

/** What an override says, and whether of a user or a tenant; of whom stands nowhere. */
function ownAnswer({ action, figures: { state, of } }: AuditEntry): string {
  if (action === "override") return `${String(state)} for a ${String(of)}`;
  return action === "override-removed" ? `of a ${String(of)}` : "";
}

/** A value such as `canary 10 %`, its state in colour. */
function words(paint: Paint, value: string): string {
  const [state = "", ...rest] = value.split(" ");
  return [stateText(paint, state), ...rest].join(" ");
}
