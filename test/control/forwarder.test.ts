import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { RolloutController } from "../../src/control/controller.ts";
import { Forwarder } from "../../src/control/forwarder.ts";
import { Sampler } from "../../src/control/sampler.ts";
import { batch, cell, controller, shard } from "./parts.ts";

afterEach(() => reset());

/** Milliseconds until the controller has stored something of the shard. */
async function untilStored(): Promise<number> {
  const from = Date.now();
  await vi.waitFor(
    () =>
      runInDurableObject(controller(), (_, state) =>
        expect(state.storage.sql.exec("SELECT version FROM shards").toArray()).toHaveLength(1),
      ),
    { timeout: 3000, interval: 10 },
  );
  return Date.now() - from;
}

describe("a shard forwards", () => {
  it("failures of green within 250 ms", async () => {
    await shard().flush(batch("a", 1, [cell({}, { requests: 2, timeouts: 1 })]));
    expect(await untilStored()).toBeLessThan(250);
  });

  it("what breakers kept from green within 250 ms", async () => {
    await shard().flush(batch("a", 1, [cell({}, { diverted: 1 })]));
    expect(await untilStored()).toBeLessThan(250);
  });

  it("everything else gathered for a second", async () => {
    await shard().flush(batch("a", 1, [cell({ variant: "blue" }, { requests: 2, errors: 1 })]));
    const ms = await untilStored();
    expect(ms).toBeGreaterThan(700);
    expect(ms).toBeLessThan(1500);
  });
});

describe("the controller", () => {
  it("writes two rows for a forward of one flag, and the window at most every 5 s besides", async () => {
    const rows = await runInDurableObject(controller(), async (instance: RolloutController, state) => {
      const cursors: { rowsWritten: number }[] = [];
      const { sql } = state.storage;
      const exec = sql.exec.bind(sql);
      sql.exec = (query: string, ...values: unknown[]) => {
        const cursor = exec(query, ...values);
        cursors.push(cursor);
        return cursor as never;
      };
      const written: number[] = [];
      for (let version = 1; version <= 3; version++) {
        cursors.length = 0;
        const cells = [cell({}, { requests: 1 }), cell({ variant: "blue" }, { requests: 9 })];
        const totals = cells.map(({ row, tally }) => ({ row, tally }));
        const counted = { base: version - 1, version, totals, cells };
        await instance.forward({ v: 2, shard: "s", ...counted, inFlight: [], lost: 0, isolates: 1 });
        written.push(cursors.reduce((n, cursor) => n + cursor.rowsWritten, 0));
      }
      return written;
    });
    expect(rows.slice(1)).toEqual([2, 2]);
  });
});

describe("a forwarder", () => {
  it("has one forward in flight, and sends once more what came meanwhile", async () => {
    let version = 1;
    const sent: number[] = [];
    const answers: (() => void)[] = [];
    const forwarder = new Forwarder({
      async send() {
        const mine = version;
        sent.push(mine);
        await new Promise<void>((resolve) => answers.push(resolve));
        return { version: mine, have: mine };
      },
      stuck() {},
    });
    forwarder.request(0);
    await vi.waitFor(() => expect(sent).toEqual([1]));
    for (version = 2; version < 5; version++) forwarder.request(0);
    expect(sent).toEqual([1]);
    answers[0]!();
    await vi.waitFor(() => expect(sent).toEqual([1, 5]));
    answers[1]!();
  });

  it("sends again from what the controller has", async () => {
    const bases: number[] = [];
    const forwarder = new Forwarder({
      send: async (base) => {
        bases.push(base);
        return { version: 9, have: bases.length === 1 ? 4 : 9 };
      },
      stuck() {},
    });
    await forwarder.flush();
    await forwarder.flush();
    expect(bases).toEqual([0, 4, 9]);
  });
});

describe("a sampler", () => {
  it("asks for a part of the isolates above 300 batches a second, and for all again when it is calm", () => {
    const sampler = new Sampler();
    let now = 1_000_000;
    const run = (perSecond: number, seconds: number) => {
      for (let i = 0; i < perSecond * seconds; i++) {
        now += 1000 / perSecond;
        sampler.saw(now, true);
      }
    };
    run(250, 10);
    expect(sampler.share).toBe(1);
    run(400, 11);
    expect(sampler.share).toBeLessThan(1);
    run(50, 60);
    expect(sampler.share).toBe(1);
  });

  it("asks for all again also when only isolates outside the sample are left, that send no counts", () => {
    const sampler = new Sampler();
    const start = 1_000_000;
    for (let i = 0; i < 8000; i++) sampler.saw(start + 2 * i, true);
    expect(sampler.share).toBeLessThan(1);
    for (let i = 0; i < 20; i++) sampler.saw(start + 20_000 + 5000 * i, false);
    expect(sampler.share).toBe(1);
  });
});
