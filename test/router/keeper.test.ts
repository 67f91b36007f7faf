/** Promises of the lease: somebody always sees to what was counted. */
import { expect, test } from "vitest";
import { State } from "../../src/edge/state.ts";
import { Flusher } from "../../src/router/flusher.ts";
import { Keeper } from "../../src/router/keeper.ts";
import { Recorder } from "../../src/router/recorder.ts";
import { bindings } from "./world.ts";

test("what is counted after the lease has ended takes a new one, and does not wait for the next request", async () => {
  const recorder = new Recorder();
  const keeper = new Keeper(recorder, new Flusher(recorder, new State()));
  const left: Promise<unknown>[] = [];
  const ctx = { waitUntil: (promise: Promise<unknown>) => left.push(promise) } as unknown as ExecutionContext;
  const now = Date.now();
  expect(keeper.hasLapsed(now)).toBe(true);
  expect(keeper.hurry(bindings, ctx, now)).toBe(true);
  expect(keeper.hasLapsed(now)).toBe(false);
  expect(keeper.hurry(bindings, ctx, now)).toBe(false);
  await Promise.all(left);
  expect(left).toHaveLength(1);
});
