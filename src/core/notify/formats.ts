/** Messages in the forms that receivers take: Slack's incoming webhooks, PagerDuty's Events v2, and our own JSON. */
import type { Severity } from "../flag/notify.ts";
import { hashText } from "../hashing/text.ts";
import type { Message } from "../wire/outbox.ts";

/** Version of our own JSON. */
export const WEBHOOK_VERSION = 1;

/** PagerDuty takes keys and summaries up to these lengths, characters. */
const DEDUP_KEY_LENGTH = 255;
const SUMMARY_LENGTH = 1024;
/** Slack takes so much text in a section and fields in one, characters and pieces. */
const SECTION_LENGTH = 3000;
const MAX_FIGURES = 20;
/** Digits of a figure in Slack that is no whole number. */
const FIGURE_DIGITS = 4;

const PAGERDUTY_SEVERITY: Record<Severity, "critical" | "error" | "warning" | "info"> = {
  P1: "critical",
  P2: "error",
  P3: "warning",
  info: "info",
};

/** A key as a header can carry it and PagerDuty takes it. Keys that differ stay different. */
export function safeKey(key: string): string {
  const ascii = key.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  return ascii.length <= DEDUP_KEY_LENGTH ? ascii : `${ascii.slice(0, 200)}~${hashText(key)}`;
}

/** Body for a Slack-compatible incoming webhook. */
export function slackBody(message: Message, severity: Severity, channel: string | undefined): string {
  const { topic, flag, release, share } = message;
  const about = [
    flag === null ? undefined : release === null ? flag : `${flag} ${release}`,
    share === null ? undefined : `green ${percentOf(share)} %`,
    severity,
    topic,
    ...figureWords(message),
  ].filter((words) => words !== undefined);
  const urgency = severity === "info" ? "" : `${severity}: `;
  const text = escapeSlack(clip(`${urgency}${headline(message)}`, SECTION_LENGTH));
  const blocks = [
    { type: "section", text: { type: "mrkdwn", text: clipEscaped(text) } },
    {
      type: "context",
      elements: [{ type: "mrkdwn", text: clipEscaped(escapeSlack(about.join(" · "))) }],
    },
  ];
  return JSON.stringify({ ...(channel !== undefined && { channel }), text, blocks });
}

/** Body for PagerDuty's Events API v2. */
export function pagerdutyBody(message: Message, severity: Severity, routingKey: string): string {
  const { key, at, topic, flag, release, share, figures } = message;
  return JSON.stringify({
    routing_key: routingKey,
    event_action: "trigger",
    dedup_key: safeKey(key),
    payload: {
      summary: clip(headline(message), SUMMARY_LENGTH),
      source: "greenlight",
      severity: PAGERDUTY_SEVERITY[severity],
      timestamp: new Date(at).toISOString(),
      component: flag ?? "greenlight",
      group: release ?? undefined,
      class: topic,
      custom_details: {
        ...figures,
        priority: severity,
        ...(flag !== null && { flag }),
        ...(release !== null && { release }),
        ...(share !== null && { percentage: percentOf(share) }),
      },
    },
  });
}

/** Body of our own webhooks; `docs/notifications.md` has its schema. */
export function webhookBody(message: Message, severity: Severity): string {
  const { key, at, topic, flag, release, sentence, figures, share, record } = message;
  const head = { v: WEBHOOK_VERSION, key, at: new Date(at).toISOString(), topic };
  if (record !== undefined) return JSON.stringify({ ...head, record: jsonOf(record) });
  const percentage = share === null ? null : percentOf(share);
  return JSON.stringify({ ...head, severity, flag, release, sentence, figures, percentage });
}

/** Slack reads these three as the beginning of links and mentions. */
export function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The sentence as it stands alone on a phone: of which flag, where it does not say so itself. */
function headline({ flag, sentence }: Message): string {
  return flag === null || sentence.split(" ").includes(flag) ? sentence : `${flag}: ${sentence}`;
}

function figureWords({ figures }: Message): string[] {
  return Object.entries(figures)
    .slice(0, MAX_FIGURES)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(", ") : rounded(value)}`);
}

/** Ratios are read, not computed with. */
function rounded(value: string | number): string | number {
  return typeof value === "number" && !Number.isInteger(value)
    ? Number(value.toPrecision(FIGURE_DIGITS))
    : value;
}

/** Thousandths of a percent as percent. */
function percentOf(share: number): number {
  return share / 1000;
}

/** A record is passed on as it is; what is no JSON as the text. */
function jsonOf(record: string): unknown {
  try {
    return JSON.parse(record) as unknown;
  } catch {
    return record;
  }
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}

/** Clips without leaving half an entity behind. */
function clipEscaped(text: string): string {
  return clip(text, SECTION_LENGTH).replace(/&[a-z]{0,3}…$/, "…");
}
