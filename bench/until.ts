/** Waiting for a condition, bounded in time. */
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds between two looks. */
const POLL_MS = 50;

/** Waits until `holds` says so; throws after `ms` milliseconds, saying what was waited for. */
export async function until(
  what: string,
  ms: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain until ${what}`);
    await sleep(POLL_MS);
  }
}
