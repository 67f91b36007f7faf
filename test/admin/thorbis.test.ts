/** Clients of a table of feature flags, whose names and bodies are understood beside ours. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { TOKENS } from "../support/tokens.ts";
import { ask, problemOf, putDocument } from "./parts.ts";

const token = TOKENS.operator;
const NAME = "invoices.write";
const item = async () => (await ask("GET", `/flags/${NAME}`, { token })).body;

beforeEach(() =>
  putDocument({
    [NAME]: {
      state: "canary",
      percentage: 10,
      kind: "experiment",
      createdAt: "2026-01-01",
      dependencies: ["estimates.write"],
      context: { tenant: "header:x-tenant-id" },
    },
    "estimates.write": { state: "on" },
  }),
);

describe("a client that knows a table of feature flags", () => {
  it("finds flags by its names and the states that count for a tenant", async () => {
    const { body } = await ask("GET", "/flags", { token });
    expect(body.effective_states).toEqual({ [NAME]: "canary", "estimates.write": "on" });
    expect((body.flags as unknown[])[0]).toMatchObject({
      flag_name: NAME,
      flag_type: "experiment",
      current_state: "canary",
      canary_percentage: 10,
      rollback_time_seconds: 30,
      dependencies: ["estimates.write"],
      updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(await item()).toMatchObject({ flag_name: NAME, current_state: "canary" });
  });

  it("updates a flag", async () => {
    const body = { current_state: "on", change_reason: "Ready for production" };
    expect((await ask("PUT", `/flags/${NAME}`, { token, body })).status).toBe(200);
    expect(await item()).toMatchObject({ current_state: "on", effective: "on" });
    const [entry] = (await ask("GET", `/audit?flag=${NAME}&limit=1`)).body.entries as Record<
      string,
      unknown
    >[];
    expect(entry).toMatchObject({
      who: "test-operator",
      reason: expect.stringContaining("Ready for production"),
    });
    const canary = { current_state: "canary", canary_percentage: 25 };
    await ask("PUT", `/flags/${NAME}`, { token, body: canary });
    expect(await item()).toMatchObject(canary);
    expect((await ask("PUT", `/flags/${NAME}`, { token, body: { current_state: "shadow" } })).status).toBe(
      200,
    );
    const bad = await ask("PUT", `/flags/${NAME}`, { token, body: { current_state: "maybe" } });
    expect([bad.status, problemOf(bad)]).toEqual([400, "bad-request"]);
  });

  it("overrides it for a tenant, with an end, and takes that back", async () => {
    const body = { override_state: "off", override_reason: "Tenant requested disable" };
    const path = `/flags/${NAME}/override`;
    const put = (more: object, headers = {}) =>
      ask("PUT", path, { token, body: { ...body, ...more }, headers });
    expect((await put({}, { "x-tenant-id": "tenant-1" })).status).toBe(200);
    expect((await put({ tenant_id: "tenant-2", override_state: "canary", expires_at: null })).status).toBe(
      200,
    );
    const until = "2030-01-31T12:00:00Z";
    expect((await put({ tenant_id: "tenant-3", override_state: "kill", expires_at: until })).status).toBe(
      200,
    );
    const reason = "Tenant requested disable";
    expect((await item()).written).toMatchObject({
      overrides: {
        tenants: {
          "tenant-1": { state: "off", reason },
          "tenant-2": { state: "on", reason },
          "tenant-3": { state: "off", expires: until, reason },
        },
      },
    });
    const shadow = await put({ tenant_id: "tenant-4", override_state: "shadow" });
    expect([shadow.status, shadow.body.faults]).toMatchObject([400, [{ path: "override_state" }]]);
    expect((await put({})).status).toBe(400);
    for (const tenant of ["tenant-1", "tenant-2"])
      expect((await ask("DELETE", `${path}?tenant=${tenant}`, { token })).status).toBe(200);
    expect((await ask("DELETE", path, { token, body: { tenant: "tenant-3" } })).status).toBe(200);
    expect((await item()).written).not.toHaveProperty("overrides");
  });

  it("overrides it for two tenants, though both requests carry the same idempotency key by mistake", async () => {
    const put = (tenant: string) =>
      ask("PUT", `/flags/${NAME}/override`, {
        token,
        headers: { "idempotency-key": "of-the-day", "x-tenant-id": tenant },
        body: { override_state: "off" },
      });
    expect((await put("tenant-1")).body).toMatchObject({ changed: true, replayed: false });
    expect((await put("tenant-1")).body).toMatchObject({ replayed: true });
    const other = await put("tenant-2");
    expect([other.status, problemOf(other)]).toEqual([422, "key-reused"]);
  });

  it("kills it, and takes it back to the state before", async () => {
    const kill = await ask("POST", `/flags/${NAME}/kill`, {
      token,
      body: { kill_reason: "Critical error detected" },
    });
    expect(kill.status).toBe(200);
    expect(await item()).toMatchObject({ effective: "kill", served: 0 });
    expect((await ask("POST", `/flags/${NAME}/resume`, { token, body: {} })).status).toBe(200);
    await ask("PUT", `/flags/${NAME}/percentage`, { token, body: { percentage: 50 } });
    await ask("PUT", `/flags/${NAME}`, { token, body: { current_state: "on" } });
    const back = await ask("POST", `/flags/${NAME}/rollback`, {
      token,
      body: { rollback_reason: "Performance issues detected" },
    });
    expect(back).toMatchObject({ status: 200, body: { flag: NAME, changed: true } });
    expect(await item()).toMatchObject({ current_state: "canary", canary_percentage: 50 });
  });

  it("sees them on the health page, where others see none", async () => {
    const health = "/../health";
    // The shards hear of a write a moment after it is answered.
    await vi.waitFor(async () => {
      expect((await ask("GET", health, { token })).body.feature_flags).toMatchObject({
        [NAME]: { state: "canary", percentage: 10, release: "unversioned", enabled: true },
      });
    });
    for (const other of [null, TOKENS.reporter, "wrong-token-0123456789"])
      expect(await ask("GET", health, { token: other })).toMatchObject({
        status: 200,
        body: { status: "ok" },
      });
    expect((await ask("GET", health, { token: null })).body).not.toHaveProperty("feature_flags");
    expect((await ask("GET", health, { token: TOKENS.reporter })).body).not.toHaveProperty("feature_flags");
  });
});
