/** The request path: a request comes in, blue or green answers. */
import "../edge/env.ts";

/** Answers one request of the traffic. */
export function handle(request: Request, env: Env, _ctx: ExecutionContext): Promise<Response> {
  if (!env.DEFAULT_ORIGIN) return Promise.resolve(new Response("no flag document", { status: 503 }));
  const path = request.url.slice(request.url.indexOf("/", 8));
  return fetch(env.DEFAULT_ORIGIN + path, request);
}
