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

  it("writes the spec only over the revision that the writer has seen, and tells the faults of a bad one", async () => {
    expect((await call("/flags", { method: "PUT", body: document(10) })).status).toBe(428);
    const etag = (await call("/status")).headers.get("etag")!;
    const written = await call("/flags?reason=start", {
      method: "PUT",
      body: document(10),
      headers: { "if-match": etag },
    });
    expect(written.status).toBe(200);
    const late = await call("/flags", { method: "PUT", body: document(20), headers: { "if-match": etag } });
    expect(late.status).toBe(412);
    const now = written.headers.get("etag")!;
    const broken = await call("/flags", { method: "PUT", body: document(500), headers: { "if-match": now } });
    expect(broken.status).toBe(422);
    expect(await broken.json()).toMatchObject({
      type: "urn:greenlight:problem:invalid-document",
      faults: [{ path: "flags.checkout.percentage" }],
    });
    const status = (await (await call("/status")).json()) as {
      flags: { name: string; percentage: number }[];
    };
    expect(status.flags).toMatchObject([{ name: "checkout", percentage: 10 }]);
    const audit = (await (await call("/audit?limit=5")).json()) as {
      entries: { who: string; action: string; reason: string }[];
    };
    expect(audit.entries.find(({ action }) => action === "adopt")).toMatchObject({
      who: "api",
      action: "adopt",
      reason: "start",
    });
  });

  it("says what is wrong with a request", async () => {
    expect((await call("/flags/checkout/resume", { method: "POST" })).status).toBe(409);
    expect((await call("/flags/checkout/resume", { method: "POST", body: "{" })).status).toBe(400);
    expect((await call("/audit?limit=x")).status).toBe(400);
    expect((await call("/flags", { method: "PUT", body: "x", headers: { "if-match": "7" } })).status).toBe(
      400,
    );
    expect(
      (await call("/flags", { method: "PUT", body: "x".repeat(1_200_000), headers: { "if-match": "*" } }))
        .status,
    ).toBe(413);
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
    expect(isAdminHost("localhost", "", false)).toBe(true);
    expect(isAdminHost("greenlight.team.workers.dev", undefined, false)).toBe(true);
    expect(isAdminHost("workers.dev.example.com", "", false)).toBe(false);
    expect(isAdminHost("ops.example.com", "ops.example.com, other.example.com", false)).toBe(true);
    expect(isAdminHost("localhost", "ops.example.com", false)).toBe(false);
    expect(isAdminHost("ops.example.com", "ops.example.com", true)).toBe(false);
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
