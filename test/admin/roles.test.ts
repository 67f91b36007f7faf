/** Who may do what: every route of the API with the least role that it needs, and what a role must not do. */
import { beforeAll, describe, expect, it } from "vitest";
import { openApi } from "../../src/admin/openapi.ts";
import type { Role } from "../../src/core/auth/tokens.ts";
import { TOKENS } from "../support/tokens.ts";
import { ask, call, problemOf, putDocument, SHOP } from "./parts.ts";

/** `any`: whoever is known. */
const ROUTES: Record<Role | "any", string[]> = {
  any: ["GET /whoami"],
  reporter: ["POST /events", "POST /gauges", "POST /alerts"],
  viewer: [
    "GET /openapi.json",
    "GET /status",
    "GET /flags",
    "GET /flags/{name}",
    "GET /flags/{name}/rollout",
    "GET /flags/{name}/history",
    "GET /flags/{name}/metrics",
    "GET /flags/{name}/usage",
    "GET /usage",
    "POST /flags/{name}/evaluate",
    "POST /evaluate",
    "POST /validate",
    "GET /document",
    "GET /revisions",
    "GET /revisions/{revision}",
    "GET /audit",
    "GET /changes",
    "GET /pull",
  ],
  operator: [
    "PUT /flags/{name}",
    "PATCH /flags/{name}",
    "PUT /flags/{name}/override",
    "DELETE /flags/{name}/override",
    "PUT /flags/{name}/percentage",
    ...["kill", "rollback", "start", "pause", "approve", "advance", "promote", "instant"].map(
      (command) => `POST /flags/{name}/${command}`,
    ),
    ...["restart", "resume", "sign-off"].map((command) => `POST /flags/{name}/${command}`),
    "PUT /cohorts/{name}",
    "PUT /enabled",
    "POST /pull",
  ],
  admin: ["POST /flags", "DELETE /flags/{name}", "PUT /document", "POST /rollback"],
};

/** Roles that may do what needs the role. */
const MAY: Record<Role | "any", Role[]> = {
  any: ["reporter", "viewer", "operator", "admin"],
  reporter: ["reporter", "operator", "admin"],
  viewer: ["viewer", "operator", "admin"],
  operator: ["operator", "admin"],
  admin: ["admin"],
};

/** Sent so that a write that is let in is refused for something else, and nothing changes. */
const HARMLESS = '{"none": "of these"}';
/** The same for routes whose role depends on what is sent. */
const AS_OPERATOR: Record<string, string> = {
  "PUT /flags/{name}": '{"current_state": "none"}',
  "PATCH /flags/{name}": "{}",
};

/** A route as it is asked: of a flag that is not there. */
function asked(route: string): { method: string; path: string } {
  const [method = "", path = ""] = route.split(" ");
  return { method, path: path.replace("{name}", "nobody").replace("{revision}", "1") };
}

beforeAll(() => putDocument({ shop: SHOP }));

describe("the roles", () => {
  it("are those that the OpenAPI document says, for every route", () => {
    const said = Object.entries(openApi().paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, of]) => `${of["x-role"]} ${method.toUpperCase()} ${path}`),
    );
    const promised = Object.entries(ROUTES).flatMap(([role, routes]) =>
      routes.map((route) => `${role} ${route}`),
    );
    expect(said.sort()).toEqual(promised.sort());
  });

  it.each(Object.entries(ROUTES) as [Role | "any", string[]][])(
    "%s is the least for its routes, and nothing is done without a token",
    async (least, routes) => {
      const before = (await ask("GET", "/document")).etag;
      for (const route of routes) {
        const { method, path } = asked(route);
        const body = method === "GET" ? {} : { body: AS_OPERATOR[route] ?? HARMLESS };
        expect([route, (await call(method, path, { token: null, ...body })).status]).toEqual([route, 401]);
        for (const role of Object.keys(TOKENS) as Role[]) {
          const answer = await call(method, path, { token: TOKENS[role], ...body });
          const isForbidden = answer.status === 403;
          await answer.body?.cancel();
          expect([route, role, isForbidden]).toEqual([route, role, !MAY[least].includes(role)]);
        }
      }
      expect((await ask("GET", "/document")).etag).toBe(before);
    },
  );

  it("say which is needed and which one has", async () => {
    const answer = await ask("POST", "/flags/shop/kill", { token: TOKENS.viewer });
    expect(problemOf(answer)).toBe("forbidden");
    expect(answer.body.detail).toBe("This needs the role operator; test-viewer has viewer.");
  });
});
