/** The ways back: rollback of a flag or of the document, and `resume`, which lifts what keeps green out. */
import { createRoute, z } from "@hono/zod-openapi";
import { type AdminContext, answer, refused } from "../answers.ts";
import { controllerStub } from "../controller.ts";
import { ifMatchOf, orderOf, type Said, writeAnswer, writeRefused, writtenOf } from "../orders.ts";
import { needsJson, newApi } from "../routing.ts";
import { MAX_REASON, name, said, writeHeaders } from "../schemas/common.ts";
import { json, jsonBody, ON_WRITES, problems } from "../schemas/problem.ts";
import type { Commanded } from "../schemas/rollout.ts";
import { written } from "../schemas/written.ts";
import { COMMAND_RESPONSES, commandRefused, commandRoute, etagOfFlag, obey } from "./commands.ts";

export const waysBack = newApi();

const back = z
  .strictObject({
    mode: z.enum(["gradual", "immediate", "kill"]).optional().openapi({
      description: "The rollout's way down. Absent: the last different state with less of green.",
    }),
    version: name
      .optional()
      .openapi({ description: "State and percentage of when the flag had this release." }),
    ...said,
    rollback_reason: z.string().max(MAX_REASON).optional(),
  })
  .refine(({ mode, version }) => mode === undefined || version === undefined, {
    path: ["version"],
    error: "either mode or version",
  })
  .openapi("Rollback", { example: { rollback_reason: "Performance issues detected" } });

waysBack.openapi(
  commandRoute("/flags/{name}/rollback", {
    operationId: "rollbackFlag",
    summary:
      "Takes a flag back: to its last different state, to a release, or down by one of the rollout's ways.",
    body: back,
    responses: {
      ...COMMAND_RESPONSES,
      ...problems(
        ...ON_WRITES,
        "unknown-flag",
        "rollout-refused",
        "nothing-earlier",
        "no-document",
        "invalid-document",
      ),
    },
  }),
  async (c) => {
    const { name: flag } = c.req.valid("param");
    const { mode, version, rollback_reason, reason = rollback_reason, by } = c.req.valid("json");
    if (mode !== undefined) return obey(c, flag, { name: "rollback", mode }, { reason, by });
    return goBack(c, flag, version, { reason, by });
  },
);

waysBack.openapi(
  createRoute({
    method: "post",
    path: "/rollback",
    operationId: "rollbackDocument",
    tags: ["document"],
    summary: "Puts the whole document back as it was at a revision.",
    ...needsJson("admin"),
    request: {
      headers: writeHeaders,
      body: jsonBody(z.strictObject({ revision: z.int().min(1).max(Number.MAX_SAFE_INTEGER), ...said })),
    },
    responses: {
      200: json(written, "Put back"),
      ...problems(...ON_WRITES, "unknown-revision", "nothing-earlier", "no-document", "invalid-document"),
    },
  }),
  async (c) => {
    const { revision, ...saying } = c.req.valid("json");
    const order = await orderOf(c, saying);
    const ifMatch = ifMatchOf(c);
    return writeAnswer(c, await controllerStub(c.env).goBack({ ...order, to: { revision }, ifMatch }));
  },
);

waysBack.openapi(
  commandRoute("/flags/{name}/resume", {
    operationId: "resumeRollout",
    summary: "Lifts a pause, a halt or a kill of the present release, or of the one that is named.",
    body: z.strictObject({ ...said, release: name.optional() }),
    responses: { ...COMMAND_RESPONSES, ...problems(...ON_WRITES, "unknown-flag", "not-halted") },
  }),
  async (c) => {
    const { name: flag } = c.req.valid("param");
    const { release, ...saying } = c.req.valid("json");
    const order = await orderOf(c, saying);
    const controller = controllerStub(c.env);
    const about = { flag, ifMatch: ifMatchOf(c), ...(release !== undefined && { release }) };
    const result = await controller.resume({ ...order, ...about });
    const rollout = await controller.rollout(flag);
    if (!rollout) return refused("unknown-flag", `The document has no flag ${flag}.`);
    if (result.ok) {
      const { etag = await etagOfFlag(c, flag), replayed = false } = result;
      const body: Commanded = { ...rollout, changed: true, replayed, sentence: null };
      return answer(c, body, { etag });
    }
    if (result.reason !== "not-halted") return commandRefused(result);
    const named = `${flag}${release === undefined ? "" : ` ${release}`}`;
    const why = rollout.why === null ? "" : ` ${rollout.why}.`;
    const now = `the rollout of ${rollout.release} is ${rollout.phase}.${why}`;
    return refused("not-halted", `${named} has no halt or pause to lift; ${now}`);
  },
);

async function goBack(c: AdminContext, flag: string, version: string | undefined, saying: Said) {
  const order = await orderOf(c, saying);
  const controller = controllerStub(c.env);
  const to = version === undefined ? { flag, state: true as const } : { flag, version };
  const result = await controller.goBack({ ...order, to, ifMatch: ifMatchOf(c) });
  if (!result.ok) return writeRefused(c, result);
  const rollout = await controller.rollout(flag);
  if (!rollout) return refused("unknown-flag", `The document has no flag ${flag}.`);
  const { changed, replayed, sentence } = writtenOf(result);
  const body: Commanded = { ...rollout, changed, replayed, sentence };
  return answer(c, body, { etag: result.etag });
}
