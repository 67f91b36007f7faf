import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import document from "../../fixtures/flags/notify.json";
import type { Message } from "../../src/core/wire/outbox.ts";
import {
  freeze,
  keysAt,
  message,
  observer,
  orders,
  outbox,
  pass,
  RECEIVERS,
  received,
  script,
  take,
  until,
  waiting,
  webhooks,
} from "./outbox-parts.ts";

const DAY_MS = 86_400_000;

beforeEach(() => {
  // What fails here fails on purpose, and says so.
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the routes that the documents ask for", () => {
  it("bring exactly what they name to real receivers", async () => {
    const { box, path, url } = outbox();
    const { receivers, routes } = document.notify;
    const pagerduty = { ...receivers.pagerduty, url };
    await box.order(orders({ notify: { receivers: { ...receivers, pagerduty }, routes } }));
    const topics = ["kill", "breaker", "failed", "pause", "percentage", "started", "stage"] as const;
    await take(box, ...topics.map((topic) => message(`${path}/${topic}`, { topic })));
    await until(async () => expect(await waiting(box)).toEqual([]));
    const slack = (await received("/slack/")).filter(({ headers }) =>
      String(headers["idempotency-key"]).startsWith(path),
    );
    const told = slack.map(({ path: to, headers, body }) => [
      String(headers["idempotency-key"]).slice(path.length + 1),
      to,
      (JSON.parse(body) as { channel: string }).channel,
    ]);
    expect(told.sort()).toEqual([
      ["breaker", "/slack/oncall", "#oncall"],
      ["failed", "/slack/eng", "#eng"],
      ["pause", "/slack/releases", "#releases"],
      ["percentage", "/slack/ops", "#ops"],
    ]);
    const events = (await received(path)).map(({ body }) => JSON.parse(body));
    expect(
      events.map((e) => [e.payload.class, e.payload.custom_details.priority, e.payload.severity]),
    ).toEqual([
      ["kill", "P1", "critical"],
      ["breaker", "P2", "error"],
      ["failed", "P2", "error"],
    ]);
    expect(events[0]).toMatchObject({
      routing_key: "a-routing-key-of-32-characters-00",
      event_action: "trigger",
      dedup_key: `${path}/kill`,
      payload: { component: "shop", source: "greenlight" },
    });
  });

  it("bring records of the audit log to the audit webhook alone", async () => {
    const { box, path, url } = outbox();
    const all = webhooks({ hook: `${url}/hook` }) as object;
    await box.order(orders({ notify: { ...all, audit: { url: `${url}/audit` } } }));
    await take(box, message("a/1", { topic: "audit", record: '{"id":1}' }), message("m/1"));
    await until(async () => expect(await received(path)).toHaveLength(2));
    expect(await keysAt(`${path}/audit`)).toEqual(["a/1"]);
    expect(await keysAt(`${path}/hook`)).toEqual(["m/1"]);
    expect(JSON.parse((await received(`${path}/audit`))[0]!.body)).toMatchObject({
      v: 1,
      topic: "audit",
      record: { id: 1 },
    });
  });

  it("wait for the first orders, and find those that came before", async () => {
    const { box, path, url } = outbox();
    await take(box, message("early"));
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    await until(async () => expect(await keysAt(path)).toEqual(["early"]));
  });

  it("are those of the newest orders", async () => {
    const { box, path, url } = outbox();
    await box.order(orders({ revision: 2, notify: webhooks({ hook: url }) }));
    await box.order(orders({ revision: 1 }));
    await take(box, message("one"));
    await until(async () => expect(await keysAt(path)).toEqual(["one"]));
  });
});

