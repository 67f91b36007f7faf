/**
 * What the judgement of a release has to remember from one look to the next: clocks of rules that ask for a lasting
 * breach, and which visitors failed while evidence grew. JSON as it is; its owner keeps one for each flag and release
 * and starts a new one after a resume.
 */

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
