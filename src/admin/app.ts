/**
 * The admin API under `/_greenlight/api`: the status, the audit log, and the two commands of the controller. It
 * refuses to answer anything without the token, and never sees traffic.
 */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import * as z from "zod";
import { isName } from "../core/flag/schema.ts";
import { problem } from "../edge/problem.ts";
import { badRequest, bodyOf, etagged, howOf } from "./answers.ts";
import { authenticate, refusal } from "./auth.ts";
import { controllerStub } from "./controller.ts";
import { ingest } from "./ingest.ts";
import { rollouts } from "./rollouts.ts";

/** The flag document may have 1 MB; a little more, so that the fault is the document's and says so. */
const MAX_BODY_BYTES = 1_100_000;
/** Audit entries of one page. */
const MAX_PAGE = 200;

const resumeBody = z.strictObject({
  release: z.string().optional(),
  reason: z.string().max(500).default(""),
  by: z.string().max(100).optional(),
});
const auditQuery = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
  before: z.coerce.number().int().min(1).optional(),
  flag: z.string().max(64).optional(),
});

const app = new Hono<{ Bindings: Env }>().basePath("/_greenlight/api");

app.use("*", async (c, next) => {
  const auth = await authenticate(c.req.raw, c.env, c.executionCtx as ExecutionContext);
  if (!auth.ok) return refusal(auth);
  await next();
  c.header("cache-control", "no-store");
});
app.use(
  "*",
  bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => problem("too-large", `At most ${MAX_BODY_BYTES} bytes.`),
  }),
);

app.get("/status", async (c) => {
  const status = await controllerStub(c.env).status();
  c.header("etag", `"${status.revision}"`);
  return c.json(status);
});

app.get("/audit", async (c) => {
  const query = auditQuery.safeParse(c.req.query());
  if (!query.success) return badRequest(query.error);
  const { limit, before, flag } = query.data;
  const page = { limit, ...(before !== undefined && { before }), ...(flag !== undefined && { flag }) };
  return c.json({ entries: await controllerStub(c.env).audit(page) });
});

app.put("/flags", async (c) => {
  const match = c.req.header("if-match");
  if (match === undefined)
    return problem("precondition-required", "Send the etag of GET /_greenlight/api/status.");
  const revision = /^"(\d+)"$/.exec(match)?.[1];
  if (revision === undefined && match !== "*")
    return problem("bad-request", 'If-Match is "REVISION" in quotes, or *.');
  const result = await controllerStub(c.env).putSpec({
    text: await c.req.text(),
    ...(revision === undefined ? {} : { ifMatch: Number(revision) }),
    who: c.req.query("by") ?? "api",
    how: howOf(c),
    reason: c.req.query("reason") ?? "",
  });
  if (result.ok) return etagged(c, result.revision);
  if (result.reason === "invalid") {
    return problem("invalid-document", "Nothing was stored. Each fault says where and what was expected.", {
      faults: result.faults,
    });
  }
  return problem(
    "precondition-failed",
    `The spec is at revision ${result.revision} now. Read it, apply your change again.`,
    {
      revision: result.revision,
    },
  );
});

app.post("/flags/:name/resume", async (c) => {
  const flag = c.req.param("name");
  if (!isName(flag)) return problem("bad-request", "That is no name of a flag.");
  const body = resumeBody.safeParse(await bodyOf(c));
  if (!body.success) return badRequest(body.error);
  const { release, reason, by } = body.data;
  const controller = controllerStub(c.env);
  const result = await controller.resume({
    flag,
    who: by ?? "api",
    how: howOf(c),
    reason,
    ...(release === undefined ? {} : { release }),
  });
  const view = await controller.rollout(flag);
  if (result.ok) return etagged(c, result.revision, view);
  if (!view) return problem("unknown-flag", `The spec has no flag ${flag}.`);
  const named = `${flag}${release === undefined ? "" : ` ${release}`}`;
  const why = view.why === null ? "" : ` ${view.why}.`;
  return problem(
    "not-halted",
    `${named} has no halt or pause to lift; the rollout of ${view.release} is ${view.phase}.${why}`,
  );
});

app.route("/", rollouts);
app.route("/", ingest);

app.notFound((c) => problem("not-found", `The admin API has no ${c.req.method} ${c.req.path}.`));
app.onError((error) => {
  console.error(
    JSON.stringify({ event: "admin-error", message: error instanceof Error ? error.message : "unknown" }),
  );
  return problem(
    "controller-unavailable",
    "Traffic is not affected. Try again; the kill key works without the controller.",
  );
});

/** Answers a request below `/_greenlight/api`. */
export function handleAdmin(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
  return app.fetch(request, env, ctx);
}