describe("a message", () => {
  it("is signed so that it verifies with node:crypto", async () => {
    const { box, path, url } = outbox();
    const receivers = { hook: { type: "webhook", url, secret: "secret:SIGNING_SECRET" } };
    await box.order(orders({ notify: { receivers, routes: [{ on: ["kill"], to: ["hook"] }] } }));
    await take(box, message("k", { topic: "kill", sentence: "Grün ist aus ✗" }));
    const [got] = await until(async () => {
      const all = await received(path);
      expect(all).toHaveLength(1);
      return all;
    });
    const { headers, body } = got!;
    const timestamp = headers["x-greenlight-timestamp"];
    const mac = createHmac("sha256", "a-signing-secret").update(`${timestamp}.${body}`).digest("hex");
    expect(headers["x-greenlight-signature"]).toBe(`sha256=${mac}`);
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60);
    expect(JSON.parse(body)).toEqual({
      v: 1,
      key: "k",
      at: expect.any(String),
      topic: "kill",
      severity: "P1",
      flag: "shop",
      release: "2.1.0",
      sentence: "Grün ist aus ✗",
      figures: { requests: 40 },
      percentage: 5,
    });
  });

  it("is taken once by its key, delivered or not, and for 30 days", async () => {
    freeze();
    const { box, path, url } = outbox();
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    const one = message("one");
    expect(await box.take({ messages: [one, one], validations: [] })).toEqual({ stored: ["one", "one"] });
    await until(async () => expect(await waiting(box)).toEqual([]));
    await pass(box, 29 * DAY_MS);
    await take(box, one, message("two"));
    await until(async () => expect(await waiting(box)).toEqual([]));
    expect(await keysAt(path)).toEqual(["one", "two"]);
    vi.setSystemTime(Date.now() + 2 * DAY_MS);
    await evictDurableObject(box);
    await take(box, message("three"));
    await take(box, one);
    await until(async () => expect(await keysAt(path)).toEqual(["one", "two", "three", "one"]));
  });

  it("goes to its receiver in the order of time", async () => {
    const { box, path, url } = outbox();
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    const at = Date.now();
    const numbers = [5, 3, 9, 1, 7];
    await take(box, ...numbers.map((n) => message(`m${n}`, { at: at + n })));
    await until(async () => expect(await keysAt(path)).toEqual(["m1", "m3", "m5", "m7", "m9"]));
  });

  it("is only logged, with its receiver and body, in a dry run: nothing is sent", async () => {
    const info = vi.spyOn(console, "info").mockImplementation(() => undefined);
    const { box, path, url } = outbox();
    const { receivers, routes } = document.notify;
    const notify = {
      receivers: { ...receivers, pagerduty: { ...receivers.pagerduty, url } },
      routes,
      dryRun: true,
    };
    await box.order(orders({ notify }));
    await take(box, message(`${path}/b`, { topic: "breaker" }));
    await until(async () => expect(await waiting(box)).toEqual([]));
    const lines = info.mock.calls.map(([line]) => JSON.parse(String(line)));
    expect(lines).toMatchObject([
      { event: "notification-dry-run", receiver: "oncall", type: "slack", body: { channel: "#oncall" } },
      { receiver: "pagerduty", body: { routing_key: "secret:PAGERDUTY_ROUTING_KEY" } },
    ]);
    expect(await received(path)).toEqual([]);
    expect((await keysAt("/slack/")).filter((key) => key?.startsWith(path))).toEqual([]);
  });
});

