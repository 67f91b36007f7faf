/**
 * What the judgement of a release has to remember from one look to the next: clocks of rules that ask for a lasting
 * breach, and which visitors failed while evidence grew. JSON as it is; its owner keeps one for each flag and release
 * and starts a new one after a resume.
 */

import { TICK_MS } from "../wire/messages.ts";
import type { Verdict } from "./rules.ts";
import { mergeVisitors } from "./tally.ts";
import type { Window } from "./window.ts";

/**
 * Evidence is as old as the ticks that are closed: a tick stays open for some 7 s, and its failures are there before
 * it counts. So many milliseconds before now a failure may still be waiting to become evidence.
 */
const OPEN_MS = 10_000;

/** Clock of one rule: for how long its breach has held. */
export interface Timer {
  /** Milliseconds of breach, without those in which there was too little data. */
  heldMs: number;
  /** The last look, milliseconds since the epoch. */
  at: number;
  /** Was it a breach at the last look? */
  breach: boolean;
}

export interface RuleMemory {
  /** By the rule's place in the document and its words. */
  timers: Record<string, Timer>;
  /** Failures of requests that started earlier are not behind the present evidence, milliseconds since the epoch. */
  risingSince: number;
  /** 12-bit hashes of green's visitors that failed since then: sorted, at most MAX_VISITORS. */
  failing: number[];
}

/** The memory of a release that was never judged. */
export function newMemory(): RuleMemory {
  return { timers: {}, risingSince: 0, failing: [] };
}

/**
 * The clock after one more look. A breach counts from look to look, but no look speaks for longer than its window
 * (`windowMs`); too little data stops the clock, a good window sets it back.
 */
export function advance(timer: Timer | undefined, verdict: Verdict, now: number, windowMs: number): Timer {
  if (verdict === "healthy") return { heldMs: 0, at: now, breach: false };
  const { heldMs, at, breach } = timer ?? { heldMs: 0, at: now, breach: false };
  if (verdict !== "unhealthy") return { heldMs, at: now, breach: false };
  const passed = breach ? Math.max(0, Math.min(now - at, windowMs)) : 0;
  return { heldMs: heldMs + passed, at: now, breach: true };
}

/**
 * The visitors behind the present evidence. While evidence of errors is at most 1 it says nothing, so only those count
 * whose failures are still on their way into it; once it grows they are gathered, however long that takes.
 */
export function gather(
  memory: RuleMemory,
  window: Window,
  evidence: number,
  now: number,
): Pick<RuleMemory, "risingSince" | "failing"> {
  const rising = evidence > 1;
  const risingSince = rising ? memory.risingSince : now - OPEN_MS;
  let failing = rising ? memory.failing : [];
  for (const [tick, groups] of window.ticks) {
    if ((tick + 1) * TICK_MS <= risingSince) continue;
    const visitors = groups.get("green|hash")?.visitors ?? [];
    if (visitors.length > 0) failing = mergeVisitors(failing, visitors);
  }
  return { risingSince, failing };
}
