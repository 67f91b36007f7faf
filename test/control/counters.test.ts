import {
  abortAllDurableObjects,
  evictDurableObject,
  reset,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CohortCounters } from "../../src/control/counters.ts";
import { batch, bindings, cell, controller, document, handEdit, shard, sumsOf, withSpec } from "./parts.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

/** Cuts the shard's way to the controller, or gives it back. */
async function cut(down: boolean): Promise<void> {
  await runInDurableObject(shard(), (instance: CohortCounters) => {
    const unreachable = () => Promise.reject(new Error("the controller is down"));
    const dead = {
      getByName: () => ({ forward: unreachable, current: unreachable, offerEdit: unreachable }),
    };
    const object = instance as unknown as { env: Env };
    object.env = down ? { ...bindings, CONTROLLER: dead as unknown as DurableObjectNamespace } : bindings;
  });
}

describe("a shard counts a batch once", () => {
  it("when it is delivered twice, and acknowledges it both times", async () => {
    const first = batch("a", 1, [cell({}, { requests: 5 })]);
    expect((await shard().flush(first)).ack).toBe(1);
    expect((await shard().flush(first)).ack).toBe(1);
    expect((await shard().flush(batch("a", 2, [cell({}, { requests: 2 })]))).ack).toBe(2);
    expect((await shard().flush(first)).ack).toBe(2);
    expect(await sumsOf()).toMatchObject({ requests: 7 });
  });

  it("when it is evicted in between", async () => {
    for (let seq = 1; seq <= 10; seq++) {
      const sent = batch("a", seq, [cell({}, { requests: 3, errors: 1 })]);
      await shard().flush(sent);
      if (seq % 2 === 0) await evictDurableObject(shard());
      if (seq % 3 === 0) await evictDurableObject(controller());
      await shard().flush(sent);
    }
    expect(await sumsOf()).toEqual({ requests: 30, errors: 10 });
  });

  it("from a Worker of version 1, which understands the answer", async () => {
    const { row, tick } = cell({}, {});
    const old = {
      v: 1,
      isolate: "old",
      seq: 1,
      revision: 0,
      cells: [{ row, tick, tally: { requests: 4, errors: 1 } }],
    };
    expect(await shard().flush(old)).toMatchObject({ ack: 1, revision: 0 });
    await shard().flush(old);
    expect(await sumsOf()).toEqual({ requests: 4, errors: 1 });
  });

  it("of several isolates and shards, each by its own number", async () => {
    await Promise.all(
      ["a", "b", "c"].flatMap((isolate) => [
        shard().flush(batch(isolate, 1, [cell({}, { requests: 1 })])),
        shard(1).flush(batch(`${isolate}1`, 1, [cell({}, { requests: 1 })])),
      ]),
    );
    await shard(1).settle();
    expect(await sumsOf()).toMatchObject({ requests: 6 });
  });

  it("in one row write", async () => {
    await shard().flush(batch("a", 1, [cell({}, { requests: 1 })]));
    const written = await runInDurableObject(shard(), async (instance: CohortCounters, state) => {
      const cursors: { rowsWritten: number }[] = [];
      const { sql } = state.storage;
      const exec = sql.exec.bind(sql);
      sql.exec = (query: string, ...values: unknown[]) => {
        const cursor = exec(query, ...values);
        cursors.push(cursor);
        return cursor as never;
      };
      await instance.flush(
        batch("a", 2, [cell({}, { requests: 1 }), cell({ variant: "blue" }, { requests: 9 })]),
      );
      return cursors.reduce((n, cursor) => n + cursor.rowsWritten, 0);
    });
    expect(written).toBe(1);
  });

  it("and keeps the sums of isolates that are gone", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await shard().flush(batch("a", 1, [cell({}, { requests: 5 })], { lost: 2 }));
    vi.setSystemTime(Date.now() + 16 * 60_000);
    await shard().flush(batch("b", 1, [cell({}, { requests: 1 })]));
    const isolates = await runInDurableObject(shard(), (_, state) =>
      state.storage.sql.exec("SELECT id FROM isolates").toArray(),
    );
    expect(isolates).toEqual([{ id: "b" }]);
    await evictDurableObject(shard());
    expect(await sumsOf()).toMatchObject({ requests: 6 });
    expect((await controller().status()).lost).toBe(2);
  });

  it("refuses garbage and goes on", async () => {
    await runInDurableObject(shard(), async (instance: CohortCounters) => {
      await expect(instance.flush({ v: 2, isolate: "a", seq: 1, cells: "x" })).rejects.toThrow("batch.cells");
    });
    expect((await shard().flush(batch("a", 1, [cell({}, { requests: 1 })]))).ack).toBe(1);
  });
});

