/**
 * The frame of the admin API under `/_greenlight/api`: who may come in, how much they may send, the routes, and what is
 * said where there is none. It never sees traffic.
 */
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { problem } from "../edge/problem.ts";
import { allowedAt } from "./allowed.ts";
import { ctxOf } from "./answers.ts";
import { authenticate, refusal } from "./auth.ts";
import { docsPage } from "./docs-page.ts";
import { openApi } from "./openapi.ts";
import { routes } from "./routes/all.ts";
import { type AdminEnv, needs, newApi } from "./routing.ts";

/** Where the API is. */
const API_PATH = "/_greenlight/api";
/** The flag document may have 1 MB; a little more, so that the fault is the document's and says so. */
const MAX_BODY_BYTES = 1_100_000;

const app = newApi().basePath(API_PATH);

// Without a token: a page without data, which asks for one.
app.get("/docs", () => docsPage());

app.use("*", async (c, next) => {
  const auth = await authenticate(c.req.raw, c.env, ctxOf(c));
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
app.get("/openapi.json", (c) => c.json(openApi()));
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
