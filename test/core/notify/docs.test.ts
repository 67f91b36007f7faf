import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { signatureHeaders } from "../../../src/control/outbox/signature.ts";
import { notify, TOPICS } from "../../../src/core/flag/notify.ts";
import { severityOf } from "../../../src/core/notify/severity.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/notifications.md"), "utf8");
const block = (language: string) => new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)![1]!;

test("the receivers and routes that the page shows can be put into a document as they are", () => {
  expect(notify.safeParse(JSON.parse(block("json"))).error).toBeUndefined();
});

test("the page names every topic with its severity", () => {
  for (const topic of TOPICS) {
    const row = page.split("\n").find((line) => line.startsWith(`| ${severityOf(topic)} |`));
    expect(row, topic).toContain(`\`${topic}\``);
  }
});

test("the check of a signature that the page shows takes what is ours, and nothing else", async () => {
  const check = new Function(
    "headers",
    "rawBody",
    "secret",
    "createHmac",
    "timingSafeEqual",
    `${block("js")}; return isOurs;`,
  ) as (...args: unknown[]) => boolean;
  const isOurs = (headers: object, body: string, secret = "s") =>
    check(headers, body, secret, createHmac, timingSafeEqual);
  const headers = await signatureHeaders("{}", "s", Date.now());
  expect(isOurs(headers, "{}")).toBe(true);
  expect(isOurs(headers, "{} ")).toBe(false);
  expect(isOurs(headers, "{}", "t")).toBe(false);
  expect(isOurs({ ...headers, "x-greenlight-timestamp": "1" }, "{}")).toBe(false);
  expect(isOurs({}, "{}")).toBe(false);
  expect(isOurs(await signatureHeaders("{}", "s", Date.now() - 600_000), "{}")).toBe(false);
});
