/** Who is told a message, and how urgently: the routes of the flag document applied to one message. */
import type { Notify, Severity } from "../flag/notify.ts";
import type { Message } from "../wire/outbox.ts";
import { moreUrgent } from "./severity.ts";

/** Receiver of the records of the audit log. No receiver of a document can have this name. */
export const AUDIT_RECEIVER = "@audit";

/** One message for one receiver. */
export interface Addressed {
  /** Name of the receiver in the document, or `@audit`. */
  receiver: string;
  severity: Severity;
}

/**
 * The receivers of a message, each once and with the most urgent severity of the routes that lead there. Records of the
 * audit log go to the audit webhook and nowhere else.
 */
export function addressesOf(
  message: Pick<Message, "topic" | "flag" | "severity">,
  notify: Notify,
): Addressed[] {
  const { topic, flag } = message;
  if (topic === "audit") return notify.audit ? [{ receiver: AUDIT_RECEIVER, severity: "info" }] : [];
  const found = new Map<string, Severity>();
  for (const { on, flags, to, severity = message.severity } of notify.routes) {
    if (!on.includes(topic) || !flags.some((pattern) => isMatch(pattern, flag))) continue;
    for (const receiver of to) found.set(receiver, moreUrgent(severity, found.get(receiver)));
  }
  return [...found].map(([receiver, severity]) => ({ receiver, severity }));
}

/** `*` is every flag and what concerns none, `pay*` all that begin so, anything else one flag. */
function isMatch(pattern: string, flag: string | null): boolean {
  if (pattern === "*") return true;
  if (flag === null) return false;
  return pattern.endsWith("*") ? flag.startsWith(pattern.slice(0, -1)) : flag === pattern;
}
