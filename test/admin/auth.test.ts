import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { exportSPKI, importJWK, type JWTPayload, SignJWT } from "jose";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type AuthResult, authenticate, guard, mayDo, refusal, whoOf } from "../../src/admin/auth.ts";
import { hashToken, ROLES, type Role, tokenLine } from "../../src/core/auth/tokens.ts";
import { TOKENS } from "../support/tokens.ts";
import { AUDIENCE, type SigningKey, signingKey, Team } from "./access-parts.ts";

const URL_ = "https://ops.example.com/_greenlight/api/status";
let addresses = 0;

/** Asks from an address of its own, so that no test slows another. */
function ask(headers: Record<string, string>, vars: Partial<Env> = {}, method = "GET"): Promise<AuthResult> {
  const address = { "cf-connecting-ip": `192.0.2.${++addresses}` };
  const request = new Request(URL_, { method, headers: { ...address, ...headers } });
  return authenticate(request, { ...env, ADMIN_TOKEN: "", ...vars } as Env, createExecutionContext());
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const line = (token: string, role: Role, expires?: number) =>
  tokenLine({ name: role, role, sha256: hashToken(token), expires });
const refused = (reason: string) => expect.objectContaining({ ok: false, reason });

afterEach(() => vi.restoreAllMocks());

describe("a bearer token", () => {
  it.each(ROLES)("lets in the %s whose it is, by name", async (role) => {
    const principal = { name: `test-${role}`, role, by: "token" };
    expect(await ask(bearer(TOKENS[role]))).toEqual({ ok: true, principal });
  });

  it("lets the old and the new one in while one follows the other, and the old one no longer at its end", async () => {
    const [old, next] = ["the-old-token-0123", "the-new-token-0123"];
    const both = (expires: number) => `${line(old, "admin", expires)}\n${line(next, "admin")}`;
    for (const token of [old, next])
      expect((await ask(bearer(token), { ADMIN_TOKENS: both(Date.now() + 60_000) })).ok).toBe(true);
    expect(await ask(bearer(old), { ADMIN_TOKENS: both(Date.now()) })).toEqual(refused("expired"));
    expect((await ask(bearer(next), { ADMIN_TOKENS: both(Date.now()) })).ok).toBe(true);
  });

  it.each([
    "wrong",
    `${TOKENS.admin}x`,
    TOKENS.admin.slice(0, -1),
    hashToken(TOKENS.admin),
    "a".repeat(5000),
  ])("that is wrong lets nobody in: %s", async (token) =>
    expect(await ask(bearer(token))).toEqual(refused("unauthorized")),
  );

  it("of fewer than 16 characters lets nobody in, even where its hash is known", async () => {
    expect(await ask(bearer("short"), { ADMIN_TOKENS: line("short", "admin") })).toEqual(
      refused("unauthorized"),
    );
  });

  it("that is not there costs nothing: the page may be opened as often as one likes", async () => {
    const from = { "cf-connecting-ip": "198.51.100.9" };
    const results = await Promise.all(Array.from({ length: 30 }, () => ask(from)));
    expect(results).toEqual(results.map(() => refused("unauthorized")));
  });
});

describe("without any token", () => {
  it.each(["", "   ", "no line", `zoe:boss:${"a".repeat(64)}`])("the API is shut: %j", async (text) => {
    const result = await ask(bearer(TOKENS.admin), { ADMIN_TOKENS: text });
    expect(result).toEqual(refused("shut"));
    expect(result.ok ? "" : result.detail).not.toContain("zoe");
  });

  it("it says that the variable of former versions is no longer read, and logs it once", async () => {
    const warn = vi.spyOn(console, "warn");
    const vars = { ADMIN_TOKENS: "", ADMIN_TOKEN: "a-former-token-0123" };
    for (let i = 0; i < 3; i++) {
      const result = await ask(bearer("a-former-token-0123"), vars);
      const answer = result.ok ? undefined : refusal(result);
      expect(answer?.status).toBe(403);
      const text = await answer?.text();
      expect(text).toContain("ADMIN_TOKEN is no longer read");
      expect(text).not.toContain("a-former-token-0123");
    }
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls)).not.toContain("a-former-token-0123");
  });
});

