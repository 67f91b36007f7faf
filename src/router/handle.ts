/** The request path as the Worker uses it: the one router of this isolate. */
import { state } from "../edge/state.ts";
import { Router } from "./router.ts";
import type { Target } from "./target.ts";

const router = new Router(state);

/** Answers one request of the traffic. */
export function handle(request: Request, env: Env, ctx: ExecutionContext, target: Target): Promise<Response> {
  return router.handle(request, env, ctx, target);
}
