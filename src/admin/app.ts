/**
 * The frame of the admin API under `/_greenlight/api`: who may come in, how much they may send, the routes, and what is
 * said where there is none. It never sees traffic.
 */
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { problem } from "../edge/problem.ts";
import { allowedAt } from "./allowed.ts";
import { authenticate, refusal } from "./auth.ts";
import { docsPage } from "./docs-page.ts";
import { openApiOf } from "./openapi.ts";
import { audit } from "./routes/audit.ts";
import { changes } from "./routes/changes.ts";
import { commands } from "./routes/commands.ts";
import { documents } from "./routes/documents.ts";
import { evaluations } from "./routes/evaluations.ts";
import { figures } from "./routes/figures.ts";
import { flagWrites } from "./routes/flag-writes.ts";
import { flags } from "./routes/flags.ts";
import { ingest } from "./routes/ingest.ts";
import { overrides } from "./routes/overrides.ts";
import { pull } from "./routes/pull.ts";
import { rollouts } from "./routes/rollouts.ts";
import { status } from "./routes/status.ts";
import { switches } from "./routes/switches.ts";
import { waysBack } from "./routes/ways-back.ts";
import { type AdminEnv, needs, newApi } from "./routing.ts";

/** Where the API is. */
export const API_PATH = "/_greenlight/api";
/** The flag document may have 1 MB; a little more, so that the fault is the document's and says so. */
const MAX_BODY_BYTES = 1_100_000;

/** All routes: what the OpenAPI document is made of. */
export const routes = newApi();
const PARTS = [
  status,
  flags,
  flagWrites,
  overrides,
  switches,
  commands,
  waysBack,
  rollouts,
  figures,
  evaluations,
  documents,
  audit,
  changes,
  pull,
  ingest,
];
for (const part of PARTS) routes.route("/", part);

const app = newApi().basePath(API_PATH);

// Without a token: a page without data, which asks for one.
app.get("/docs", () => docsPage());

app.use("*", async (c, next) => {
  const auth = await authenticate(c.req.raw, c.env, c.executionCtx as ExecutionContext);
  if (!auth.ok) return refusal(auth);
  c.set("principal", auth.principal);
  await next();
  c.header("cache-control", "no-store");
  return undefined;
});
app.use(
  "*",
  bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => problem("too-large", `At most ${MAX_BODY_BYTES} bytes.`),
  }),
);
app.use("/openapi.json", ...needs("viewer").middleware);
app.get("/openapi.json", (c) => c.json(openApiOf(routes)));
app.route("/", routes);

app.notFound((c) => missing(c));
app.onError((error, c) => {
  if (error instanceof HTTPException && error.status === 404) return missing(c);
  if (error instanceof HTTPException && error.status < 500)
    return problem("bad-request", "The body is not of the form that this route takes.");
  const message = error instanceof Error ? `${error.name}: ${error.message}` : "unknown";
  console.error(
    JSON.stringify({ event: "admin-error", route: `${c.req.method} ${c.req.routePath}`, message }),
  );
  return problem(
    "controller-unavailable",
    "Traffic is not affected. Try again; the kill key works without the controller.",
    {},
    { "retry-after": "1" },
  );
});

/** Nothing is here; or something is, for other methods. */
function missing(c: Context<AdminEnv>): Response {
  const path = c.req.path.slice(API_PATH.length);
  const allowed = allowedAt(routes, path);
  if (allowed.length === 0)
    return problem(
      "not-found",
      `The admin API has no ${path}. GET ${API_PATH}/openapi.json lists what it has.`,
    );
  const allow = allowed.join(", ");
  return problem("method-not-allowed", `${path} takes ${allow}.`, {}, { allow });
}

/** Answers a request below `/_greenlight/api`. */
export function handleAdmin(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
  return app.fetch(request, env, ctx);
}
