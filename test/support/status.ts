/** The admin API as a test asks it. */
import type { Running } from "../../src/cli/serve.ts";
import type { AuditEntry, RolloutView, StatusView } from "../../src/control/controller-api.ts";
import type { PastRolloutView } from "../../src/core/rollout/history.ts";
import { type Answer, ask } from "./ask.ts";

/** Asks the admin API with the router's token. */
export function api(router: Running, path: string, method = "GET", body?: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${router.token}` };
  return ask(router.url, {
    method,
    path: `/_greenlight/api${path}`,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
}

export async function status(router: Running): Promise<StatusView> {
  return JSON.parse((await api(router, "/status")).text) as StatusView;
}

/** Where the rollout of a flag is. */
export async function rollout(router: Running, flag = "shop"): Promise<RolloutView> {
  return JSON.parse((await api(router, `/flags/${flag}/rollout`)).text) as RolloutView;
}

/** The last rollouts of a flag, the newest first. */
export async function history(router: Running, flag = "shop"): Promise<PastRolloutView[]> {
  const { text } = await api(router, `/flags/${flag}/history`);
  return (JSON.parse(text) as { rollouts: PastRolloutView[] }).rollouts;
}

/** The newest records of the audit log, the newest first. */
export async function audit(router: Running): Promise<AuditEntry[]> {
  const { text } = await api(router, "/audit?limit=200");
  return (JSON.parse(text) as { entries: AuditEntry[] }).entries;
}
