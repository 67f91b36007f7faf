/** Who is behind what is decided: a person by some way, or the controller itself. */
import type { How } from "../core/rollout/audit-chain.ts";

/** Who is behind an event, and the numbers that led to it. */
export interface By {
  who: string;
  how: How;
  /** What a person gave as reason, where the event itself has none. */
  reason?: string;
  /** The rule that fired, in words. */
  rule?: string;
  figures?: Record<string, number>;
}

/** The controller itself. */
export const CONTROLLER: By = { who: "controller", how: "controller" };
