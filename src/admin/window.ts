/** Windows of time as people write them: `5m`, `24h`, `7 days`, or a number of seconds. */
import ms, { type StringValue } from "ms";

/** Shortest and longest window, seconds: counts are kept by the minute, and for 30 days. */
const SHORTEST = 60;
const LONGEST = 30 * 86_400;

/** Seconds of a window; undefined for what is none, or none that can be answered. */
export function secondsOf(text: string): number | undefined {
  const trimmed = text.trim();
  const seconds = /^\d+$/.test(trimmed) ? Number(trimmed) : (read(trimmed) ?? Number.NaN) / 1000;
  return seconds >= SHORTEST && seconds <= LONGEST ? Math.round(seconds) : undefined;
}

function read(text: string): number | undefined {
  // It throws for an empty text, and says NaN or nothing for what it does not know.
  return text === "" ? undefined : ms(text as StringValue);
}
