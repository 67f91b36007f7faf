/** Who asks, and the whole status. */
import { createRoute } from "@hono/zod-openapi";
import { answer } from "../answers.ts";
import { controllerStub } from "../controller.ts";
import { needs, newApi } from "../routing.ts";
import { json, problems } from "../schemas/problem.ts";
import { status as statusSchema, who } from "../schemas/status.ts";

export const status = newApi();

status.openapi(
  createRoute({
    method: "get",
    path: "/whoami",
    operationId: "whoAmI",
    tags: ["status"],
    summary: "Whom the token or the identity names, and their role.",
    ...needs("any"),
    responses: { 200: json(who, "Who asks"), ...problems() },
  }),
  (c) => answer(c, c.get("principal")),
);

status.openapi(
  createRoute({
    method: "get",
    path: "/status",
    operationId: "getStatus",
    tags: ["status"],
    summary: "All that was decided and counted.",
    ...needs("viewer"),
    responses: { 200: json(statusSchema, "The status; its ETag is the revision"), ...problems() },
  }),
  async (c) => {
    const view = await controllerStub(c.env).status();
    return answer(c, view, { etag: `"${view.revision}"` });
  },
);