describe("a shard answers", () => {
  it("an isolate that is behind with the snapshot, one that is not without", async () => {
    await withSpec();
    const behind = await shard().flush(batch("a", 0, [], { statusOnly: true }));
    expect(behind).toMatchObject({
      ack: 0,
      revision: 1,
      snapshot: { revision: 1, flags: { shop: { percentage: 50 } } },
    });
    const level = await shard().flush(batch("a", 0, [], { statusOnly: true, revision: 1 }));
    expect(level.snapshot).toBeUndefined();
  });

  it("with the snapshot that it held before an eviction, while the controller is down", async () => {
    await withSpec();
    await shard().flush(batch("a", 0, [], { statusOnly: true }));
    await evictDurableObject(shard());
    await cut(true);
    expect((await shard().flush(batch("a", 0, [], { statusOnly: true }))).snapshot?.revision).toBe(1);
  });

  it("one isolate only with the wish for the text of a hand edit, and passes it on", async () => {
    await withSpec();
    const text = document({ percentage: 60 });
    const { hashText } = await import("../../src/core/hashing/text.ts");
    const edit = { hash: hashText(text), at: Date.now() };
    const asked = await shard().flush(batch("a", 0, [], { statusOnly: true, edit }));
    const other = await shard().flush(batch("b", 0, [], { statusOnly: true, edit }));
    expect([asked.wantEdit, other.wantEdit]).toEqual([edit.hash, undefined]);
    // The place that offers it may be ahead of the controller's; its own read decides, since the spec is young.
    await handEdit(text);
    const answer = await shard().offerEdit({ hash: edit.hash, text }, 1);
    expect(answer.snapshot?.flags.shop?.percentage).toBe(60);
    expect(
      (await shard().flush(batch("b", 0, [], { statusOnly: true, edit, revision: 2 }))).wantEdit,
    ).toBeUndefined();
  });
});

describe("while the controller is down", () => {
  it("a shard acknowledges batches, keeps them over a crash, and catches up", async () => {
    await withSpec();
    await cut(true);
    for (let seq = 1; seq <= 5; seq++) {
      expect(
        (await shard().flush(batch("a", seq, [cell({}, { requests: 2, errors: seq === 5 ? 1 : 0 })]))).ack,
      ).toBe(seq);
    }
    expect(await sumsOf()).toMatchObject({ requests: 0 });
    await abortAllDurableObjects();
    await vi.waitFor(async () => expect(await sumsOf()).toEqual({ requests: 10, errors: 1 }));
  });

  it("tries again by itself, with an alarm behind it if traffic and memory are gone", async () => {
    await cut(true);
    await shard().flush(batch("a", 1, [cell({}, { requests: 2, errors: 1 })]));
    await vi.waitFor(() =>
      runInDurableObject(shard(), async (_, state) => expect(await state.storage.getAlarm()).not.toBeNull()),
    );
    await cut(false);
    await runDurableObjectAlarm(shard());
    const shards = await runInDurableObject(controller(), (_, state) =>
      state.storage.sql.exec("SELECT version FROM shards").toArray(),
    );
    expect(shards).toEqual([{ version: 1 }]);
  });
});
