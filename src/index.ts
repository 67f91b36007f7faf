/** Worker entry: the fetch handler and the Durable Object exports, nothing else. */
export { CohortCounters } from "./control/counters.ts";
export { RolloutController } from "./control/controller.ts";
import { handle } from "./router/handle.ts";

export default { fetch: handle } satisfies ExportedHandler<Env>;