describe("who fails", () => {
  const from = (address: string) => ({ "cf-connecting-ip": address });

  it("waits for the answer, and after ten within a minute is told to come later; a valid token still gets in", async () => {
    const began = Date.now();
    expect(await ask({ ...from("203.0.113.7"), ...bearer("wrong") })).toEqual(refused("unauthorized"));
    expect(Date.now() - began).toBeGreaterThanOrEqual(95);
    for (let i = 0; i < 9; i++) guard.attempts.failed("203.0.113.7", Date.now());
    const result = await ask({ ...from("203.0.113.7"), ...bearer("wrong") });
    const answer = result.ok ? undefined : refusal(result);
    expect(answer?.status).toBe(429);
    expect(Number(answer?.headers.get("retry-after"))).toBeGreaterThan(50);
    expect((await ask({ ...from("203.0.113.7"), ...bearer(TOKENS.viewer) })).ok).toBe(true);
    expect(await ask({ ...from("203.0.113.8"), ...bearer("wrong") })).toEqual(refused("unauthorized"));
  });

  it("is logged by address, path, reason and count, never with what was given", async () => {
    const warn = vi.spyOn(console, "warn");
    await ask({ ...from("2001:db8::7"), ...bearer("a-guess-of-a-token") });
    expect(warn).toHaveBeenCalledTimes(1);
    const [text] = warn.mock.calls[0] as [string];
    expect(JSON.parse(text)).toEqual({
      level: "warn",
      event: "auth-failed",
      address: "2001:db8:0:0::/64",
      path: "/_greenlight/api/status",
      reason: "unauthorized",
      count: 1,
      refused: expect.any(Number),
    });
  });
});

