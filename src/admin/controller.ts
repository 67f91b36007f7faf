/** What the admin API asks of the RolloutController, and how it reaches it. */

import type { RolloutController } from "../control/controller.ts";
import type { OperatorApi } from "../control/controller-api.ts";
import "../edge/env.ts";

/** The methods of the controller that the admin API calls. */
export type AdminController = OperatorApi &
  Pick<RolloutController, "status" | "resume" | "rollout" | "command" | "ingest">;

/** A fresh stub of the environment's one controller. */
export function controllerStub(env: Env): AdminController {
  return env.CONTROLLER.getByName("controller") as unknown as AdminController;
}
