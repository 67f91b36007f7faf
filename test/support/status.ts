/** The admin API as a test asks it. */
import type { Running } from "../../src/cli/serve.ts";
import type { StatusView } from "../../src/control/controller-api.ts";
import { type Answer, ask } from "./ask.ts";

/** Asks the admin API with the router's token. */
export function api(router: Running, path: string, method = "GET"): Promise<Answer> {
  const headers = { authorization: `Bearer ${router.token}` };
  return ask(router.url, { method, path: `/_greenlight/api${path}`, headers });
}

export async function status(router: Running): Promise<StatusView> {
  return JSON.parse((await api(router, "/status")).text) as StatusView;
}