describe("a receiver that fails", () => {
  const failures = [
    ["answers 500", { status: 500 }],
    ["answers 429", { status: 429 }],
    ["answers 408", { status: 408 }],
    ["answers 302", { status: 302, headers: { location: "/elsewhere" } }],
    ["resets the connection", "reset"],
    ["resets in the middle of its headers", "reset-in-headers"],
  ] as const;
  it.each(failures)("and %s gets the message again", async (_, failure) => {
    freeze();
    const { box, path, url } = outbox();
    await script(path, failure, { status: 204 });
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    await take(box, message("one"));
    await until(async () => expect(await waiting(box)).toMatchObject([{ attempts: 1 }]));
    await pass(box, 1_000);
    await until(async () => expect(await waiting(box)).toEqual([]));
    expect(await keysAt(path)).toEqual(["one", "one"]);
  });

  it("by refusing connections gets it when it is back", async () => {
    freeze();
    const { box, path, url } = outbox();
    await box.order(orders({ notify: webhooks({ hook: "http://127.0.0.1:1/" }) }));
    await take(box, message("one"));
    await until(async () => expect(await waiting(box)).toMatchObject([{ attempts: 1 }]));
    await box.order(orders({ revision: 2, notify: webhooks({ hook: url }) }));
    await pass(box, 1_000);
    await until(async () => expect(await keysAt(path)).toEqual(["one"]));
  });

  it("in the body of a 2xx has taken the message", async () => {
    const { box, path, url } = outbox();
    await script(path, "reset-in-body");
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    await take(box, message("one"));
    await until(async () => expect(await waiting(box)).toEqual([]));
    expect(await keysAt(path)).toEqual(["one"]);
  });

  it("is left alone for as long as its Retry-After says", async () => {
    freeze();
    const { box, path, url } = outbox();
    await script(path, { status: 429, headers: { "retry-after": "120" } }, { status: 200 });
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    await take(box, message("one"));
    await until(async () => expect(await waiting(box)).toMatchObject([{ attempts: 1 }]));
    await pass(box, 117_000);
    await take(box, message("two"));
    await evictDurableObject(box);
    await pass(box, 1_000);
    expect(await keysAt(path)).toEqual(["one"]);
    await pass(box, 2_000);
    await until(async () => expect(await keysAt(path)).toEqual(["one", "one", "two"]));
  });

  it("by saying 400 is given up at once, loudly", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { box, path, url } = outbox();
    await script(path, { status: 400 });
    const { seen } = await observer(box);
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    await take(box, message("one"));
    await until(() => expect(seen).toHaveLength(1));
    expect(seen).toMatchObject([
      {
        type: "undelivered",
        key: "one",
        receiver: "hook",
        sentence: "given up after 1 try: it answered 400",
      },
    ]);
    expect(JSON.parse(String(error.mock.calls[0]![0]))).toMatchObject({
      event: "delivery-given-up",
      receiver: "hook",
      key: "one",
    });
    expect(await waiting(box)).toEqual([]);
    expect(await keysAt(path)).toEqual(["one"]);
  });

  it("makes no report of a report that did not arrive, and so for ever", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { box, path, url } = outbox();
    await script(path, { status: 410 });
    const { seen } = await observer(box);
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    await take(box, message("one", { topic: "delivery" }), message("two"));
    await until(() => expect(seen.map((o) => o.type === "undelivered" && o.key)).toEqual(["two"]));
    expect(await waiting(box)).toEqual([]);
  });

  it("is tried for a day, and then given up", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    freeze();
    const { box, path, url } = outbox();
    await script(path, { status: 503 });
    const { seen } = await observer(box);
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    await take(box, message("one"));
    await until(async () => expect(await waiting(box)).toMatchObject([{ attempts: 1 }]));
    await pass(box, DAY_MS - 60_000);
    await until(async () => expect(await waiting(box)).toMatchObject([{ attempts: 2 }]));
    expect(seen).toEqual([]);
    await pass(box, 300_000);
    await until(() => expect(seen).toMatchObject([{ type: "undelivered", key: "one" }]));
    expect(await keysAt(path)).toEqual(["one", "one", "one"]);
    expect(await waiting(box)).toEqual([]);
  });

  it("gets it by the outbox's own alarm, without anybody's help", async () => {
    const { box, path, url } = outbox();
    await script(path, { status: 500 }, { status: 200 });
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    await take(box, message("one"));
    await until(async () => expect(await keysAt(path)).toEqual(["one", "one"]));
  });

  it("and is down is asked once a second at most, but at once for what is new", async () => {
    freeze();
    const { box, path, url } = outbox();
    await script(path, { status: 502 });
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    await take(box, ...["a", "b", "c"].map((key) => message(key)));
    const tried = (n: number) => until(async () => expect(await keysAt(path)).toHaveLength(n));
    await tried(3);
    await pass(box, 300_000);
    await tried(4);
    await take(box, message("new"));
    await tried(5);
    expect((await keysAt(path)).at(-1)).toBe("new");
    await until(async () =>
      expect((await waiting(box)).map(({ attempts }) => attempts).sort()).toEqual([1, 1, 1, 2]),
    );
  });

  it("takes no more than two places of those that are well", async () => {
    freeze();
    const { box, path, url } = outbox();
    const failing = ["a", "b", "c"];
    for (const name of failing) await script(`${path}/${name}`, { status: 500 }, "hang");
    const urls = Object.fromEntries([...failing, "good"].map((name) => [name, `${url}/${name}`]));
    await box.order(orders({ notify: webhooks(urls) }));
    await take(box, message("one"));
    await until(async () => expect((await waiting(box)).map(({ attempts }) => attempts)).toEqual([1, 1, 1]));
    await pass(box, 2_000);
    await until(async () => expect(await received(path)).toHaveLength(6));
    await take(box, message("two"));
    await until(async () => expect(await keysAt(`${path}/good`)).toEqual(["one", "two"]));
    expect(await received(path)).toHaveLength(7);
    await abortAllDurableObjects();
  });

  it("with a message that it never takes gets the others", async () => {
    freeze();
    const { box, path, url } = outbox();
    await script(path, { status: 500 }, { status: 200 }, { status: 500 }, { status: 200 });
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    const at = Date.now();
    await take(box, message("poison", { at }), message("two", { at: at + 1 }));
    await until(async () => expect(await keysAt(path)).toEqual(["poison", "two", "poison"]));
    await take(box, message("three", { at: at + 2 }));
    await until(async () =>
      expect((await keysAt(path)).slice(0, 4)).toEqual(["poison", "two", "poison", "three"]),
    );
  });

  it("like six others never keeps a kill from the one that answers", async () => {
    const { box, path, url } = outbox();
    const hanging = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((n) => [n, `${url}/${n}`]));
    for (const name of Object.keys(hanging)) await script(`${path}/${name}`, "hang");
    const { receivers, routes } = webhooks({ ...hanging, good: `${url}/good` }) as {
      receivers: object;
      routes: object[];
    };
    const toAll = [
      { ...routes[0], to: Object.keys(hanging) },
      { on: ["kill"], to: ["good"], severity: "P1" },
    ];
    await box.order(orders({ notify: { receivers, routes: toAll } }));
    await take(box, message("halt", { topic: "halt" }));
    await until(async () => expect((await received(path)).length).toBeGreaterThan(2));
    await take(box, message("kill", { topic: "kill", severity: "P2" }));
    await until(async () => expect(await keysAt(`${path}/good`)).toEqual(["kill"]));
    await abortAllDurableObjects();
  });

  it.each(["hang", "slow-headers"] as const)(
    "by %s never delays the others, and is tried again",
    async (how) => {
      freeze();
      const { box, path, url } = outbox();
      const hanging = ["a", "b"].map((name): [string, string] => [name, `${url}/${name}`]);
      for (const [name] of hanging) await script(`${path}/${name}`, how);
      await box.order(orders({ notify: webhooks({ ...Object.fromEntries(hanging), good: `${url}/good` }) }));
      const keys = Array.from({ length: 20 }, (_, i) => `m${String(i).padStart(2, "0")}`);
      await take(box, ...keys.map((key) => message(key)));
      await until(async () => expect(await keysAt(`${path}/good`)).toEqual(keys));
      for (const [name] of hanging) expect(await keysAt(`${path}/${name}`)).toEqual(["m00"]);
      await abortAllDurableObjects().catch(() => undefined);
    },
  );

  it.each(["hang", "slow-headers"] as const)("by %s for 10 s gets the message again", async (how) => {
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() + 3_600_000 });
    const { box, path, url } = outbox();
    await script(path, how, { status: 200 });
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    await take(box, message("one"));
    await until(async () => expect(await keysAt(path)).toEqual(["one"]));
    await runInDurableObject(box, () => vi.advanceTimersByTimeAsync(10_000));
    await until(async () => expect(await waiting(box)).toMatchObject([{ attempts: 1 }]));
    await pass(box, 1_000);
    await until(async () => expect(await keysAt(path)).toEqual(["one", "one"]));
  });

  it("for want of a secret is told when there is one, and the log names the secret alone", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    freeze();
    const { box, path, url } = outbox();
    const route = { on: ["kill"], to: ["hook"] };
    const hook = { type: "webhook", url: "secret:NOT_THERE" };
    await box.order(orders({ notify: { receivers: { hook }, routes: [route] } }));
    await take(box, message("one", { topic: "kill" }));
    await until(async () => expect(await waiting(box)).toMatchObject([{ attempts: 1 }]));
    expect(JSON.parse(String(warn.mock.calls.at(-1)![0]))).toMatchObject({
      event: "receiver-fails",
      message: "secret:NOT_THERE is not set",
    });
    await box.order(orders({ notify: { receivers: { hook: { type: "webhook", url } }, routes: [route] } }));
    await pass(box, 1_000);
    await until(async () => expect(await keysAt(path)).toEqual(["one"]));
  });

  it("and is taken out of the document is told nothing more", async () => {
    freeze();
    const { box, path, url } = outbox();
    await script(path, { status: 500 });
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    await take(box, message("one"));
    await until(async () => expect(await waiting(box)).toMatchObject([{ attempts: 1 }]));
    await box.order(orders({ revision: 2 }));
    await pass(box, 1_000);
    await until(async () => expect(await waiting(box)).toEqual([]));
    expect(await keysAt(path)).toEqual(["one"]);
  });
});

