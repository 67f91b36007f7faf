import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { Waiters } from "../../src/control/waiters.ts";
import { bad, batch, controller, quiet, shard, withSpec } from "./parts.ts";

afterEach(async () => {
  await quiet();
  await reset();
});

const who = { who: "ann", how: "api", reason: "" } as const;
/** Longer than a test may take: what waits for it fails. */
const LONG_MS = 20_000;

async function here() {
  const { last, revision } = await controller().changes({ after: 0, revision: 0, waitMs: 0 });
  return { after: last, revision };
}

describe("who waits for changes", () => {
  it("hears of an edit, a halt and a command in the turn in which they are decided", async () => {
    await withSpec();
    let at = await here();
    const wait = () => controller().changes({ ...at, waitMs: LONG_MS });
    const edited = wait();
    const edit = { kind: "patch", value: { percentage: 60 } } as const;
    await controller().editFlag({ flag: "shop", edit, ifMatch: undefined, ...who });
    const first = await edited;
    expect(first.entries.map(({ action }) => action)).toEqual(["percentage", "set"]);
    expect(first.revision).toBeGreaterThan(at.revision);
    at = { after: first.last, revision: first.revision };
    const halted = wait();
    await shard().flush(batch("a", 1, [bad()]));
    expect((await halted).entries.map(({ action }) => action)).toEqual(["rollback"]);
    at = await here();
    const resumed = wait();
    await controller().resume({ flag: "shop", ...who });
    expect((await resumed).entries.map(({ action }) => action)).toEqual(["resume"]);
  });

  it("is answered at once where something has changed already, oldest first and 200 at most", async () => {
    await withSpec();
    const started = Date.now();
    const { entries, last } = await controller().changes({ after: 1, revision: 0, waitMs: LONG_MS });
    expect(entries.map(({ id }) => id)).toEqual(entries.map((_, i) => i + 2));
    expect(last).toBe(entries.at(-1)!.id);
    expect(Date.now() - started).toBeLessThan(LONG_MS);
  });

  it("is answered with nothing when the time is over", async () => {
    await withSpec();
    const at = await here();
    expect(await controller().changes({ ...at, waitMs: 20 })).toEqual({
      revision: at.revision,
      last: at.after,
      entries: [],
    });
  });
});

describe("waiting", () => {
  it("holds a hundred at most, and leaves none behind", async () => {
    const waiters = new Waiters();
    const all = Array.from({ length: 150 }, () => waiters.wait(LONG_MS));
    expect(waiters.count).toBe(100);
    await Promise.all(all.slice(100));
    waiters.wake();
    await Promise.all(all);
    expect(waiters.count).toBe(0);
    await waiters.wait(1);
    expect(waiters.count).toBe(0);
  });
});
