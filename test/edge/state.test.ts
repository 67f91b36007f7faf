/** Promises about an isolate that wakes up while something is down. */
import { beforeEach, expect, test, vi } from "vitest";
import { flagSchema } from "../../src/core/flag/schema.ts";
import { SNAPSHOT_VERSION, type Snapshot } from "../../src/core/rollout/snapshot.ts";
import { WIRE_VERSION } from "../../src/core/wire/messages.ts";
import { bindings, emptyKv, OBJECTS_DOWN, World } from "../router/world.ts";

beforeEach(emptyKv);

const KV_DOWN = {
  getWithMetadata: () => Promise.reject(new Error("KV is down")),
} as unknown as KVNamespace;

const route = { blue: "service:BLUE", green: "service:GREEN" };
const halted: Snapshot = {
  v: SNAPSHOT_VERSION,
  revision: 9,
  at: 0,
  specHash: "x",
  enabled: true,
  flags: { shop: flagSchema.parse({ state: "on", release: "2", route }) },
  status: { shop: { generation: "g", share: 100_000 } },
  halts: [{ flag: "shop", release: "2", action: "rollback", at: 0, rule: "r", reason: "x", figures: {} }],
  faults: [],
};

/** A shard that hands out a snapshot after some milliseconds. */
function shardAfter(ms: number, snapshot: Snapshot): DurableObjectNamespace {
  const flush = async () => {
    await scheduler.wait(ms);
    return { v: WIRE_VERSION, ack: 0, revision: snapshot.revision, snapshot };
  };
  return { getByName: () => ({ flush }) } as unknown as DurableObjectNamespace;
}

test("with KV unreadable it goes by its shard", async () => {
  const world = new World({ FLAGS: KV_DOWN, COUNTERS: shardAfter(20, { ...halted, halts: [] }) });
  expect(await (await world.ask({ visitor: 1 })).text()).toBe("green");
});

test("with everything unreadable it goes to the default origin, else says 503", async () => {
  const down = { FLAGS: KV_DOWN, COUNTERS: OBJECTS_DOWN };
  expect((await new World(down).ask()).status).toBe(503);
  const world = new World({ ...down, DEFAULT_ORIGIN: "service:BLUE" });
  expect(await (await world.ask()).text()).toBe("blue");
});

test("KV that fails later changes nothing, and green's last good share goes on", async () => {
  const world = new World({ COUNTERS: OBJECTS_DOWN });
  await world.put();
  expect(await (await world.ask({ visitor: 1 })).text()).toBe("green");
  world.env.FLAGS = KV_DOWN;
  await world.refresh();
  expect(await (await world.ask({ visitor: 1 })).text()).toBe("green");
});

test("a request for green waits for the shard, which may know of a halt that KV does not show yet", async () => {
  const world = new World({ COUNTERS: shardAfter(50, halted) });
  await world.put({ release: "2" });
  expect(await (await world.ask({ visitor: 1 })).text()).toBe("blue");
});

test("but no longer than 200 ms from the first ask; then it goes by KV", async () => {
  const world = new World({ COUNTERS: shardAfter(2000, halted) });
  await world.put({ release: "2" });
  const start = Date.now();
  expect(await (await world.ask({ visitor: 1 })).text()).toBe("green");
  expect(Date.now() - start).toBeLessThan(1500);
  await vi.waitFor(async () => expect(await (await world.ask({ visitor: 1 })).text()).toBe("blue"), 4000);
});

test("parallel first requests all find their way", async () => {
  const world = new World({ COUNTERS: OBJECTS_DOWN });
  await world.put({ state: "off" });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => world.ask({ visitor: i })));
  expect(new Set(await Promise.all(answers.map((answer) => answer.text())))).toEqual(new Set(["blue"]));
});

test("a kill written by a person reaches it with the next read", async () => {
  const world = new World({ COUNTERS: OBJECTS_DOWN });
  await world.put();
  expect(await (await world.ask({ visitor: 1 })).text()).toBe("green");
  await bindings.FLAGS.put("kill", "*");
  await world.refresh();
  expect(await (await world.ask({ visitor: 1 })).text()).toBe("blue");
});

test("a flag that is made serves an isolate that had nothing to route within seconds, without KV", async () => {
  const before = { ...halted, halts: [], flags: {}, status: {} };
  const shard = { snapshot: before };
  const flush = async () => ({ v: WIRE_VERSION, ack: 0, revision: shard.snapshot.revision, ...shard });
  const COUNTERS = { getByName: () => ({ flush }) } as unknown as DurableObjectNamespace;
  const world = new World({ FLAGS: KV_DOWN, COUNTERS });
  expect((await world.ask()).status).toBe(404);
  shard.snapshot = { ...halted, revision: 10, halts: [] } as typeof before;
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2_500 });
  await vi.waitFor(async () => expect(await (await world.ask({ visitor: 1 })).text()).toBe("green"));
  vi.useRealTimers();
});
