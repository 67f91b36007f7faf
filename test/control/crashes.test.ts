import { abortAllDurableObjects, evictDurableObject, reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { SpecSync } from "../../src/control/spec-sync.ts";
import { initialEdits, onAdopt } from "../../src/core/rollout/edits.ts";
import { bad, batch, cell, controller, document, shard, sumsOf, withSpec } from "./parts.ts";

afterEach(() => reset());

/** An isolate: one batch in flight, tried again unchanged until it is acknowledged, some delivered twice. */
async function isolate(name: string, batches: number, acknowledge: () => void): Promise<number> {
  let requests = 0;
  for (let seq = 1; seq <= batches; seq++) {
    const sent = batch(name, seq, [cell({}, { requests: seq }), cell({ variant: "blue" }, { requests: 1 })]);
    requests += seq + 1;
    let acknowledged = false;
    while (!acknowledged) {
      acknowledged = await shard()
        .flush(sent)
        .then((answer) => answer.ack === seq)
        .catch(() => false);
      if (acknowledged) acknowledge();
      if (acknowledged && seq % 3 === 0)
        await shard()
          .flush(sent)
          .catch(() => undefined);
    }
  }
  return requests;
}

describe("no acknowledged batch is lost or counted twice", () => {
  it("while all objects crash again and again", async () => {
    let acknowledged = 0;
    const isolates = ["a", "b", "c"].map((name) => isolate(name, 20, () => acknowledged++));
    for (const crashAt of [5, 12, 20, 31, 45, 55]) {
      await vi.waitFor(() => expect(acknowledged).toBeGreaterThanOrEqual(crashAt), {
        timeout: 4000,
        interval: 2,
      });
      await abortAllDurableObjects();
    }
    const requests = (await Promise.all(isolates)).reduce((a, b) => a + b, 0);
    await vi.waitFor(async () => expect(await sumsOf()).toMatchObject({ requests }), { timeout: 4000 });
  }, 20_000);
});

describe("a run of failures", () => {
  it("halts over an eviction of the shard between the batches", async () => {
    const rules = [{ metric: "consecutive_errors", atLeast: 5 } as const];
    await withSpec(document({ rules }));
    await shard().flush(batch("a", 1, [cell({}, { requests: 3, errors: 3, run: 3 })]));
    await shard().settle();
    await evictDurableObject(shard());
    await shard().flush(batch("a", 2, [cell({}, { requests: 2, errors: 2, run: 5 })]));
    await sumsOf();
    expect((await controller().status()).halts).toMatchObject([{ rule: "consecutive_errors >= 5" }]);
  });
});

describe("a spec without rules of its own", () => {
  it("has the default ones", async () => {
    await withSpec(JSON.stringify({ flags: { shop: { state: "canary", percentage: 10, release: "1.0" } } }));
    await shard().flush(batch("a", 1, [{ ...bad(), tally: { ...bad().tally, errors: 30 } }]));
    await sumsOf();
    expect((await controller().status()).halts).toMatchObject([{ rule: "error_rate > 0.5" }]);
  });
});

describe("a read of KV that fails", () => {
  it("changes nothing, and the next one adopts", async () => {
    const text = document();
    let edits = initialEdits();
    let down = true;
    const adopted: string[] = [];
    const getWithMetadata = async () => {
      if (down) throw new Error("KV is down");
      return new Map([["flags", { value: text, metadata: null, cacheStatus: null }]]);
    };
    const sync = new SpecSync({ getWithMetadata } as unknown as KVNamespace, {
      edits: () => edits,
      saveEdits: (next) => {
        edits = next;
      },
      adoptFromKv: (given, hash) => {
        adopted.push(given);
        edits = onAdopt(edits, { hash, source: "kv" }, Date.now());
      },
      text: () => adopted.at(-1),
      keepText() {},
      revision: () => 1,
      sawKill() {},
    });
    await sync.read();
    expect({ adopted, edits }).toEqual({ adopted: [], edits: initialEdits() });
    down = false;
    await vi.waitFor(() => expect(adopted).toEqual([text]), { timeout: 4000 });
    expect(edits.seen).toBe(true);
  });
});
