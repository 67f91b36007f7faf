/** Promises about the scheduled pull, against a source over HTTP and the real controller. */
import { reset, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { pullNow, pullView, pullWhenDue } from "../../src/admin/pull.ts";
import { pullHealth } from "../../src/admin/pull-health.ts";
import { RECEIVERS, received, script } from "../control/outbox-parts.ts";
import { bindings, controller, withSpec } from "../control/parts.ts";
import type { Behaviour } from "../support/receivers.ts";

const route = { hosts: ["shop.test"], blue: "http://blue.test", green: "http://green.test" };
const DOCUMENT = `{
  "flags": {
    "planner_v2_enabled": { "state": "canary",  "percentage": 5, "route": ${JSON.stringify(route)} },
    "other":   { "state": "on" }
  }
}`;

/** Rows of the table, as PostgREST answers them. */
const rows = (percentage: number, more: object = {}) =>
  JSON.stringify([
    {
      name: "planner_v2",
      payload: { planner_v2_enabled_pct: percentage, notes: "Watch quote latency.", ...more },
    },
  ]);
const good = (body: string, etag?: string): Behaviour => ({
  status: 200,
  body,
  headers: { "content-type": "application/json", ...(etag && { etag }) },
});

/** A Worker that pulls from a source of its own. */
async function pulling(vars: Record<string, string>, ...behaviours: Behaviour[]) {
  const path = `/rest/v1/${crypto.randomUUID()}?select=*&apikey=pass`;
  await script(path, ...behaviours);
  const env = { ...bindings, PULL_URL: RECEIVERS + path, PULL_FORMAT: "ecotrips", ...vars } as Env;
  return { env, path, answers: (...next: Behaviour[]) => script(path, ...next) };
}

const textNow = async () => (await controller().document())?.text;
const percentageNow = async () => (await controller().spec("planner_v2_enabled"))?.flag?.percentage;
const pulls = () => controller().audit({ limit: 50, who: "pull", action: "adopt" });

beforeEach(async () => {
  const put = { text: DOCUMENT, ifMatch: "*", who: "ann", how: "api", reason: "" } as const;
  expect(await controller().putDocument(put)).toMatchObject({ ok: true });
});

describe("a table that is edited elsewhere", () => {
  test("is merged into the document; what it does not speak of stays to the last space", async () => {
    const { env } = await pulling({}, good(rows(45), '"v1"'));
    const view = await pullNow(env);
    expect(view).toMatchObject({ format: "ecotrips", fault: null, failingSince: null });
    expect(view?.url).toMatch(/^127\.0\.0\.1:\d+\/rest\/v1\/[\w-]+$/);
    expect(view?.changedAt).toBeGreaterThan(0);
    expect(await controller().spec("planner_v2_enabled")).toMatchObject({
      flag: { percentage: 45, notes: "Watch quote latency.", route },
    });
    expect(await textNow()).toContain('"other":   { "state": "on" }');
    expect(await pulls()).toMatchObject([{ who: "pull", how: "api" }]);
    expect(await pullView(env)).toEqual(view);
  });

  test("changes nothing while it answers 304, or the same again", async () => {
    const { env, path } = await pulling({}, good(rows(45), '"v1"'), { status: 304 }, good(rows(45), '"v2"'));
    const first = await pullNow(env);
    await controller().editFlag({
      flag: "planner_v2_enabled",
      edit: { kind: "patch", value: { percentage: 20 } },
      ifMatch: "*",
      who: "ann",
      how: "api",
      reason: "",
    });
    for (const _ of [1, 2]) {
      const again = await pullNow(env);
      expect(again).toMatchObject({ fault: null, changedAt: first?.changedAt });
      expect(await percentageNow()).toBe(20);
    }
    const asked = await received(path);
    expect(asked.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"v1"', '"v1"']);
  });

  test("that says nothing new writes nothing", async () => {
    const { env } = await pulling({}, good(rows(45)), good(` ${rows(45)}`));
    const first = await pullNow(env);
    const before = await controller().document();
    expect(await pullNow(env)).toMatchObject({ fault: null, changedAt: first?.changedAt });
    expect(await controller().document()).toEqual(before);
  });

  test("is read anew when it is to be understood in another way", async () => {
    const { env } = await pulling({}, good(rows(45), '"v1"'));
    await pullNow(env);
    const asked = { ...env, PULL_PATH: "$[0]" } as Env;
    expect(await pullNow(asked)).toMatchObject({ fault: null });
    expect((await received(new URL(env.PULL_URL!).pathname)).at(-1)?.headers).not.toHaveProperty(
      "if-none-match",
    );
  });

  test("tells what of it has no counterpart here", async () => {
    const { env } = await pulling({}, good(rows(45, { budget: { weekly: 3 } })));
    expect((await pullNow(env))?.losses.join()).toContain("budget");
  });

  test("never lifts a halt", async () => {
    await controller().command({
      flag: "planner_v2_enabled",
      command: { name: "rollback", mode: "kill" },
      who: "ann",
      how: "api",
      reason: "it burns",
    });
    expect((await controller().status()).halts).toHaveLength(1);
    const { env } = await pulling({}, good(rows(100)));
    expect(await pullNow(env)).toMatchObject({ fault: null });
    expect((await controller().status()).halts).toHaveLength(1);
    expect(await controller().spec("planner_v2_enabled")).toMatchObject({ served: 0 });
  });

  test("is brought in beside a flag with faults, which is none of its business", async () => {
    await reset();
    await withSpec(DOCUMENT.replace('"on"', '"onn"'));
    const { env } = await pulling({}, good(rows(30)));
    expect(await pullNow(env)).toMatchObject({ fault: null });
    expect(await percentageNow()).toBe(30);
    expect(await textNow()).toContain('"other":   { "state": "onn" }');
  });

  test.each(["{ not JSON", "[]", '{ "flags": [] }'])(
    "finds %s where the document was, says so, and goes on once that is mended",
    async (text) => {
      await reset();
      await withSpec(text);
      const { env } = await pulling({}, good(rows(30)));
      const view = await pullNow(env);
      expect(view?.fault).toContain("the document cannot be changed");
      expect(view?.failingSince).toBeGreaterThan(0);
      const put = { text: DOCUMENT, ifMatch: "*", who: "ann", how: "api", reason: "" } as const;
      expect(await controller().putDocument(put)).toMatchObject({ ok: true });
      expect(await pullNow(env)).toMatchObject({ fault: null });
      expect(await percentageNow()).toBe(30);
    },
  );

  test("may be a part of a larger answer, and a document of our own, which replaces the whole", async () => {
    const whole = { data: { flags: { only: { state: "on" } } } };
    const vars = { PULL_FORMAT: "greenlight", PULL_PATH: "$.data" };
    const { env } = await pulling(vars, good(JSON.stringify(whole)));
    expect(await pullNow(env)).toMatchObject({ fault: null, format: "greenlight" });
    expect(JSON.parse((await textNow())!)).toEqual({ flags: { only: { state: "on" } } });
  });
});

describe("whatever goes wrong", () => {
  test.each<[string, Record<string, string>, Behaviour, string]>([
    ["an error", {}, { status: 500 }, "it answered 500"],
    ["no connection", {}, "reset", "no connection"],
    ["garbage", {}, good("<html>pass</html>"), "its answer is not JSON: line 1, column 1"],
    ["a key twice", {}, good('[{"a_pct": 1, "a_pct": 2}]'), "stands twice"],
    ["an empty list", {}, good("[]"), "no flag"],
    [
      "nothing at the place",
      { PULL_PATH: "$.rows" },
      good(rows(9)),
      "its answer has nothing where PULL_PATH says",
    ],
    ["another format", { PULL_FORMAT: "canary-plan" }, good(rows(9)), "not the shape of canary-plan"],
    [
      "an error as JSON",
      { PULL_FORMAT: "orca-env" },
      good('{"message":"expired"}'),
      "not the shape of orca-env",
    ],
    ["an error of an unknown format", { PULL_FORMAT: "auto" }, good('{"message":"expired"}'), "PULL_FORMAT"],
    [
      "a document with faults",
      { PULL_FORMAT: "greenlight" },
      good('{"flags":{"a":{"state":"of"}}}'),
      "flags.a.state",
    ],
    ["an empty document", { PULL_FORMAT: "greenlight" }, good('{"flags":{}}'), "no flag"],
    ["settings that cannot be", { PULL_HEADERS: "apikey" }, good(rows(9)), "PULL_HEADERS"],
  ])("%s keeps what was pulled last", async (_, vars, behaviour, words) => {
    const { env } = await pulling(vars, behaviour);
    const before = await controller().document();
    const view = await pullNow(env);
    expect(view?.fault).toContain(words);
    expect(JSON.stringify(view)).not.toContain("pass");
    expect(view?.failingSince).toBeGreaterThan(0);
    expect(await controller().document()).toEqual(before);
  });

  test("is told since when, in health too, until it goes well again, and once in the log", async () => {
    const { env, answers } = await pulling({}, good(rows(45), '"v1"'), { status: 500 });
    const first = await pullNow(env);
    // The log keeps quiet about the same event for some seconds.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    const warn = vi.spyOn(console, "warn").mockReturnValue(undefined);
    const failing = await pullNow(env);
    expect(failing).toMatchObject({ goodAt: first?.goodAt, failingSince: Date.now() });
    vi.setSystemTime(Date.now() + 60_000);
    const still = await pullNow(env);
    expect(still?.failingSince).toBe(failing?.failingSince);
    expect(await pullHealth(env, Date.now())).toEqual({ failingSince: failing?.failingSince });
    expect((await controller().status()).pull).toBeNull();
    await runInDurableObject(controller(), (instance) => {
      const own = instance as unknown as { env: Env };
      own.env = { ...own.env, PULL_URL: env.PULL_URL! };
    });
    expect((await controller().status()).pull).toEqual({ failingSince: failing?.failingSince });
    expect(warn.mock.calls.filter(([line]) => String(line).includes("pull-failing"))).toHaveLength(1);
    await answers(good(rows(50)));
    expect(await pullNow(env)).toMatchObject({ fault: null, failingSince: null });
    expect(await percentageNow()).toBe(50);
    warn.mockRestore();
    vi.useRealTimers();
  });

  test("an empty source is taken for what it is only where that is said", async () => {
    const vars = { PULL_FORMAT: "greenlight", PULL_ALLOW_EMPTY: "true" };
    const { env } = await pulling(vars, good('{ "flags": {} }'));
    expect(await pullNow(env)).toMatchObject({ fault: null });
    expect(await textNow()).toBe('{ "flags": {} }');
  });
});

describe("others who write at the same time", () => {
  test("two pulls at once are one change", async () => {
    const { env } = await pulling({}, good(rows(45), '"v1"'));
    const before = (await pulls()).length;
    const views = await Promise.all([pullNow(env), pullNow(env)]);
    expect(views.map((view) => view?.fault)).toEqual([null, null]);
    expect(await percentageNow()).toBe(45);
    expect(await pulls()).toHaveLength(before + 1);
  });

  test("an answer that took its time does not go over what was written meanwhile", async () => {
    const { env, path } = await pulling({}, good(rows(45)));
    const putDocument = async (text: string) =>
      controller().putDocument({ text, ifMatch: "*", who: "ann", how: "api", reason: "" });
    const fetching = globalThis.fetch;
    const spy = vi.spyOn(globalThis, "fetch").mockImplementationOnce(async (...given) => {
      const answer = await fetching(...given);
      await putDocument(DOCUMENT.replace('"on"', '"off"'));
      return answer;
    });
    expect(await pullNow(env)).toMatchObject({ fault: null });
    spy.mockRestore();
    expect(await textNow()).toContain('"other":   { "state": "off" }');
    expect(await percentageNow()).toBe(45);
    expect(await received(path)).toHaveLength(2);
  });
});

describe("the clock", () => {
  test("pulls when it is time, and not before", async () => {
    const { env, path } = await pulling({ PULL_INTERVAL_SECONDS: "300" }, good(rows(45), '"v1"'));
    const { triedAt } = (await pullNow(env))!;
    await pullWhenDue(env, triedAt + 240_000);
    expect(await received(path)).toHaveLength(1);
    await pullWhenDue(env, triedAt + 299_000);
    expect(await received(path)).toHaveLength(2);
  });

  test("does nothing where no pull is set up", async () => {
    const env = { CONTROLLER: undefined } as unknown as Env;
    await pullWhenDue(env, Date.now());
    expect([await pullView(env), await pullNow(env), await pullHealth(env, 0)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
