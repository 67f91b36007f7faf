/** How urgent it is: P1 to P3 call somebody, in this order; info does not. */
import type { Severity, Topic } from "../flag/notify.ts";

/** The most urgent first. */
const URGENCY: readonly Severity[] = ["P1", "P2", "P3", "info"];

const SEVERITIES: Record<Topic, Severity> = {
  kill: "P1",
  halt: "P2",
  breaker: "P2",
  failed: "P2",
  pause: "P3",
  reduce: "P3",
  rollback: "P3",
  "rollback-time": "P3",
  stalled: "P3",
  approval: "P3",
  health: "P3",
  alert: "info",
  started: "info",
  percentage: "info",
  stage: "info",
  completed: "info",
  delivery: "info",
};

/** How urgent a topic is where no route says otherwise. */
export function severityOf(topic: Topic | "audit"): Severity {
  return topic === "audit" ? "info" : SEVERITIES[topic];
}

/** The more urgent of two. */
export function moreUrgent(a: Severity, b: Severity | undefined): Severity {
  return b !== undefined && URGENCY.indexOf(b) < URGENCY.indexOf(a) ? b : a;
}
