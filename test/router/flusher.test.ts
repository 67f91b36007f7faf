/** Promises of the way from an isolate's memory to its shard. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { addTally, emptyTally } from "../../src/core/analysis/tally.ts";
import { decodeBatch } from "../../src/core/wire/decode.ts";
import type { Batch, FlushAnswer } from "../../src/core/wire/messages.ts";
import { bindings, emptyKv, World } from "./world.ts";

/** A door before the real shard: it keeps what passes, and can be shut on the way in or on the way out. */
class Door {
  readonly batches: Batch[] = [];
  shut: "in" | "out" | undefined;

  readonly getByName = (name: string) => {
    const shard = bindings.COUNTERS.getByName(name) as unknown as {
      flush(batch: unknown): Promise<FlushAnswer>;
    };
    return {
      flush: async (batch: unknown) => {
        if (!(batch as Batch).statusOnly) this.batches.push(decodeBatch(structuredClone(batch)));
        if (this.shut === "in") throw new Error("lost on the way in");
        const answer = await shard.flush(batch);
        if (this.shut === "out") throw new Error("lost on the way out");
        // What other tests have made the controller publish is not for this isolate.
        const { snapshot: _, ...rest } = answer;
        return rest;
      },
    };
  };
}

let door: Door;
let world: World;
beforeEach(async () => {
  await emptyKv();
  door = new Door();
  world = new World({ COUNTERS: door as unknown as DurableObjectNamespace });
});

afterEach(() => {
  vi.useRealTimers();
});

const requests = (batch: Batch) => batch.cells.reduce((n, { tally }) => n + tally.requests, 0);

test("every request is sent, in batches numbered from one, when traffic stops", async () => {
  await world.put();
  for (let i = 0; i < 25; i++) await world.ask({ visitor: i });
  await world.settle();
  expect(door.batches.map(({ seq }) => seq)).toEqual(door.batches.map((_, i) => i + 1));
  expect(door.batches.reduce((n, batch) => n + requests(batch), 0)).toBe(25);
});

describe("a shard that cannot be reached", () => {
  test.each(["in", "out"] as const)(
    "is sent the same batch again, unchanged, and the next one after it (%s)",
    async (way) => {
      await world.put();
      door.shut = way;
      for (let i = 0; i < 12; i++) await world.ask({ visitor: i });
      await world.router.flusher.flush(world.env);
      for (let i = 0; i < 7; i++) await world.ask({ visitor: i });
      await world.router.flusher.flush(world.env);
      door.shut = undefined;
      await world.router.flusher.flush(world.env);
      await world.router.flusher.flush(world.env);
      const [first, second, third, fourth] = door.batches;
      expect([second, third]).toEqual([first, first]);
      expect(fourth!.seq).toBe(first!.seq + 1);
      expect(requests(first!) + requests(fourth!)).toBe(19);
      await world.settle();
    },
  );

  test("for five minutes makes a batch lost, which the next one says, and not a second less", async () => {
    await world.put();
    await world.ask({ visitor: 0 });
    await world.router.flusher.flush(world.env);
    door.batches.length = 0;
    vi.useFakeTimers({ toFake: ["Date"] });
    door.shut = "in";
    const began = Date.now();
    await world.ask({ visitor: 1 });
    await world.router.flusher.flush(world.env);
    vi.setSystemTime(began + 299_000);
    await world.router.flusher.flush(world.env);
    vi.setSystemTime(began + 301_000);
    await world.router.flusher.flush(world.env);
    expect(door.batches.map(({ seq, lost }) => [seq, lost])).toEqual([
      [2, 0],
      [2, 0],
      [3, 1],
    ]);
    door.shut = undefined;
    await world.ask({ visitor: 2 });
    await world.router.flusher.flush(world.env);
    expect(door.batches.at(-1)).toMatchObject({ seq: 3, lost: 1 });
  });

  test("costs no visitor anything", async () => {
    await world.put();
    door.shut = "in";
    for (let i = 0; i < 20; i++) expect((await world.ask({ visitor: i })).status).toBe(200);
    door.shut = undefined;
    await world.settle();
  });
});

test("the sums of what was sent are those of what was served, whatever was lost on the way", async () => {
  await world.put({ state: "canary", percentage: 50 });
  for (let i = 0; i < 60; i++) {
    await world.ask({ visitor: i });
    if (i % 7 === 0) {
      door.shut = i % 2 ? "in" : "out";
      await world.router.flusher.flush(world.env);
      door.shut = undefined;
    }
  }
  for (let i = 0; i < 2; i++) await world.router.flusher.flush(world.env);
  const bySeq = new Map(door.batches.map((batch) => [batch.seq, batch]));
  const all = [...bySeq.values()]
    .flatMap(({ cells }) => cells)
    .reduce((t, { tally }) => addTally(t, tally), emptyTally());
  expect(all.requests).toBe(world.blue.seen.length + world.green.seen.length);
  expect(all.requests).toBe(60);
});

test("an isolate outside the shard's sample asks for the status only, and uses up no number", async () => {
  await world.put();
  const statusOnly: boolean[] = [];
  const sampled = {
    getByName: () => ({
      flush: async (batch: unknown) => {
        statusOnly.push((batch as Batch).statusOnly === true);
        return { v: 2, ack: 0, revision: 0, sampling: 1e-9 };
      },
    }),
  };
  world = new World({ COUNTERS: sampled as unknown as DurableObjectNamespace });
  await world.ask({ visitor: 1 });
  await world.router.flusher.flush(world.env);
  statusOnly.length = 0;
  await world.ask({ visitor: 2 });
  await world.router.flusher.flush(world.env);
  expect(statusOnly).toEqual([true]);
  await world.settle();
});

test("a cold isolate asks its shard beside KV, so that it has been heard before anything was counted", async () => {
  await world.put();
  await world.ask({ visitor: 1 });
  expect(world.state.knowing.heardAt).toBeDefined();
  expect(door.batches).toEqual([]);
});
