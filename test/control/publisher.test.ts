import { reset, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Latest } from "../../src/control/latest.ts";
import { Publisher } from "../../src/control/publisher.ts";
import { emptyRollout, snapshotOf } from "../../src/control/rollout.ts";
import type { Snapshot } from "../../src/core/rollout/snapshot.ts";
import { bindings, controller, document, shard, withSpec } from "./parts.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

function snapshot(revision: number): Snapshot {
  return snapshotOf({ ...emptyRollout(), revision }, Date.now())!;
}

/** A KV namespace that notes when it is written to. */
function noting(): { env: Env; puts: { revision: number; at: number }[] } {
  const puts: { revision: number; at: number }[] = [];
  const put = async (key: string, text: string, options: KVNamespacePutOptions) => {
    puts.push({ revision: (JSON.parse(text) as Snapshot).revision, at: Date.now() });
    await bindings.FLAGS.put(key, text, options);
  };
  return { env: { ...bindings, SHARDS: "2", FLAGS: { put } as unknown as KVNamespace }, puts };
}

describe("publishing", () => {
  it("puts the newest snapshot only, and at most once a second", async () => {
    const { env, puts } = noting();
    const publisher = new Publisher(env, async () => {});
    for (let revision = 1; revision <= 3; revision++) publisher.publish(snapshot(revision));
    await vi.waitFor(() => expect(puts).toHaveLength(1));
    for (let revision = 4; revision <= 9; revision++) publisher.publish(snapshot(revision));
    await vi.waitFor(() => expect(puts).toHaveLength(2), { timeout: 2000 });
    expect(puts.map((put) => put.revision)).toEqual([3, 9]);
    expect(puts[1]!.at - puts[0]!.at).toBeGreaterThanOrEqual(1000);
    await vi.waitFor(() => expect(publisher.busy).toBe(false));
  });

  it("tells every shard at once, which never goes back to a lower revision", async () => {
    const publisher = new Publisher(noting().env, async () => {});
    publisher.publish(snapshot(7));
    await vi.waitFor(async () => {
      expect((await shard(0).held())?.revision).toBe(7);
      expect((await shard(1).held())?.revision).toBe(7);
    });
    await shard(1).publish(snapshot(6));
    expect((await shard(1).held())?.revision).toBe(7);
  });

  it("puts nothing when the object cannot write down any more: another one is the controller", async () => {
    const { env, puts } = noting();
    let replaced = true;
    const publisher = new Publisher(env, () =>
      replaced ? Promise.reject(new Error("replaced")) : Promise.resolve(),
    );
    publisher.republish(snapshot(1));
    await vi.waitFor(() => expect(publisher.busy).toBe(true));
    expect(puts).toEqual([]);
    replaced = false;
    await vi.waitFor(() => expect(puts).toHaveLength(1), { timeout: 3000 });
  });

  it("puts the snapshot again with the alarm while a canary runs", async () => {
    await withSpec();
    await vi.waitFor(async () => expect(await bindings.FLAGS.get("snapshot")).not.toBeNull(), {
      timeout: 3000,
    });
    await bindings.FLAGS.delete("snapshot");
    expect(await runDurableObjectAlarm(controller())).toBe(true);
    await vi.waitFor(async () => expect(await bindings.FLAGS.get("snapshot")).not.toBeNull(), {
      timeout: 3000,
    });
  });

  it("falls silent when no green gets traffic and everything has been put", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await withSpec(document({ state: "off" }));
    vi.setSystemTime(Date.now() + 80_000);
    // One for the hand edit's revision, and perhaps one for the last put.
    let alarms = 0;
    while (alarms < 5 && (await runDurableObjectAlarm(controller()))) alarms++;
    expect(alarms).toBeLessThan(5);
    expect((await bindings.FLAGS.getWithMetadata("flags")).metadata).not.toBeNull();
  });

  it("tells the kill key to isolates that cannot read it themselves", async () => {
    await withSpec();
    await bindings.FLAGS.put("kill", "shop");
    await runDurableObjectAlarm(controller());
    const { revision } = await controller().status();
    await vi.waitFor(async () => expect(await shard(0).held()).toMatchObject({ kill: "shop", revision }));
  });

  it("puts an adopted hand edit again with its revision once KV's delay is over", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await withSpec();
    const { revision } = await controller().status();
    expect((await bindings.FLAGS.getWithMetadata("flags")).metadata).toBeNull();
    vi.setSystemTime(Date.now() + 80_000);
    await runDurableObjectAlarm(controller());
    expect((await bindings.FLAGS.getWithMetadata("flags")).metadata).toEqual({ revision });
  });
});

describe("sending the latest", () => {
  it("tries again when it fails, with the newest value", async () => {
    const sent: number[] = [];
    const send = async (value: number) => {
      sent.push(value);
      if (sent.length === 1) throw new Error("down");
    };
    const latest = new Latest<number>({ name: "test", send, spacingMs: 0, attempts: 5 });
    latest.offer(1);
    await vi.waitFor(() => expect(sent).toEqual([1]));
    latest.offer(2);
    await vi.waitFor(() => expect(sent).toEqual([1, 2]), { timeout: 3000 });
  });

  it("gives a value up after so many failures, and takes the next one", async () => {
    const sent: number[] = [];
    const send = async (value: number) => {
      sent.push(value);
      throw new Error("down");
    };
    const latest = new Latest<number>({ name: "test", send, spacingMs: 0, attempts: 1 });
    latest.offer(1);
    await vi.waitFor(() => expect(latest.busy).toBe(false));
    latest.offer(2);
    await vi.waitFor(() => expect(sent).toEqual([1, 2]));
  });
});
