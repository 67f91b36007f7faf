import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Check, Observation, Pull, Validation } from "../../src/core/wire/outbox.ts";
import {
  freeze,
  observer,
  orders,
  outbox,
  pass,
  RECEIVERS,
  received,
  type Stub,
  script,
  until,
} from "./outbox-parts.ts";

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function check(fields: Partial<Check> = {}): Check {
  const fixed = { flag: "shop", variant: "green", path: "/", interval: 30, timeout: 5, status: 200 } as const;
  return { ...fixed, origin: RECEIVERS, ...fields };
}

function pull(url: string, fields: Partial<Pull> = {}): Pull {
  return { flag: "shop", gauge: "trust", url, path: "$.score", interval: 60, timeout: 5, ...fields };
}

function validation(key: string, paths: string[], fields: Partial<Validation["expectations"][number]> = {}) {
  const fixed = { method: "GET", headers: {}, status: 200, timeout: 5 } as const;
  const expectations = paths.map((path) => ({ ...fixed, path, ...fields }));
  return { key, flag: "shop", release: "2.1.0", origin: RECEIVERS, expectations } satisfies Validation;
}

/** Throws until the outbox knows that the controller has everything. */
async function observed(box: Stub): Promise<void> {
  await runInDurableObject(box, (_, { storage }) => {
    const left = storage.sql.exec("SELECT seq FROM observations").toArray();
    if (left.length > 0) throw new Error("not yet");
  });
}

const sentences = (seen: Observation[]) => seen.map((o) => ("sentence" in o ? o.sentence : o));

describe("a health check", () => {
  it("passes with the status and text that are asked for, and says who it is", async () => {
    const { box, path } = outbox();
    await script(path, { status: 204 }, { status: 200, body: "all is well, thank you" });
    const { seen } = await observer(box);
    await box.order(orders({ checks: [check({ path, status: [200, 204] })] }));
    await until(() => expect(seen).toHaveLength(1));
    await box.order(orders({ revision: 2, checks: [check({ path, variant: "blue", match: "is well" })] }));
    await until(() => expect(seen).toHaveLength(2));
    expect(seen).toMatchObject([
      { type: "health", flag: "shop", variant: "green", passed: true, sentence: "answered 204" },
      { type: "health", flag: "shop", variant: "blue", passed: true, sentence: "answered 200" },
    ]);
    const [first] = await received(path);
    expect(first).toMatchObject({ method: "GET", headers: { "user-agent": "greenlight-health" } });
  });

  const failing = [
    [{ status: 503 }, {}, "answered 503, not 200"],
    [{ status: 302, headers: { location: "/" } }, {}, "answered 302, not 200"],
    [
      { status: 200, body: "secret words" },
      { match: "well" },
      "answered 200 without the text that was asked for",
    ],
    [
      { status: 200, body: `${"x".repeat(65_536)}well` },
      { match: "well" },
      "answered 200 without the text that was asked for",
    ],
    ["reset", {}, "no connection"],
    ["reset-in-body", { match: "half" }, "no connection"],
    ["hang", { timeout: 0.05 }, "no answer within 0.05 s"],
    ["slow-headers", { timeout: 0.05 }, "no answer within 0.05 s"],
  ] as const;
  it.each(failing)("fails on %j", async (behaviour, fields, sentence) => {
    const { box, path } = outbox();
    await script(path, behaviour);
    const { seen } = await observer(box);
    await box.order(orders({ checks: [check({ path, ...fields })] }));
    await until(() => expect(seen).toMatchObject([{ type: "health", passed: false, sentence }]));
  });

  it("fails where nobody listens, and where the Worker has no such binding", async () => {
    const { box } = outbox();
    const { seen } = await observer(box);
    const checks = [
      check({ origin: "http://127.0.0.1:1" }),
      check({ origin: "service:NONE", variant: "blue" }),
    ];
    await box.order(orders({ checks }));
    await until(() => expect(seen).toHaveLength(2));
    expect(sentences(seen).sort()).toEqual(["no connection", "the Worker has no binding for service:NONE"]);
  });

  it("asks an origin that is a service binding", async () => {
    const { box } = outbox();
    const asked: string[] = [];
    const GREEN = {
      async fetch(url: string) {
        asked.push(url);
        return new Response("fine");
      },
    };
    const { seen } = await observer(box, { GREEN });
    await box.order(orders({ checks: [check({ origin: "service:GREEN", path: "/health", match: "fine" })] }));
    await until(() => expect(seen).toMatchObject([{ passed: true }]));
    expect(asked).toEqual(["https://service.internal/health"]);
  });

  it("is made on its interval, once after a day without alarms, and over evictions", async () => {
    freeze();
    const { box, path } = outbox();
    await box.order(orders({ checks: [check({ path })] }));
    const made = (n: number) => until(async () => expect(await received(path)).toHaveLength(n));
    await made(1);
    await pass(box, 25_000);
    await made(1);
    await pass(box, 6_000);
    await made(2);
    await evictDurableObject(box);
    await pass(box, 1_000);
    await box.order(orders({ revision: 2, checks: [check({ path })] }));
    await made(2);
    await pass(box, 86_400_000);
    await made(3);
    await pass(box, 1_000);
    await made(3);
  });

  it("is no longer made when it is no longer ordered", async () => {
    freeze();
    const { box, path } = outbox();
    await box.order(orders({ checks: [check({ path })] }));
    await until(async () => expect(await received(path)).toHaveLength(1));
    await box.order(orders({ revision: 2 }));
    await pass(box, 60_000);
    expect(await received(path)).toHaveLength(1);
  });
});

