/** What the outbox is given to tell: an effect of the state machine, or a record of the audit log, as a message. */

import type { Topic } from "../core/flag/notify.ts";
import { severityOf } from "../core/notify/severity.ts";
import type { Message, Observation } from "../core/wire/outbox.ts";
import type { AuditEntry } from "./controller-api.ts";
import type { Step } from "./effects.ts";

type Undelivered = Extract<Observation, { type: "undelivered" }>;

/** The message of a `tell`. The time is in its key because a flag that is deleted and made anew counts from 0 again. */
export function messageOf(
  effect: { topic: Topic; sentence: string },
  { flag, progress, share, i, now, by }: Pick<Step, "flag" | "progress" | "share" | "i" | "now" | "by">,
): Message {
  return {
    key: `${flag}/${now}/${progress.rollout}/${progress.step}/${i}`,
    at: now,
    topic: effect.topic,
    severity: severityOf(effect.topic),
    flag,
    release: progress.release,
    sentence: effect.sentence,
    figures: { ...by.figures },
    share,
  };
}

/** Of one receiver no more is told in so long, milliseconds: where it is gone, everything fails. */
const TOLD_AGAIN_MS = 3_600_000;

/** That a receiver has not got something, for the others: the key makes it once an hour for each. */
export function undeliveredMessage({ receiver, key, sentence, at }: Undelivered): Message {
  return {
    key: `delivery/${receiver}/${Math.floor(at / TOLD_AGAIN_MS)}`,
    at,
    topic: "delivery",
    severity: severityOf("delivery"),
    flag: null,
    release: null,
    sentence: `Receiver ${receiver} did not get a message, ${sentence}; what else it misses within the hour is in the log`,
    figures: { receiver, key },
    share: null,
  };
}

/** A record of the audit log for the audit webhook. */
export function recordMessage(entry: AuditEntry): Message {
  return {
    key: `audit/${entry.id}/${entry.hash}`,
    at: entry.at,
    topic: "audit",
    severity: "info",
    flag: entry.flag,
    release: entry.release,
    sentence: entry.reason,
    figures: {},
    share: null,
    record: JSON.stringify(entry),
  };
}
