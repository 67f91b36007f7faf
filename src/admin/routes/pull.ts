/** The scheduled pull of a document from elsewhere: how it stands, and a pull now. */
import { createRoute, z } from "@hono/zod-openapi";
import type { PullView } from "../../core/api/views.ts";
import { answer, refused } from "../answers.ts";
import { pullNow, pullView } from "../pull.ts";
import { needs, needsJson, newApi } from "../routing.ts";
import { at, said, viewed } from "../schemas/common.ts";
import { json, jsonBody, problems } from "../schemas/problem.ts";

export const pull = newApi();

const view = viewed<PullView>()(
  z.object({
    url: z.string(),
    format: z.string(),
    triedAt: at,
    goodAt: at,
    changedAt: at,
    fault: z.string().nullable(),
    failingSince: at.nullable(),
    losses: z.array(z.string()),
  }),
).openapi("Pull");

const RESPONSES = { 200: json(view, "How it stands"), ...problems("no-pull") };

pull.openapi(
  createRoute({
    method: "get",
    path: "/pull",
    operationId: "getPull",
    tags: ["pull"],
    summary: "How the scheduled pull stands.",
    ...needs("viewer"),
    responses: RESPONSES,
  }),
  async (c) => {
    const found = await pullView(c.env);
    return found ? answer(c, found) : noPull();
  },
);

pull.openapi(
  createRoute({
    method: "post",
    path: "/pull",
    operationId: "pullNow",
    tags: ["pull"],
    summary: "Pulls now. What goes wrong is in the answer; the last good document stays.",
    ...needsJson("operator"),
    request: { body: jsonBody(z.strictObject(said), false) },
    responses: { ...RESPONSES, ...problems("no-pull", "unsupported-media-type") },
  }),
  async (c) => {
    const found = await pullNow(c.env);
    return found ? answer(c, found) : noPull();
  },
);

function noPull() {
  return refused("no-pull", "Set the variable PULL_URL; docs/environments.md says how.");
}
