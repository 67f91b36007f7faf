/**
 * What the judgement of a release has to remember from one look to the next: clocks of rules that ask for a lasting
 * breach, and which visitors failed while evidence grew. JSON as it is; its owner keeps one for each flag and release
 * and starts a new one after a resume.
 */

import { TICK_MS } from "../wire/messages.ts";
import { type Blame, blameThrough, newBlame } from "./blame.ts";
import type { Verdict } from "./rules.ts";
import { LATENESS_MS, LONGEST_WINDOW_MS, type Window } from "./window.ts";

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
  /** Who failed since evidence of errors began to grow, in ticks that take no more counts … */
  blame: Blame;
  /** … and in all that there were at the last look … */
  latest: Blame;
  /** … which was then, milliseconds since the epoch. */
  at: number;
  /** The last look at which breakers were open by no fault of green's, ms since the epoch; absent when never. */
  excusedAt?: number | undefined;
}

/** The memory of a release that was never judged. */
export function newMemory(): RuleMemory {
  return { timers: {}, blame: newBlame(), latest: newBlame(), at: 0 };
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
): Pick<RuleMemory, "blame" | "latest" | "at"> {
  // With hardly any traffic the window forgets ticks between two looks: what was seen of them has to do.
  const known = now - memory.at > LONGEST_WINDOW_MS - LATENESS_MS ? memory.latest : memory.blame;
  const before = evidence > 1 ? known : newBlame(Math.floor((now - OPEN_MS) / TICK_MS) - 1);
  const blame = blameThrough(before, window, Math.floor((now - LATENESS_MS) / TICK_MS) - 2);
  return {
    blame,
    latest: blameThrough(blame, window, Math.max(blame.through, ...window.ticks.keys())),
    at: now,
  };
}
