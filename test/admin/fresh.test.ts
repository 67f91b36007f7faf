import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { freshKnowing } from "../../src/admin/fresh.ts";
import { ask, putDocument } from "./parts.ts";

const bindings = env as unknown as Env;
/** KV as it is from afar: it answers later than the shard does. */
const FAR_MS = 100;
const far = {
  ...bindings,
  FLAGS: {
    getWithMetadata: async (...args: Parameters<KVNamespace["getWithMetadata"]>) => {
      await scheduler.wait(FAR_MS);
      return bindings.FLAGS.getWithMetadata(...args);
    },
  },
} as unknown as Env;

beforeEach(() => putDocument({ menu: { state: "on" } }));
afterEach(async () => {
  vi.useRealTimers();
  await bindings.FLAGS.put("kill", "");
});

it("an explanation that is asked for after the kill key was set knows of it, at an isolate without traffic too", async () => {
  await vi.waitFor(async () => {
    expect((await ask("POST", "/flags/menu/evaluate", { body: {} })).body).toMatchObject({ enabled: true });
  });
  await bindings.FLAGS.put("kill", "menu");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  const ctx = createExecutionContext();
  const { table } = await freshKnowing(far, ctx);
  expect(table.flags.get("menu")?.stop).toBeDefined();
  await waitOnExecutionContext(ctx);
});
