/** Promises about how the source of a pull is asked, against a real one. */
import { expect, test } from "vitest";
import { type PullSettings, pullIntervalMs, pullPlace, pullSettings } from "../../src/admin/pull-settings.ts";
import { askSource } from "../../src/admin/pull-source.ts";
import { RECEIVERS, received, script } from "../control/outbox-parts.ts";
import type { Behaviour } from "../support/receivers.ts";

const env = (vars: Record<string, unknown>) => vars as unknown as Env;

/** Settings of a source that answers like this. */
async function source(vars: Record<string, string>, ...behaviours: Behaviour[]) {
  const path = `/${crypto.randomUUID()}`;
  await script(path, ...behaviours);
  const settings = pullSettings(env({ PULL_URL: RECEIVERS + path, ...vars }));
  if ("fault" in settings) throw new Error(settings.fault);
  return { settings, path };
}

test("it is told who we are and what we have, by headers and secrets", async () => {
  const headers = '{ "apikey": "secret:SUPABASE_KEY", "accept-profile": "ops" }';
  const vars = { PULL_HEADERS: headers, SUPABASE_KEY: "sb-key", PULL_AUTHORIZATION: "Bearer sb-key" };
  const { settings, path } = await source(
    vars,
    { status: 200, body: "[]", headers: { etag: '"v1"' } },
    { status: 304 },
  );
  expect(await askSource(settings, null)).toEqual({ kind: "text", text: "[]", etag: '"v1"' });
  expect(await askSource(settings, '"v1"')).toEqual({ kind: "same" });
  const [first, second] = await received(path);
  expect(first?.headers).toMatchObject({
    apikey: "sb-key",
    "accept-profile": "ops",
    authorization: "Bearer sb-key",
    accept: "application/json",
  });
  expect(first?.headers).not.toHaveProperty("if-none-match");
  expect(second?.headers).toHaveProperty("if-none-match", '"v1"');
});

const largest = "x".repeat(1_048_576);

test.each<[string, Behaviour, string]>([
  ["an error", { status: 500, body: "key=secret" }, "it answered 500"],
  ["a part", { status: 206, body: "[]" }, "it answered 206"],
  ["a 304 that nobody asked for", { status: 304 }, "it answered 304"],
  ["too much", { status: 200, body: `${largest}x` }, "its answer has more than 1048576 bytes (1 MB)"],
  ["a cut connection", "reset", "no connection"],
  ["half of the answer", "reset-in-body", "no connection"],
  ["nothing", "hang", "no whole answer within 0.2 s"],
  ["headers without an end", "slow-headers", "no whole answer within 0.2 s"],
])("%s is a fault in words of our own", async (_, behaviour, fault) => {
  const { settings } = await source({}, behaviour);
  expect(await askSource(settings, null, 200)).toEqual({ kind: "fault", fault });
});

test("1 MB is not too much", async () => {
  const { settings } = await source({}, { status: 200, body: largest });
  expect(await askSource(settings, null)).toMatchObject({ kind: "text", text: largest });
});

test("what lets us in goes nowhere else: with it redirects are not followed", async () => {
  const elsewhere = `/${crypto.randomUUID()}`;
  await script(elsewhere, { status: 200, body: "[1]" });
  const to: Behaviour = { status: 302, headers: { location: RECEIVERS + elsewhere } };
  const open = await source({}, to);
  expect(await askSource(open.settings, null)).toMatchObject({ text: "[1]" });
  const shut = await source({ PULL_AUTHORIZATION: "Bearer key" }, to);
  expect(await askSource(shut.settings, null)).toEqual({
    kind: "fault",
    fault: "it answered 302: redirects are not followed",
  });
  expect(await received(elsewhere)).toHaveLength(1);
});

test.each<[Record<string, unknown>, string]>([
  [{ PULL_URL: "ftp://x.test" }, "PULL_URL is not an http(s) URL"],
  [{ PULL_URL: "https://ann:pass@x.test" }, "secret PULL_AUTHORIZATION"],
  [{ PULL_FORMAT: "xml" }, "PULL_FORMAT is none of auto, greenlight"],
  [{ PULL_PATH: "$..flags" }, "PULL_PATH is no query"],
  [{ PULL_HEADERS: "apikey: pass" }, "PULL_HEADERS is not a JSON object of texts"],
  [{ PULL_HEADERS: '{ "apikey": 1 }' }, "PULL_HEADERS is not a JSON object of texts"],
  [{ PULL_HEADERS: '{ "apikey": "secret:NOT_THERE" }' }, "secret:NOT_THERE of PULL_HEADERS is not set"],
  [{ PULL_HEADERS: '{ "apikey": "secret:ADMIN_TOKENS" }', ADMIN_TOKENS: "pass" }, "is not set"],
  [{ PULL_HEADERS: '{ "a b": "pass" }' }, "PULL_HEADERS has something that is no header"],
  [{ PULL_AUTHORIZATION: "pass\nword" }, "PULL_AUTHORIZATION is not the text of a header"],
])("settings that cannot be are told, and no secret with them: %j", (vars, words) => {
  const settings = pullSettings(env({ PULL_URL: "https://x.test/flags", ...vars }));
  expect(settings).toEqual({ fault: expect.stringContaining(words) });
  expect(JSON.stringify(settings)).not.toMatch(/pass\b/);
});

test("headers may be an object in wrangler.toml", () => {
  const settings = pullSettings(env({ PULL_URL: "https://x.test", PULL_HEADERS: { apikey: "k" } }));
  expect((settings as PullSettings).headers).toEqual({ apikey: "k" });
});

test("a pull is shown by host and path, for the query may hold a key", () => {
  expect(pullPlace(env({ PULL_URL: "https://x.test/rest/v1/flags?apikey=pass" }))).toBe(
    "x.test/rest/v1/flags",
  );
});

test("it comes once a minute at most, and once a day at least", () => {
  const of = (seconds?: string) => pullIntervalMs(env({ PULL_INTERVAL_SECONDS: seconds }));
  expect([of(), of("5"), of("300"), of("100000"), of("often")]).toEqual([
    60_000, 60_000, 300_000, 60_000, 60_000,
  ]);
});
