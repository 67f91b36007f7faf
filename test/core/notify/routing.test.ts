import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Notify, notify, TOPICS } from "../../../src/core/flag/notify.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import { addressesOf } from "../../../src/core/notify/routing.ts";
import { severityOf } from "../../../src/core/notify/severity.ts";

const text = readFileSync(join(import.meta.dirname, "../../../fixtures/flags/notify.json"), "utf8");

function told(routes: unknown[], flag: string | null = "pay-now"): string[] {
  const hook = { type: "webhook", url: "https://hooks.example.com" };
  const parsed = notify.parse({ receivers: { a: hook, b: hook }, routes });
  return addressesOf({ topic: "halt", flag, severity: "P2" }, parsed).map(
    (to) => `${to.receiver} ${to.severity}`,
  );
}

test("the document of the documents' routes has no fault", () => {
  expect(parseDocument(text).faults).toEqual([]);
});

test("the documents' routes tell exactly whom they name", () => {
  const routes = notify.parse((JSON.parse(text) as { notify: Notify }).notify);
  const found = TOPICS.map((topic) => [
    topic,
    addressesOf({ topic, flag: "shop", severity: severityOf(topic) }, routes).map(
      (to) => `${to.receiver} ${to.severity}`,
    ),
  ]);
  expect(Object.fromEntries(found.filter(([, to]) => to!.length > 0))).toEqual({
    kill: ["pagerduty P1"],
    breaker: ["oncall P2", "pagerduty P2"],
    failed: ["eng P2", "pagerduty P2"],
    halt: ["pagerduty P2"],
    alert: ["oncall P2", "pagerduty P2"],
    pause: ["releases P3"],
    percentage: ["ops info"],
  });
});

test("a topic is as urgent as what it tells", () => {
  const by = (severity: string) => TOPICS.filter((topic) => severityOf(topic) === severity);
  expect(by("P1")).toEqual(["kill"]);
  expect(by("P2").sort()).toEqual(["breaker", "failed", "halt"]);
  expect(by("P3").sort()).toEqual(
    ["approval", "health", "pause", "reduce", "rollback", "rollback-time", "stalled"].sort(),
  );
});

test.each([
  ["*", ["pay-now", "shop", null]],
  ["pay*", ["pay-now"]],
  ["pay-now", ["pay-now"]],
  ["pay", []],
  ["shop*", ["shop"]],
])("the pattern %s is for %j", (pattern, flags) => {
  const asked = ["pay-now", "shop", null];
  expect(
    asked.filter((flag) => told([{ on: ["halt"], flags: [pattern], to: ["a"] }], flag).length > 0),
  ).toEqual(flags);
});

test("a receiver on several routes is told once, with the most urgent severity", () => {
  const on = ["halt"];
  expect(
    told([
      { on, to: ["a", "b", "a"] },
      { on, to: ["a"], severity: "P1" },
      { on, to: ["b"], severity: "info" },
    ]),
  ).toEqual(["a P1", "b P2"]);
});

test("a record of the audit log goes to the audit webhook or nowhere", () => {
  const routes = [{ on: TOPICS.slice(), to: ["a"] }];
  const receivers = { a: { type: "webhook", url: "https://hooks.example.com" } };
  const record = { topic: "audit", flag: null, severity: "info" } as const;
  expect(addressesOf(record, notify.parse({ receivers, routes }))).toEqual([]);
  const audit = { url: "https://audit.example.com" };
  expect(addressesOf(record, notify.parse({ receivers, routes, audit }))).toEqual([
    { receiver: "@audit", severity: "info" },
  ]);
});
