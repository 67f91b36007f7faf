/**
 * Every file of the workers pool begins with empty objects, an isolate that knows nothing of former documents (whose
 * revisions may be higher), the real clock and nobody slowed, whatever was before.
 */
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, vi } from "vitest";
import { guard } from "../../src/admin/auth.ts";
import { Throttle } from "../../src/admin/throttle.ts";
import { configOf } from "../../src/edge/config.ts";
import { Knowing } from "../../src/edge/knowing.ts";
import { state } from "../../src/edge/state.ts";

beforeAll(async () => {
  vi.useRealTimers();
  guard.attempts = new Throttle();
  await reset();
  Object.assign(state, { knowing: new Knowing(), wakeAt: 0 });
  state.knowing.takeConfig(configOf(env as unknown as Env));
});
