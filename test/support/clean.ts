/** Every file of the workers pool begins with empty objects and the real clock, whatever the file before has left. */
import { reset } from "cloudflare:test";
import { beforeAll, vi } from "vitest";

beforeAll(async () => {
  vi.useRealTimers();
  await reset();
});
