/** `/flags/NAME/override`: the answer of their own for one user or tenant. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Value } from "../../core/flag/schema.ts";
import { type AdminContext, refused } from "../answers.ts";
import { controllerStub } from "../controller.ts";
import { flagAnswer, ifMatchOf, orderOf } from "../orders.ts";
import { needsJson, newApi } from "../routing.ts";
import { flagParam, MAX_REASON, name, said, writeHeaders } from "../schemas/common.ts";
import { STATES } from "../schemas/flag.ts";
import { json, jsonBody, ON_WRITES, problems } from "../schemas/problem.ts";
import { flagWritten } from "../schemas/written.ts";

export const overrides = newApi();

const id = z.string().min(1).max(256);
const expires = z.iso.datetime({ offset: true, error: "a time with its zone such as 2030-01-31T12:00:00Z" });

const ours = z
  .strictObject({
    user: id.optional().openapi({ description: "Targeting key of the user; or `tenant`." }),
    tenant: id.optional(),
    state: z.enum(["on", "off"]),
    variant: name.optional(),
    expires: expires.optional().openapi({ description: "It applies until just before." }),
    ...said,
  })
  .openapi("Override", { example: { tenant: "tenant-456", state: "off", expires: "2030-01-31T12:00:00Z" } });

const thorbis = z
  .strictObject({
    override_state: z
      .enum(STATES)
      .openapi({ description: "on, canary: on. off, kill: off. shadow is refused." }),
    override_reason: z.string().max(MAX_REASON).optional(),
    tenant_id: id.optional(),
    expires_at: expires.nullable().optional(),
    by: said.by,
  })
  .openapi("TenantOverride", {
    example: { override_state: "off", override_reason: "Tenant requested disable", tenant_id: "tenant-456" },
  });

const whom = z.object({
  user: id.optional(),
  tenant: id.optional().openapi({ description: "Or by the header X-Tenant-Id." }),
});
const headers = writeHeaders.extend({ "x-tenant-id": id.optional() });

const FAILS = [...ON_WRITES, "unknown-flag", "invalid-document", "no-document"] as const;

overrides.openapi(
  createRoute({
    method: "put",
    path: "/flags/{name}/override",
    operationId: "putOverride",
    tags: ["overrides"],
    summary: "Sets the answer of their own for one user or tenant, over percentages and cohorts.",
    description: "Give the id in the body: queries are kept by logs and proxies.",
    ...needsJson("operator"),
    request: { params: flagParam, query: whom, headers, body: jsonBody(z.union([ours, thorbis])) },
    responses: { 200: json(flagWritten, "Set"), ...problems(...FAILS) },
  }),
  async (c) => {
    const body = c.req.valid("json");
    if ("state" in body) {
      const { user, tenant, reason, by, ...override } = body;
      return set(c, { user, tenant }, { ...given(override), ...given({ reason }) }, { reason, by });
    }
    const { override_state, override_reason: reason, tenant_id: tenant, expires_at, by } = body;
    if (override_state === "shadow") {
      const sentence =
        "One tenant cannot be in shadow: that is a state of the whole flag. Override it with on or off.";
      return refused("bad-request", sentence, {
        faults: [{ path: "override_state", message: "shadow", expected: "on, canary, off or kill" }],
      });
    }
    const state = override_state === "on" || override_state === "canary" ? "on" : "off";
    const override = { state, ...given({ expires: expires_at ?? undefined, reason }) };
    return set(c, { user: undefined, tenant }, override, { reason, by });
  },
);

overrides.openapi(
  createRoute({
    method: "delete",
    path: "/flags/{name}/override",
    operationId: "deleteOverride",
    tags: ["overrides"],
    summary: "Takes an override out.",
    description: "The id may be in a JSON body as well, which logs and proxies do not keep.",
    ...needsJson("operator"),
    request: {
      params: flagParam,
      query: whom.extend(said),
      headers,
      body: jsonBody(z.strictObject({ user: id.optional(), tenant: id.optional(), ...said }), false),
    },
    responses: { 200: json(flagWritten, "Taken out"), ...problems(...FAILS) },
  }),
  async (c) => {
    const { user, tenant, reason, by } = c.req.valid("json");
    return set(c, { user, tenant }, null, { reason, by });
  },
);

/** One of the two ids, from the body, the query or the header. */
async function set(
  c: AdminContext,
  whose: { user: string | undefined; tenant: string | undefined },
  override: { [key: string]: Value } | null,
  saying: { reason: string | undefined; by: string | undefined },
) {
  const user = whose.user ?? c.req.query("user");
  const tenant = whose.tenant ?? c.req.query("tenant") ?? c.req.header("x-tenant-id");
  if ((user === undefined) === (tenant === undefined)) {
    const fault = { path: "user", message: "no id, or two", expected: "either user or tenant" };
    return refused("bad-request", "Name either a user or a tenant.", { faults: [fault] });
  }
  const flag = c.req.param("name") ?? "";
  const of = user === undefined ? "tenants" : "users";
  const edit = {
    kind: "override" as const,
    of: of as "tenants" | "users",
    id: user ?? tenant ?? "",
    override,
  };
  const order = await orderOf(c, saying);
  const result = await controllerStub(c.env).editFlag({ ...order, flag, edit, ifMatch: ifMatchOf(c) });
  return flagAnswer(c, flag, result);
}

/** Members that are there. */
function given(members: Record<string, string | undefined>): Record<string, string> {
  const there = Object.entries(members).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return Object.fromEntries(there);
}
