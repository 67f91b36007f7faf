/** Structured logs: one JSON object a line, with no id of a visitor and nothing of an origin in it. */

/** The same event is logged at most once in so many milliseconds: a fault in the request path comes in thousands. */
const QUIET_MS = 10_000;

/** Events remembered, at most. */
const MAX_EVENTS = 100;

const saidAt = new Map<string, number>();

/** Logs an event by its stable name. */
export function log(
  level: "info" | "warn" | "error",
  event: string,
  fields: Record<string, unknown> = {},
): void {
  const now = Date.now();
  if (now - (saidAt.get(event) ?? 0) < QUIET_MS) return;
  if (saidAt.size >= MAX_EVENTS) saidAt.clear();
  saidAt.set(event, now);
  console[level](JSON.stringify({ level, event, ...fields }));
}

/** The words of an error. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
