import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { isAdminHost } from "../../src/admin/hosts.ts";

const TOKEN = "test-token-0123456789abcdef";
const base = "http://localhost/_greenlight/api";

let addresses = 0;

/** Asks from an address of its own: wrong tokens slow their address. */
function call(path: string, init: RequestInit & { token?: string | null } = {}): Promise<Response> {
  const { token = TOKEN, ...rest } = init;
  const headers = new Headers(rest.headers);
  headers.set("cf-connecting-ip", `192.0.2.${++addresses}`);
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  return exports.default.fetch(`${base}${path}`, { ...rest, headers });
}
const document = (percentage: number) =>
  JSON.stringify({
    flags: {
      checkout: {
        state: "canary",
        percentage,
        route: { hosts: ["shop.example.com"], blue: "http://blue.test", green: "http://green.test" },
      },
    },
  });

describe("the admin API", () => {
  it.each(["/status", "/audit", "/nothing"])("answers nothing on %s without the token", async (path) => {
    for (const token of [null, "wrong", `${TOKEN}x`, ""]) {
      const response = await call(path, { token });
      expect(response.status).toBe(401);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(await response.text()).not.toContain(TOKEN);
    }
  });

  it("says what is wrong with a request, and what to do", async () => {
    const put = (body: string, headers: Record<string, string> = { "if-match": "*" }) =>
      call("/document", { method: "PUT", body, headers });
    expect((await put(document(10))).status).toBe(200);
    const post = (path: string, body?: string, headers: Record<string, string> = {}) =>
      call(path, { method: "POST", headers, ...(body !== undefined && { body }) });
    const pause = (body: string, headers?: Record<string, string>) =>
      post("/flags/checkout/pause", body, headers);
    const answers: [Promise<Response>, number, string][] = [
      [call("/nothing"), 404, "not-found"],
      [call("/flags/checkout", { method: "POST" }), 405, "method-not-allowed"],
      [call("/status", { method: "OPTIONS" }), 405, "method-not-allowed"],
      [pause("{"), 400, "bad-request"],
      [pause('{"reason": "a", "reason": "b"}'), 400, "bad-request"],
      [pause('{"__proto__": {}}'), 400, "bad-request"],
      [pause('"["'.repeat(1)), 400, "bad-request"],
      [pause(`{"by": ${"[".repeat(500)}${"]".repeat(500)}}`), 400, "bad-request"],
      [pause("{}", { "content-type": "application/xml" }), 415, "unsupported-media-type"],
      [pause("{}", { "idempotency-key": "x".repeat(256) }), 400, "bad-request"],
      [pause("{}", { "if-match": "no-quotes" }), 400, "bad-request"],
      [pause("{}", { "if-match": '"another"' }), 412, "precondition-failed"],
      [post("/flags/checkout/resume"), 409, "not-halted"],
      [post("/flags/nobody/pause"), 404, "unknown-flag"],
      [post("/flags/no%20name/pause"), 400, "bad-request"],
      [call("/audit?limit=x"), 400, "bad-request"],
      [put("x", { "if-match": "7" }), 400, "bad-request"],
      [put("x".repeat(1_200_000)), 413, "too-large"],
      [call("/pull"), 409, "no-pull"],
    ];
    for (const [answer, status, type] of answers) {
      const response = await answer;
      const text = await response.text();
      const body = JSON.parse(text) as Record<string, unknown>;
      expect(body).toMatchObject({
        type: `urn:greenlight:problem:${type}`,
        status,
        title: expect.any(String),
      });
      expect(response.status).toBe(status);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(String(body.detail).length).toBeGreaterThan(10);
      expect(text).not.toMatch(/blue\.test|test-token|\.ts:\d/);
      if (status === 400)
        expect(body.faults).toMatchObject([{ path: expect.any(String), expected: expect.any(String) }]);
    }
    expect((await call("/flags/checkout", { method: "POST" })).headers.get("allow")).toBe(
      "DELETE, GET, HEAD, PATCH, PUT",
    );
  });

  it("takes a body that curl calls a form, one without a type, and none", async () => {
    const start = (init: RequestInit) => call("/flags/checkout/pause", { method: "POST", ...init });
    for (const type of [
      "application/x-www-form-urlencoded",
      "text/plain",
      "application/json; charset=utf-8",
    ]) {
      const answer = await start({ body: '{"reason": "lunch"}', headers: { "content-type": type } });
      expect([200, 409]).toContain(answer.status);
    }
    expect([200, 409]).toContain((await start({})).status);
  });

  it("says who asks, describes itself, and has a page to try it that holds nothing and runs nothing of others", async () => {
    expect(await (await call("/whoami")).json()).toEqual({ name: "test-admin", role: "admin", by: "token" });
    expect(await (await call("/openapi.json")).json()).toMatchObject({ openapi: "3.1.0" });
    const page = await call("/docs", { token: null });
    expect(page.status).toBe(200);
    const policy = page.headers.get("content-security-policy")!;
    expect(policy).toMatch(/^default-src 'none'; script-src 'nonce-[\w-]+'; /);
    const text = await page.text();
    expect(text).not.toMatch(/https?:|checkout/);
    expect((await exports.default.fetch("http://shop.example.com/_greenlight/api/docs")).status).toBe(404);
  });

  it("is not there on a host that a route names, nor on one that is no admin host", async () => {
    for (const host of ["shop.example.com", "evil.example.com"]) {
      const response = await exports.default.fetch(`http://${host}/_greenlight/api/status`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      expect(response.status).toBe(404);
    }
  });

  it("is never forwarded in disguise", async () => {
    for (const path of [
      "/%5fgreenlight/api/status",
      "//_greenlight/api/status",
      "/x/..%2f_greenlight/health",
    ]) {
      expect((await exports.default.fetch(`http://shop.example.com${path}`)).status).toBe(404);
    }
  });
});

describe("admin hosts", () => {
  it("are localhost and workers.dev, or exactly those configured", () => {
    expect(isAdminHost("localhost", [], false)).toBe(true);
    expect(isAdminHost("greenlight.team.workers.dev", [], false)).toBe(true);
    expect(isAdminHost("workers.dev.example.com", [], false)).toBe(false);
    expect(isAdminHost("ops.example.com", ["ops.example.com", "other.example.com"], false)).toBe(true);
    expect(isAdminHost("localhost", ["ops.example.com"], false)).toBe(false);
    expect(isAdminHost("ops.example.com", ["ops.example.com"], true)).toBe(false);
  });
});

it("the admin API is shut while no token is set", async () => {
  const { handleAdmin } = await import("../../src/admin/app.ts");
  const { createExecutionContext } = await import("cloudflare:test");
  for (const token of [undefined, "", "short"]) {
    const shut = { ...env, ADMIN_TOKENS: token } as Env;
    const request = new Request(`${base}/status`, { headers: { authorization: `Bearer ${token}` } });
    expect((await handleAdmin(request, shut, createExecutionContext())).status).toBe(403);
  }
});
