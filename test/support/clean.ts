/** Every file of the workers pool begins with empty objects, the real clock and nobody slowed, whatever was before. */
import { reset } from "cloudflare:test";
import { beforeAll, vi } from "vitest";
import { guard } from "../../src/admin/auth.ts";
import { Throttle } from "../../src/admin/throttle.ts";

beforeAll(async () => {
  vi.useRealTimers();
  guard.attempts = new Throttle();
  await reset();
});
