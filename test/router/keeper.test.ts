/** Promises of the one who keeps time for the isolate. */
import { beforeEach, expect, test } from "vitest";
import { Attempt } from "../../src/router/attempt.ts";
import { emptyKv, OBJECTS_DOWN, World } from "./world.ts";

let world: World;
beforeEach(async () => {
  await emptyKv();
  world = new World({ COUNTERS: OBJECTS_DOWN });
});

/** A context that keeps what is left to it. */
function context() {
  const left: Promise<unknown>[] = [];
  return { left, ctx: { waitUntil: (p: Promise<unknown>) => left.push(p) } as unknown as ExecutionContext };
}

const row = () =>
  world.router.recorder.row({
    flag: "shop",
    release: "2",
    cohort: "ga",
    variant: "green",
    placement: "hash",
  });

test("one request holds the lease, and a later one takes it over from a holder that is gone", async () => {
  const { keeper } = world.router;
  const now = Date.now();
  const [first, second, third] = [context(), context(), context()];
  expect(keeper.touch(world.env, first.ctx, now)).toBe(true);
  expect(keeper.touch(world.env, second.ctx, now + 10)).toBe(false);
  expect(keeper.touch(world.env, third.ctx, now + 3000)).toBe(true);
  expect([first, second, third].map(({ left }) => left.length)).toEqual([1, 0, 1]);
  await Promise.all(first.left);
});

test("with nothing to say it ends, so that an idle isolate costs nothing", async () => {
  const { ctx, left } = context();
  world.router.keeper.touch(world.env, ctx, Date.now());
  await Promise.all(left);
  expect(world.router.keeper.watches(Date.now())).toBe(false);
});

test("an attempt that takes long is told to look after itself", async () => {
  const attempt = new Attempt(row(), Date.now(), 1, 0);
  world.router.recorder.begin(attempt);
  world.router.keeper.touch(world.env, context().ctx, Date.now());
  expect(await attempt.promise).toBe("look-after-yourself");
  attempt.goOn();
  attempt.settle("connect");
  expect(await attempt.promise).toBe("connect");
  world.router.recorder.end(attempt);
});

test("an answer that comes while the word is under way is not lost", async () => {
  const attempt = new Attempt(row(), Date.now(), 1, 0);
  attempt.interrupt("look-after-yourself");
  attempt.settle("connect");
  expect(await attempt.promise).toBe("look-after-yourself");
  attempt.goOn();
  expect(await attempt.promise).toBe("connect");
});

test("an attempt that died with its visitor is counted as censored", async () => {
  const attempt = new Attempt(row(), Date.now(), 1, 0);
  const { recorder, keeper } = world.router;
  recorder.begin(attempt);
  keeper.touch(world.env, context().ctx, Date.now());
  while (recorder.open.size > 0) await scheduler.wait(50);
  expect(attempt.closed).toBe(true);
  expect(recorder.drain(Date.now())[0]!.tally).toMatchObject({ requests: 1, censored: 1 });
});
