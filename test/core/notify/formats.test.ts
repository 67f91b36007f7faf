import { describe, expect, it, test } from "vitest";
import { pagerdutyBody, safeKey, slackBody, webhookBody } from "../../../src/core/notify/formats.ts";
import type { Message } from "../../../src/core/wire/outbox.ts";

const AT = Date.parse("2026-10-21T07:28:00Z");

function message(fields: Partial<Message> = {}): Message {
  return {
    key: "shop/3/7/1",
    at: AT,
    topic: "failed",
    severity: "P2",
    flag: "shop",
    release: "2.1.0",
    sentence: "Green fails",
    figures: { errors: 12, cohorts: ["beta", "ga"] },
    share: 25_500,
    ...fields,
  };
}

describe("for Slack", () => {
  it("a message has its channel, its sentence and what it is about", () => {
    const body = JSON.parse(slackBody(message(), "P2", "#eng"));
    expect(body.channel).toBe("#eng");
    expect(body.text).toBe("P2: shop: Green fails");
    expect(body.blocks[0].text).toEqual({ type: "mrkdwn", text: "P2: shop: Green fails" });
    expect(body.blocks[1].elements[0].text).toBe(
      "shop 2.1.0 · green 25.5 % · P2 · failed · errors 12 · cohorts beta, ga",
    );
  });

  it("ratios have four digits, and whole numbers all of theirs", () => {
    const body = JSON.parse(
      slackBody(message({ figures: { rate: 0.3399014778, requests: 123_456 } }), "info", undefined),
    );
    expect(body.blocks[1].elements[0].text).toMatch(/rate 0\.3399 · requests 123456$/);
  });

  it("has no channel where none is given", () => {
    expect(JSON.parse(slackBody(message(), "info", undefined))).not.toHaveProperty("channel");
  });

  it("nothing in it becomes a link or calls everybody", () => {
    const body = slackBody(message({ sentence: "<!channel> a & b > c" }), "info", undefined);
    expect(JSON.parse(body).text).toBe("shop: &lt;!channel&gt; a &amp; b &gt; c");
  });

  it("is no longer than Slack takes, and breaks no entity", () => {
    const body = JSON.parse(slackBody(message({ sentence: "<".repeat(4_000) }), "info", undefined));
    const { text } = body.blocks[0].text;
    expect(text.length).toBeLessThanOrEqual(3_000);
    expect(text).toMatch(/^shop: (&lt;)+…$/);
  });
});

describe("for PagerDuty", () => {
  it("an event has all that Events v2 asks for", () => {
    expect(JSON.parse(pagerdutyBody(message(), "P1", "key"))).toEqual({
      routing_key: "key",
      event_action: "trigger",
      dedup_key: "shop/3/7/1",
      payload: {
        summary: "shop: Green fails",
        source: "greenlight",
        severity: "critical",
        timestamp: "2026-10-21T07:28:00.000Z",
        component: "shop",
        group: "2.1.0",
        class: "failed",
        custom_details: {
          errors: 12,
          cohorts: ["beta", "ga"],
          priority: "P1",
          flag: "shop",
          release: "2.1.0",
          percentage: 25.5,
        },
      },
    });
  });

  it.each([
    ["P1", "critical"],
    ["P2", "error"],
    ["P3", "warning"],
    ["info", "info"],
  ] as const)("%s is %s", (severity, words) => {
    expect(JSON.parse(pagerdutyBody(message(), severity, "key")).payload.severity).toBe(words);
  });

  it("a summary is no longer than it may be", () => {
    const { payload } = JSON.parse(pagerdutyBody(message({ sentence: "x".repeat(2_000) }), "P2", "key"));
    expect(payload.summary).toHaveLength(1_024);
  });
});

test("our own JSON has the record of the audit log as JSON", () => {
  const record = '{"id":7,"who":"ci"}';
  expect(JSON.parse(webhookBody(message({ topic: "audit", record }), "info"))).toEqual({
    v: 1,
    key: "shop/3/7/1",
    at: "2026-10-21T07:28:00.000Z",
    topic: "audit",
    record: { id: 7, who: "ci" },
  });
});

test("keys fit into a header and into PagerDuty, and stay different", () => {
  expect(safeKey("shop/3/7/1")).toBe("shop/3/7/1");
  expect(safeKey("a b\nü\ud800")).toBe("a%20b%0A%C3%BC%EF%BF%BD");
  const [a, b] = ["a", "b"].map((end) => safeKey("x".repeat(400) + end));
  expect(a).not.toBe(b);
  expect(a!.length).toBeLessThanOrEqual(255);
});
