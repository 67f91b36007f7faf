/** How a span of time is covered by pages of a minute and of an hour, and for how long pages are kept. Pure reckoning. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** Every minute is kept for so long: a day and the hour that a window of a day may reach beyond it, milliseconds. */
export const MINUTES_KEPT_MS = 25 * HOUR_MS;
/** Hours are kept for so long: a week, the week before it, and a day to spare, milliseconds. */
export const HOURS_KEPT_MS = 15 * 24 * HOUR_MS;
/** Minutes before the stage began are kept as long as it lasts, so much at least, milliseconds; a window before it may begin there. */
export const BEFORE_STAGE_MS = HOUR_MS;

export type Level = "minute" | "hour";

/** Pages of one level that start in [from, to), milliseconds since the epoch. */
export interface Stretch {
  level: Level;
  from: number;
  to: number;
}

/** Start of the minute or hour in which a time lies. */
export function floorTo(ms: number, unit: number): number {
  return Math.floor(ms / unit) * unit;
}

/** First whole hour of which every minute is kept. */
export function minutesSince(now: number): number {
  return Math.ceil((now - MINUTES_KEPT_MS) / HOUR_MS) * HOUR_MS;
}

/** Pages that are kept on behalf of a stage that began at `stageAt`: whole hours, [from, to). */
export function minutesAround(stageAt: number): { from: number; to: number } {
  const from = floorTo(stageAt, HOUR_MS) - BEFORE_STAGE_MS;
  return { from, to: Math.ceil(stageAt / HOUR_MS) * HOUR_MS };
}

/** Must a page that starts at `start` be kept? */
export function isKept(level: Level, start: number, stageAt: number, now: number): boolean {
  const around = minutesAround(stageAt);
  return start >= keptSince(level, now) || (start >= around.from && start < around.to);
}

/** Pages that start before may be forgotten, but for those around the stage's beginning. */
export function keptSince(level: Level, now: number): number {
  return now - HOUR_MS - (level === "minute" ? MINUTES_KEPT_MS : HOURS_KEPT_MS);
}

/** Are there minutes at `at`, so that a stretch may begin or end there? */
export function hasMinutes(at: number, stageAt: number, now: number): boolean {
  const { from, to } = minutesAround(stageAt);
  return at >= minutesSince(now) || (at >= from && at <= to);
}

/**
 * Pages that cover [from, to) exactly: whole minutes where minutes are kept at both ends, else whole hours. `from` and
 * `to` are starts of minutes, and of hours where there are no minutes.
 */
export function stretches(from: number, to: number): Stretch[] {
  const first = Math.ceil(from / HOUR_MS) * HOUR_MS;
  const last = floorTo(to, HOUR_MS);
  const parts: Stretch[] =
    first < last
      ? [
          { level: "minute", from, to: first },
          { level: "hour", from: first, to: last },
          { level: "minute", from: last, to },
        ]
      : [{ level: "minute", from, to }];
  return parts.filter((part) => part.from < part.to);
}
