/** Where a flag's rollout is, and the rollouts that it had. */
import { createRoute } from "@hono/zod-openapi";
import { inPercent } from "../../core/rollout/history.ts";
import { answer, nextPage, refused, unlessKnown } from "../answers.ts";
import { controllerStub } from "../controller.ts";
import { needs, newApi } from "../routing.ts";
import { flagParam, pageQuery, readHeaders } from "../schemas/common.ts";
import { json, NOT_MODIFIED, problems } from "../schemas/problem.ts";
import { history, rollout } from "../schemas/rollout.ts";
import { etagOfFlag } from "./commands.ts";

/** Rollouts of one page of the history. */
const MAX_HISTORY = 100;

export const rollouts = newApi();

rollouts.openapi(
  createRoute({
    method: "get",
    path: "/flags/{name}/rollout",
    operationId: "getRollout",
    tags: ["rollouts"],
    summary: "Where a flag's rollout is, and what it waits for.",
    ...needs("viewer"),
    request: { params: flagParam, headers: readHeaders },
    responses: { 200: json(rollout, "The rollout"), ...NOT_MODIFIED, ...problems("unknown-flag") },
  }),
  async (c) => {
    const { name } = c.req.valid("param");
    const [view, etag] = await Promise.all([controllerStub(c.env).rollout(name), etagOfFlag(c, name)]);
    if (!view) return refused("unknown-flag", `The document has no flag ${name}.`);
    return unlessKnown(c, etag, view);
  },
);

rollouts.openapi(
  createRoute({
    method: "get",
    path: "/flags/{name}/history",
    operationId: "getHistory",
    tags: ["rollouts"],
    summary: "The rollouts of a flag, the newest first: stages, counts, outcome and reason.",
    ...needs("viewer"),
    request: { params: flagParam, query: pageQuery(20, MAX_HISTORY) },
    responses: { 200: json(history, "A page of the history"), ...problems() },
  }),
  async (c) => {
    const { name: flag } = c.req.valid("param");
    const { limit, before } = c.req.valid("query");
    const past = await controllerStub(c.env).history({
      flag,
      limit,
      ...(before !== undefined && { before }),
    });
    const next = nextPage(c, { found: past.length, limit, last: past.at(-1)?.rollout });
    return answer(c, { rollouts: past.map(inPercent), next });
  },
);
