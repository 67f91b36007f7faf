import { exports } from "cloudflare:workers";
import { beforeAll, expect, it, vi } from "vitest";
import type { IngestResult } from "../../src/control/telemetry-api.ts";
import { document, handEdit } from "../control/parts.ts";
import { TOKENS } from "../support/tokens.ts";
import { ask } from "./parts.ts";

const TOKEN = "test-token-0123456789abcdef";

function post(path: string, body: unknown, token = TOKEN): Promise<Response> {
  return exports.default.fetch(`http://localhost/_greenlight/api${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}
const answer = async (path: string, body: unknown) => {
  const response = await post(path, body);
  expect(response.status).toBe(200);
  return (await response.json()) as IngestResult;
};
const paths = async (path: string, body: unknown) => {
  const response = await post(path, body);
  expect(response.status).toBe(400);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const { faults } = (await response.json()) as { faults: { path: string }[] };
  return faults.map((fault) => fault.path);
};

/** As Alertmanager 0.27 sends it. */
const webhook = (parts: object = {}) => ({
  version: "4",
  groupKey: '{}/{severity="critical"}:{alertname="ApiDown"}',
  truncatedAlerts: 0,
  status: "firing",
  receiver: "greenlight",
  groupLabels: { alertname: "ApiDown" },
  commonLabels: { alertname: "ApiDown", severity: "critical" },
  commonAnnotations: { summary: "The API is down" },
  externalURL: "http://alertmanager.example.com:9093",
  alerts: [
    {
      status: "firing",
      labels: { alertname: "ApiDown", severity: "critical", flag: "shop" },
      annotations: { summary: "The API is down" },
      startsAt: "2030-01-01T12:00:00.739266876+02:00",
      endsAt: "0001-01-01T00:00:00Z",
      generatorURL: "http://prometheus.example.com:9090/graph",
      fingerprint: "77b14aa37b1fa3a1",
      ...parts,
    },
  ],
});

/** The Worker and its controller may take seconds to start on a busy machine. */
const START_MS = 30_000;

beforeAll(async () => {
  await handEdit(document());
  await vi.waitFor(
    async () => {
      const { unknown } = await answer("/gauges", { flag: "shop", name: "probe", value: 1 });
      if (unknown.length > 0) throw new Error("the flag is not known yet");
    },
    { timeout: START_MS, interval: 200 },
  );
}, START_MS);

it("takes events, says which flags nobody knows, and takes a batch once", async () => {
  const body = {
    id: "a-batch",
    events: [
      { flag: "shop", event: "checkout", outcome: "success", ms: 120, key: "user-1", cohort: "beta" },
      { flag: "shop", event: "rating", value: 4.5, variant: "blue", at: "2026-01-01T00:00:00Z" },
      { flag: "shop", event: "rating", value: 4.5, at: Date.now() },
      { flag: "shopp", event: "checkout" },
    ],
  };
  expect(await answer("/events", body)).toEqual({
    taken: 2,
    duplicate: false,
    unknown: ["shopp"],
    tooOld: 1,
  });
  expect(await answer("/events", body)).toMatchObject({ taken: 0, duplicate: true });
});

it("takes a batch of each reporter once, though two have chosen the same key for theirs", async () => {
  const push = async (token: string) => {
    const headers = { "idempotency-key": "batch-1" };
    const body = { events: [{ flag: "shop", event: "checkout" }] };
    return (await ask("POST", "/events", { token, headers, body })).body;
  };
  expect(await push(TOKENS.reporter)).toMatchObject({ taken: 1, duplicate: false });
  expect(await push(TOKENS.operator)).toMatchObject({ taken: 1, duplicate: false });
  expect(await push(TOKENS.reporter)).toMatchObject({ taken: 0, duplicate: true });
});

it("takes a gauge or a list of them, of one flag or of all", async () => {
  expect(await answer("/gauges", { name: "memory", value: 900, max: 1000 })).toMatchObject({ taken: 1 });
  const list = [
    { flag: "shop", name: "trust", value: -3 },
    { flag: "nobody", name: "trust", value: 1 },
  ];
  expect(await answer("/gauges", list)).toMatchObject({ taken: 1, unknown: ["nobody"] });
});

it("takes what Alertmanager sends, exactly as it sends it", async () => {
  expect(await answer("/alerts", webhook())).toMatchObject({ taken: 1, unknown: [] });
  expect(await answer("/alerts", webhook({ labels: { flag: "nobody" } }))).toMatchObject({
    taken: 0,
    unknown: ["nobody"],
  });
  const resolved = webhook({ status: "resolved", endsAt: "2030-01-01T10:05:00Z" });
  expect(await answer("/alerts", { ...resolved, status: "resolved" })).toMatchObject({ taken: 1 });
});

it.each<[string, string, unknown, string[]]>([
  ["no list", "/events", {}, ["events"]],
  ["no JSON", "/events", "{", [""]],
  ["no event", "/events", { events: [{ flag: "shop", event: "x" }, { flag: "shop" }] }, ["events[1].event"]],
  [
    "an id in the clear where none belongs",
    "/events",
    { events: [{ flag: "shop", event: "x", user: "u" }] },
    ["events[0]"],
  ],
  [
    "two measures",
    "/events",
    { events: [{ flag: "shop", event: "x", ms: 1, value: 1 }] },
    ["events[0].value"],
  ],
  ["no time", "/events", { events: [{ flag: "shop", event: "x", at: "today" }] }, ["events[0].at"]],
  ["a negative time", "/events", { events: [{ flag: "shop", event: "x", ms: -1 }] }, ["events[0].ms"]],
  ["too many", "/events", { events: Array(1001).fill({ flag: "shop", event: "x" }) }, ["events"]],
  ["no number", "/gauges", { name: "memory", value: "much" }, ["value"]],
  ["a maximum of nothing", "/gauges", [{ name: "memory", value: 1, max: 0 }], ["[0].max"]],
  ["another version", "/alerts", { ...webhook(), version: "3" }, ["version"]],
  ["no fingerprint", "/alerts", webhook({ fingerprint: undefined }), ["alerts[0].fingerprint"]],
])("refuses %s with the place of the fault", async (_, path, body, faults) => {
  expect(await paths(path, body)).toEqual(faults);
});

it("takes nothing without the token", async () => {
  for (const path of ["/events", "/gauges", "/alerts"])
    expect((await post(path, {}, "wrong-token-0123456789")).status).toBe(401);
});
