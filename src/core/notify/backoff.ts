/** When what failed is tried again: exponential backoff with full jitter, and what a receiver asked for itself. */

/** Longest wait before the second try, milliseconds; it doubles with each failure. */
const BASE_MS = 1_000;
/** It never grows beyond this, milliseconds. */
export const CAP_MS = 300_000;
/** The longest that a receiver may silence us by Retry-After, milliseconds: one that errs must not lose a day. */
export const LONGEST_RETRY_AFTER_MS = 3_600_000;

/**
 * Milliseconds to wait after so many failures (1 and up). `random` is from [0, 1): full jitter takes any time up to the
 * bound, so that many that failed together do not come back together.
 */
export function backoffMs(failures: number, random: number, capMs = CAP_MS): number {
  const bound = Math.min(capMs, BASE_MS * 2 ** (Math.max(1, failures) - 1));
  return Math.floor(random * bound);
}

/**
 * Milliseconds that a Retry-After header asks to wait: seconds, or a date. Undefined for anything else and for times
 * that are over. `now` is in milliseconds since the epoch.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  // An HTTP date names its day first; Date.parse alone would read a bare number as a year.
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : /^[A-Za-z]/.test(text) ? Date.parse(text) - now : NaN;
  return ms > 0 ? Math.min(ms, LONGEST_RETRY_AFTER_MS) : undefined;
}

/** What an answer of a receiver means: taken, not wanted now, or never. */
export function verdictOfStatus(status: number): "delivered" | "again" | "never" {
  if (status >= 200 && status < 300) return "delivered";
  const mayChange = status === 408 || status === 425 || status === 429;
  return status >= 400 && status < 500 && !mayChange ? "never" : "again";
}