describe("delivered at least once and doubled only by key", () => {
  const steps = ["stored", "in flight", "failed", "delivered"] as const;
  it.each(steps)("through a crash when the message is %s", async (step) => {
    freeze();
    const { box, again, path, url } = outbox();
    await box.order(orders({ notify: webhooks({ hook: url }) }));
    const one: Message = message("one", { topic: "kill" });
    if (step === "in flight") await script(path, "hang", { status: 200 });
    if (step === "failed") await script(path, { status: 500 }, { status: 200 });
    await take(box, one);
    if (step === "in flight") await until(async () => expect(await keysAt(path)).toEqual(["one"]));
    if (step === "failed")
      await until(async () => expect(await waiting(box)).toMatchObject([{ attempts: 1 }]));
    if (step === "delivered") await until(async () => expect(await waiting(box)).toEqual([]));
    await abortAllDurableObjects();
    await pass(again(), 20_000);
    await until(async () => expect(await waiting(again())).toEqual([]));
    // Whoever did not hear the acknowledgement sends it again.
    await take(again(), one, message("two"));
    await until(async () => expect(await waiting(again())).toEqual([]));
    const keys = await keysAt(path);
    if (step === "in flight" || step === "failed") expect(keys).toEqual(["one", "one", "two"]);
    else
      expect([
        ["one", "two"],
        ["one", "one", "two"],
      ]).toContainEqual(keys);
    if (step === "delivered") expect(keys).toEqual(["one", "two"]);
  });

  it("through crashes again and again, with a receiver that fails half the time", async () => {
    freeze();
    const { again, path, url } = outbox();
    const flaky = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? { status: 500 } : { status: 200 }));
    await script(path, ...flaky, { status: 200 });
    await again().order(orders({ notify: webhooks({ hook: url, other: `${url}/other` }) }));
    const keys = Array.from({ length: 10 }, (_, i) => `m${i}`);
    for (const key of keys) {
      await take(again(), message(key));
      await abortAllDurableObjects();
      await pass(again(), 20_000);
    }
    await until(async () => {
      await pass(again(), 60_000);
      expect(await waiting(again())).toEqual([]);
    });
    expect(new Set(await keysAt(`${path}/other`))).toEqual(new Set(keys));
    const told = (await received(path)).filter((r) => r.path === path);
    expect(new Set(told.map(({ headers }) => headers["idempotency-key"]))).toEqual(new Set(keys));
  });
});

it("the receivers are real", () => expect(RECEIVERS).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/));
