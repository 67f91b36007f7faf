/** Worker entry: the handlers of requests and of the clock, and the Durable Object exports, nothing else. */
import { handleAdmin } from "./admin/app.ts";
import { isAdminHost } from "./admin/hosts.ts";
import { pullWhenDue } from "./admin/pull.ts";
import { pullHealth } from "./admin/pull-health.ts";
import { maySeeFlags } from "./admin/seeing.ts";
import { configOf } from "./edge/config.ts";
import { problem } from "./edge/problem.ts";
import { state } from "./edge/state.ts";
import { handle } from "./router/handle.ts";
import { health } from "./router/health.ts";
import { prefixOf } from "./router/prefix.ts";
import { type Target, targetOf } from "./router/target.ts";

export { RolloutController } from "./control/controller.ts";
export { CohortCounters } from "./control/counters.ts";
export { Outbox } from "./control/outbox/outbox.ts";

export default {
  fetch(request, env, ctx) {
    const target = targetOf(request.url);
    switch (prefixOf(target.rawPath)) {
      case "none":
        return handle(request, env, ctx, target);
      case "control":
        return own(request, env, ctx, target);
      case "disguised":
        return problem("not-found");
    }
  },
  async scheduled(_, env) {
    await pullWhenDue(env, Date.now());
  },
} satisfies ExportedHandler<Env>;

/** Paths below `/_greenlight`: never forwarded; the admin API on its own hosts only. */
async function own(request: Request, env: Env, ctx: ExecutionContext, target: Target): Promise<Response> {
  const { path, host } = target;
  const isHealth = path === "/_greenlight/health";
  if (!isHealth && !path.startsWith("/_greenlight/api/")) return problem("not-found");
  // Which hosts belong to routes is known only once a spec is.
  if (state.isCold) await state.warmUp(env, ctx);
  const allowed = isAdminHost(host, configOf(env).adminHosts, state.knowing.table.namesHost(host));
  if (!isHealth) return allowed ? handleAdmin(request, env, ctx) : problem("not-found");
  const withFlags = allowed && (await maySeeFlags(request, env, ctx));
  return health(env, ctx, { pull: await pullHealth(env, Date.now()), withFlags });
}
