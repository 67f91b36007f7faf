/** What takes green away does not wait for KV, which may hang at three in the morning. */
import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import type { Command } from "../../src/core/rollout/progress.ts";
import { controller, quiet, withSpec } from "./parts.ts";

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await quiet();
  await reset();
});

const order = (command: Command) =>
  controller().command({ flag: "shop", command, who: "ann", how: "cli", reason: "on fire" });

it.each<[string, Command]>([
  ["a kill", { name: "rollback", mode: "kill" }],
  ["an immediate rollback", { name: "rollback", mode: "immediate" }],
  ["a pause", { name: "pause" }],
])("%s is obeyed while KV hangs", async (_, command) => {
  await withSpec();
  await runInDurableObject(controller(), (object) => {
    const { FLAGS } = (object as unknown as { env: Env }).env;
    vi.spyOn(FLAGS, "getWithMetadata").mockReturnValue(new Promise<never>(() => {}) as never);
  });
  // Nobody's patience with KV ends: what waits for it waits for ever.
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  expect(await order(command)).toMatchObject({ ok: true });
});
