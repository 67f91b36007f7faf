/** Receivers of the document turned into requests: form, address and signature. Secrets are read here and kept nowhere. */
import type { Notify, Receiver, Severity } from "../../core/flag/notify.ts";
import { pagerdutyBody, safeKey, slackBody, webhookBody } from "../../core/notify/formats.ts";
import { AUDIT_RECEIVER } from "../../core/notify/routing.ts";
import type { Message } from "../../core/wire/outbox.ts";
import { secretOf } from "./ask.ts";
import { signatureHeaders } from "./signature.ts";

/** A request as a receiver gets it, or why there is none yet. */
export type Prepared =
  | { ok: true; url: string; headers: Record<string, string>; body: string }
  | { ok: false; sentence: string };

/** The receiver of this name; undefined where the document has none any more. */
export function receiverOf(notify: Notify, name: string): Receiver | undefined {
  if (name === AUDIT_RECEIVER) return notify.audit && { type: "webhook", ...notify.audit };
  return Object.hasOwn(notify.receivers, name) ? notify.receivers[name] : undefined;
}

/** Body for a receiver, with the name of a secret instead of its value: for the log. */
export function bodyOf(
  message: Message,
  severity: Severity,
  receiver: Receiver,
  routingKey?: string,
): string {
  switch (receiver.type) {
    case "slack":
      return slackBody(message, severity, receiver.channel);
    case "pagerduty":
      return pagerdutyBody(message, severity, routingKey ?? receiver.routingKey);
    case "webhook":
      return webhookBody(message, severity);
  }
}

/** The request that tells a message. A secret that is not set may be set later, so that is no reason to give up. */
export async function prepare(
  message: Message,
  severity: Severity,
  receiver: Receiver,
  env: Env,
  now: number,
): Promise<Prepared> {
  const url = receiver.url.startsWith("secret:") ? secretOf(env, receiver.url) : receiver.url;
  if (url === undefined) return { ok: false, sentence: `${receiver.url} is not set` };
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    return { ok: false, sentence: `${receiver.url} is not a URL` };
  const headers: Record<string, string> = {
    "content-type": "application/json; charset=utf-8",
    "user-agent": "greenlight",
  };
  if (receiver.type === "pagerduty") {
    const routingKey = secretOf(env, receiver.routingKey);
    if (routingKey === undefined) return { ok: false, sentence: `${receiver.routingKey} is not set` };
    return { ok: true, url, headers, body: bodyOf(message, severity, receiver, routingKey) };
  }
  headers["idempotency-key"] = safeKey(message.key);
  const body = bodyOf(message, severity, receiver);
  if (receiver.type === "webhook" && receiver.secret !== undefined) {
    const secret = secretOf(env, receiver.secret);
    if (secret === undefined) return { ok: false, sentence: `${receiver.secret} is not set` };
    Object.assign(headers, await signatureHeaders(body, secret, now));
  }
  return { ok: true, url, headers, body };
}