describe("Cloudflare Access", () => {
  let key: SigningKey;
  let team: Team;
  let vars: Partial<Env>;
  beforeAll(async () => {
    [key, team] = [await signingKey("k1"), new Team()];
    await team.keys(key);
    const ACCESS_ROLES =
      "alice@example.com:admin *@example.com:viewer group:ops:operator bot.access:operator";
    vars = {
      ADMIN_HOSTS: "ops.example.com",
      ACCESS_TEAM: team.url,
      ACCESS_AUD: `other ${AUDIENCE}`,
      ACCESS_ROLES,
    };
  });
  const assert = async (claims: JWTPayload, method = "GET", headers: Record<string, string> = {}) =>
    ask({ "cf-access-jwt-assertion": await team.assertion(key, claims), ...headers }, vars, method);

  it.each([
    [{}, "alice@example.com", "admin"],
    [{ email: "carol@example.com" }, "carol@example.com", "viewer"],
    [{ email: "dave@elsewhere.org", custom: { groups: ["ops"] } }, "dave@elsewhere.org", "operator"],
    [{ email: undefined, sub: "", common_name: "bot.access" }, "bot.access", "operator"],
    [{ aud: AUDIENCE }, "alice@example.com", "admin"],
    [{ exp: Math.floor(Date.now() / 1000) - 10 }, "alice@example.com", "admin"],
  ])("lets in whom it vouches for: %j", async (claims, name, role) => {
    expect(await assert(claims)).toEqual({ ok: true, principal: { name, role, by: "access" } });
  });

  it("works on a custom host without any token, and beside tokens", async () => {
    const headers = { "cf-access-jwt-assertion": await team.assertion(key) };
    expect((await ask(headers, { ...vars, ADMIN_TOKENS: "" })).ok).toBe(true);
    expect(await ask({ ...headers, ...bearer(TOKENS.viewer) }, vars)).toMatchObject({
      principal: { name: "test-viewer", by: "token" },
    });
  });

  it.each([
    ["another audience", { aud: ["another"] }, "unauthorized"],
    ["no audience", { aud: undefined }, "unauthorized"],
    ["another issuer", { iss: "https://evil.cloudflareaccess.com" }, "unauthorized"],
    ["no end", { exp: undefined }, "unauthorized"],
    ["an end that is past", { exp: Math.floor(Date.now() / 1000) - 40 }, "expired"],
    ["a beginning to come", { nbf: Math.floor(Date.now() / 1000) + 90 }, "unauthorized"],
    ["nobody in it", { email: undefined }, "unauthorized"],
    ["somebody without a role", { email: "eve@elsewhere.org" }, "forbidden"],
  ] as [string, JWTPayload, string][])("refuses an assertion with %s", async (_, claims, reason) => {
    expect(await assert(claims)).toEqual(refused(reason));
  });

  it("refuses what no key of the team has signed: none, the public key as a secret, another key of that name", async () => {
    const encode = (value: object) =>
      btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const good = await team.assertion(key);
    const [, payload, signature] = good.split(".");
    const none = `${encode({ alg: "none", kid: "k1" })}.${payload}.`;
    const spki = await exportSPKI((await importJWK(key.jwk, "RS256", { extractable: true })) as CryptoKey);
    const hmac = await new SignJWT(JSON.parse(atob(payload!.replaceAll("-", "+").replaceAll("_", "/"))))
      .setProtectedHeader({ alg: "HS256", kid: "k1" })
      .sign(new TextEncoder().encode(spki));
    const impostor = await team.assertion(await signingKey("k1"));
    const elliptic = await team.assertion(await signingKey("k1", "ES256"));
    const changed = `${good.split(".")[0]}.${encode({ email: "alice@example.com", aud: AUDIENCE })}.${signature}`;
    const unknown = await team.assertion(await signingKey("k2", "ES256"));
    const garbage = ["x", "..", "a.b.c", `${"a".repeat(9000)}.b.c`];
    const all = [none, hmac, impostor, elliptic, changed, unknown, ...garbage];
    const results = all.map((assertion) => ask({ "cf-access-jwt-assertion": assertion }, vars));
    expect(await Promise.all(results)).toEqual(all.map(() => refused("unauthorized")));
  });

  it("says to try again where the keys cannot be had, and counts that against nobody", async () => {
    const away = new Team();
    await away.serve({ status: 500 });
    const failed = vi.spyOn(guard.attempts, "failed");
    const headers = { "cf-access-jwt-assertion": await away.assertion(key) };
    const result = await ask(headers, { ...vars, ACCESS_TEAM: away.url });
    expect(result.ok ? 200 : refusal(result).status).toBe(503);
    expect(failed).not.toHaveBeenCalled();
  });

  it("takes the cookie for reads alone", async () => {
    const cookie = `a=b; CF_Authorization=${await team.assertion(key)}; c=d`;
    expect((await ask({ cookie }, vars)).ok).toBe(true);
    expect(await ask({ cookie }, vars, "POST")).toEqual(refused("unauthorized"));
  });

  it("lets no page of another origin write with what the browser adds by itself", async () => {
    const origin = (from: string) => ({ origin: from });
    for (const from of ["https://shop.example.com", "http://ops.example.com", "null"])
      expect(await assert({}, "POST", origin(from))).toEqual(refused("cross-origin"));
    expect((await assert({}, "POST", origin("https://ops.example.com"))).ok).toBe(true);
    expect((await assert({}, "DELETE")).ok).toBe(true);
    expect((await assert({}, "GET", origin("https://shop.example.com"))).ok).toBe(true);
  });

  it.each([
    [{ ACCESS_TEAM: "acme", ACCESS_AUD: AUDIENCE }, "ADMIN_HOSTS"],
    [{ ACCESS_TEAM: "acme" }, "ACCESS_AUD"],
    [{ ACCESS_AUD: AUDIENCE }, "ACCESS_TEAM"],
    [{ ACCESS_TEAM: "http://acme.example.com", ACCESS_AUD: AUDIENCE }, "ACCESS_TEAM"],
  ])("is not set up by halves: %j is shut, and says what is missing", async (some, missing) => {
    const result = await ask({}, { ADMIN_TOKENS: "", ...some });
    expect(result).toEqual(refused("shut"));
    expect(result.ok ? "" : result.detail).toContain(missing);
  });
});

describe("roles", () => {
  it.each([
    ["reporter", ["reporter"]],
    ["viewer", ["viewer"]],
    ["operator", ["reporter", "viewer", "operator"]],
    ["admin", ["reporter", "viewer", "operator", "admin"]],
  ] as [Role, Role[]][])("a %s may do what needs %j", (role, may) => {
    const principal = { name: "ann", role, by: "token" } as const;
    expect(ROLES.filter((needed) => mayDo(principal, needed))).toEqual(may);
  });

  it("the audit log has the name that is known, and on whose behalf it is said to be", () => {
    const principal = { name: "ci", role: "operator", by: "token" } as const;
    expect([whoOf(principal), whoOf(principal, ""), whoOf(principal, "ann")]).toEqual([
      "ci",
      "ci",
      "ci (ann)",
    ]);
  });

  it("the name of somebody else is one line of plain text there, whatever it is", () => {
    const principal = { name: "ci", role: "operator", by: "token" } as const;
    const forged = "ann\n12  2030-01-01  kill  controller\u001b[2J\u202e\u009b";
    expect(whoOf(principal, forged)).toBe("ci (ann 12 2030-01-01 kill controller [2J)");
    expect(whoOf(principal, "\n \u0007")).toBe("ci");
  });
});