describe("what is found while the controller is away", () => {
  it("is kept to the newest 10 of each check and told in order when it is back", async () => {
    freeze();
    const { box, path } = outbox();
    const told = await observer(box);
    told.away(true);
    await script(path, ...Array.from({ length: 15 }, (_, i) => ({ status: 501 + i })));
    await box.order(orders({ checks: [check({ path })] }));
    for (let n = 1; n <= 15; n++) {
      await until(async () => expect(await received(path)).toHaveLength(n));
      if (n < 15)
        await until(() =>
          pass(box, 31_000).then(async () => expect(await received(path)).toHaveLength(n + 1)),
        );
    }
    expect(told.seen).toEqual([]);
    told.away(false);
    await until(async () => {
      await pass(box, 10_000);
      expect(told.seen.length).toBeGreaterThanOrEqual(10);
    });
    const first = Array.from({ length: 10 }, (_, i) => `answered ${506 + i}, not 200`);
    expect(sentences(told.seen).slice(0, 10)).toEqual(first);
    const seqs = told.seen.map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
  });

  it("is told after a crash, with numbers that go on rising", async () => {
    freeze();
    const { box, again, path } = outbox();
    const before = await observer(box);
    await box.order(orders({ checks: [check({ path })] }));
    await until(() => expect(before.seen).toHaveLength(1));
    await abortAllDurableObjects();
    const away = await observer(again());
    away.away(true);
    await pass(again(), 31_000);
    await until(() => expect(away.calls()).toBeGreaterThan(0));
    await abortAllDurableObjects();
    const after = await observer(again());
    await pass(again(), 1_000);
    await until(() => expect(after.seen).toMatchObject([{ type: "health", passed: true }]));
    expect(after.seen[0]!.seq).toBeGreaterThan(before.seen[0]!.seq);
  });

  it("has numbers that rise also when the clock was set back", async () => {
    freeze();
    const { box, again } = outbox();
    const before = await observer(box);
    await box.take({ messages: [], validations: [validation("v", [])] });
    await until(() => expect(before.seen).toHaveLength(1));
    await until(() => observed(box));
    await abortAllDurableObjects();
    vi.setSystemTime(Date.now() - 60_000);
    const after = await observer(again());
    await again().take({ messages: [], validations: [validation("w", [])] });
    await until(() => expect(after.seen).toMatchObject([{ key: "w" }]));
    expect(after.seen[0]!.seq).toBeGreaterThan(before.seen[0]!.seq);
  });
});

describe("a number that is fetched", () => {
  it("comes from its place in the answer, with the secret as Authorization", async () => {
    const { box, path, url } = outbox();
    await script(path, { status: 200, body: '{"data":[{"score":"79.5"}]}' });
    const { seen } = await observer(box);
    const pulls = [pull(url, { path: "$.data[0].score", authorization: "secret:GAUGE_TOKEN" })];
    await box.order(orders({ pulls }));
    await until(() =>
      expect(seen).toMatchObject([{ type: "gauge", flag: "shop", gauge: "trust", value: 79.5 }]),
    );
    expect((await received(path))[0]!.headers.authorization).toBe("Bearer a-token");
  });

  it("may stand in 64 kB, not in a byte more", async () => {
    const { box, path, url } = outbox();
    const body = (bytes: number) => `{"score":1${" ".repeat(bytes - 11)}}`;
    await script(`${path}/a`, { status: 200, body: body(65_536) });
    await script(`${path}/b`, { status: 200, body: body(65_537) });
    const { seen } = await observer(box);
    await box.order(orders({ pulls: [pull(`${url}/a`), pull(`${url}/b`, { gauge: "longer" })] }));
    await until(() => expect(seen).toHaveLength(2));
    expect(seen.find((o) => o.type === "gauge")).toMatchObject({ gauge: "trust", value: 1 });
    expect(sentences(seen)).toContain("the answer is longer than 64 kB");
  });

  const failing = [
    [{ status: 500, body: '{"score":1}' }, {}, "answered 500, not 200"],
    [{ status: 200, body: "no JSON" }, {}, "no number at $.score"],
    [{ status: 200, body: '{"score":null}' }, {}, "no number at $.score"],
    ["reset-in-body", {}, "no connection"],
    ["hang", { timeout: 0.05 }, "no answer within 0.05 s"],
    [{ status: 200 }, { authorization: "secret:NONE" }, "secret:NONE is not set"],
    [{ status: 200 }, { authorization: "secret:ADMIN_TOKENS" }, "secret:ADMIN_TOKENS is not set"],
    [{ status: 200 }, { authorization: "secret:ADMIN_TOKEN" }, "secret:ADMIN_TOKEN is not set"],
  ] as const;
  it.each(failing)("is told to be missing on %j %j", async (behaviour, fields, sentence) => {
    const { box, path, url } = outbox();
    await script(path, behaviour);
    const { seen } = await observer(box);
    await box.order(orders({ pulls: [pull(url, fields)] }));
    await until(() => expect(seen).toMatchObject([{ type: "gauge-failed", gauge: "trust", sentence }]));
  });
});

describe("requests to be tried on green", () => {
  it("are made in order, as they are given, and pass when all are as expected", async () => {
    const { box, path } = outbox();
    const { seen } = await observer(box);
    const paths = [`${path}/1`, `${path}/2`, `${path}/3`];
    const more = { method: "POST", headers: { "x-smoke": "1" }, body: "hello" } as const;
    await box.take({ messages: [], validations: [validation("v", paths, more)] });
    await until(() => expect(seen).toHaveLength(1));
    expect(seen).toMatchObject([
      { type: "validated", key: "v", flag: "shop", passed: true, sentence: "3 of 3 requests as expected" },
    ]);
    const got = await received(path);
    expect(got.map((r) => r.path)).toEqual(paths);
    expect(got[0]).toMatchObject({ method: "POST", body: "hello", headers: { "x-smoke": "1" } });
  });

  it("fail at the first that is not as expected", async () => {
    const { box, path } = outbox();
    await script(`${path}/2`, { status: 500 });
    const { seen } = await observer(box);
    await box.take({ messages: [], validations: [validation("v", [`${path}/1`, `${path}/2`, `${path}/3`])] });
    await until(() => expect(seen).toMatchObject([{ key: "v", passed: false }]));
    expect(sentences(seen)).toEqual([`GET ${path}/2: answered 500, not 200`]);
    expect(await received(`${path}/3`)).toEqual([]);
  });

  it("give one result by key, over crashes and repetitions", async () => {
    freeze();
    const { box, again, path } = outbox();
    const asked = validation("v", [`${path}/1`, `${path}/2`]);
    await script(`${path}/2`, "hang", { status: 200 });
    await box.take({ messages: [], validations: [asked] });
    await until(async () => expect(await received(`${path}/2`)).toHaveLength(1));
    await abortAllDurableObjects();
    const { seen } = await observer(again());
    await pass(again(), 20_000);
    await until(() => expect(seen).toHaveLength(1));
    expect(await again().take({ messages: [], validations: [asked] })).toEqual({ stored: ["v"] });
    await pass(again(), 20_000);
    await abortAllDurableObjects();
    const after = await observer(again());
    await again().take({ messages: [], validations: [asked, validation("w", [])] });
    await until(() => expect(after.seen).toMatchObject([{ key: "w", passed: true }]));
    expect(seen).toMatchObject([{ key: "v", passed: true }]);
    expect(await received(path)).toHaveLength(4);
    const left = await runInDurableObject(again(), (_, { storage }) =>
      storage.sql.exec("SELECT key FROM validations WHERE validation IS NOT NULL").toArray(),
    );
    expect(left).toEqual([]);
  });
});
