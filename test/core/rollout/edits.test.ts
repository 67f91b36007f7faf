import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { initialEdits, KV_DELAY_MS, onAdopt, onPut, onRead } from "../../../src/core/rollout/edits.ts";
import { ALONE_AFTER_MS } from "../../../src/core/rollout/effective.ts";
import { World } from "./world.ts";

/** A world at rest that serves `text` everywhere. */
function settled(text: string, lags: number[] = [0, 30_000, 60_000]): World {
  const world = new World(lags);
  world.put(text);
  world.pass(300_000);
  return world;
}
const shares = (world: World) => world.isolates.map((i) => i.percentage);

describe("a hand edit", () => {
  it("that lowers green counts in an isolate the moment it reads it, with the controller down", () => {
    const world = settled("50@r1", [0]);
    world.controllerUp = false;
    world.put("10@r1");
    world.pass(1000);
    expect(shares(world)).toEqual([10]);
  });

  it("that raises green counts everywhere once one isolate has read it", () => {
    const world = settled("10@r1", [0, 60_000, 60_000]);
    world.put("50@r1");
    world.pass(2000);
    // The two that still read the old text hold green lower for as long as KV is stale, no longer.
    expect(world.isolates[0]!.percentage).toBe(50);
    world.pass(60_000);
    expect(shares(world)).toEqual([50, 50, 50]);
  });

  it("that has been put again with our revision makes old readings of it harmless", () => {
    const world = settled("10@r1", [0, 60_000]);
    expect(world.kv.at(-1)?.revision).toBe(world.revision);
    world.put("50@r1");
    world.pass(2000);
    // The stale place reads our own older text, which its revision tells.
    expect(shares(world)).toEqual([50, 50]);
  });

  it("that raises green waits while no shard answers, and counts after two minutes", () => {
    const world = settled("10@r1", [0]);
    world.controllerUp = false;
    world.put("50@r1");
    world.pass(ALONE_AFTER_MS - 5000);
    expect(shares(world)).toEqual([10]);
    world.pass(10_000);
    expect(shares(world)).toEqual([50]);
  });

  it("never lifts a halt that the isolate knows, not even alone", () => {
    const world = settled("10@r1", [0]);
    world.halt("r1");
    world.pass(2000);
    world.controllerUp = false;
    world.put("60@r1");
    world.pass(ALONE_AFTER_MS * 2);
    expect(shares(world)).toEqual([0]);
    world.controllerUp = true;
    world.pass(200_000);
    expect(shares(world)).toEqual([0]);
  });

  it("with the next release brings green back; naming the halted release again takes it out again", () => {
    const world = settled("10@r1", [0]);
    world.halt("r1");
    world.pass(2000);
    world.put("20@r2");
    world.pass(3000);
    expect(shares(world)).toEqual([20]);
    world.pass(200_000);
    world.put("20@r1");
    world.pass(2000);
    expect(shares(world)).toEqual([0]);
  });

  it("that puts yesterday's file back is a rollback at once, and everywhere within KV's delay", () => {
    const world = settled("10@r1", [0, 60_000]);
    world.put("80@r1");
    world.pass(600_000);
    expect(shares(world)).toEqual([80, 80]);
    world.put("10@r1");
    world.pass(1000);
    expect(world.isolates[0]!.percentage).toBe(10);
    world.pass(KV_DELAY_MS + 5000);
    expect(shares(world)).toEqual([10, 10]);
    expect(world.spec).toBe("10@r1");
  });

  it("is followed by the last of two in a row, also where the places see them in the other order", () => {
    const world = settled("5@r1", [40_000, 0, 20_000]);
    world.controllerLag = 50_000;
    world.put("30@r1");
    world.pass(7000);
    world.put("20@r1");
    world.pass(400_000);
    expect(world.spec).toBe("20@r1");
    expect(shares(world)).toEqual([20, 20, 20]);
  });
});

describe("an API write", () => {
  it("is refused when a hand edit came first, and that edit is the spec", () => {
    const world = settled("10@r1", [0]);
    const seen = world.revision;
    world.put("30@r1");
    expect(world.write("50@r1", seen)).toBe(false);
    world.pass(5000);
    expect(shares(world)).toEqual([30]);
  });

  it("survives a place that reads the old text for a minute", () => {
    const world = settled("10@r1", [0, 60_000]);
    expect(world.write("50@r1", world.revision)).toBe(true);
    world.pass(2000);
    expect(shares(world)).toEqual([50, 50]);
    world.pass(300_000);
    expect(world.spec).toBe("50@r1");
  });

  it("is not undone by an old reading of the controller's own", () => {
    const world = settled("10@r1", [0, 60_000]);
    world.controllerLag = 60_000;
    world.pass(120_000);
    expect(world.write("50@r1", world.revision)).toBe(true);
    world.pass(300_000);
    expect(world.spec).toBe("50@r1");
    expect(shares(world)).toEqual([50, 50]);
  });
});

describe("what fails on the way", () => {
  it("an API write that KV did not take is put again, and the old text does not undo it", () => {
    const world = settled("10@r1", [0]);
    world.kvTakesPuts = false;
    expect(world.write("50@r1", world.revision)).toBe(true);
    world.pass(200_000);
    expect(world.spec).toBe("50@r1");
    expect(world.kv.at(-1)?.text).toBe("10@r1");
    world.kvTakesPuts = true;
    world.pass(120_000);
    expect(world.kv.at(-1)).toMatchObject({ text: "50@r1", revision: world.revision });
  });

  it("a text of our own that is older than our last put is never taken for an edit, however late it is read", () => {
    const before = onPut(
      onAdopt(initialEdits(), { hash: "b", source: "api" }, 0),
      { hash: "b", revision: 7 },
      0,
    );
    expect(onRead(before, { hash: "a", revision: 5 }, 1000).action).toBe("none");
    // No longer a stale reading: KV really holds it, so the spec is put over it.
    expect(onRead(before, { hash: "a", revision: 5 }, 10 * KV_DELAY_MS).action).toBe("put");
  });

  it("a text of a controller before us, newer than any of ours, is adopted", () => {
    const before = onAdopt(initialEdits(), { hash: "b", source: "kv" }, 0);
    expect(onRead(before, { hash: "a", revision: 9 }, 10 * KV_DELAY_MS).action).toBe("adopt");
  });
});

describe("whatever is done in whatever order", () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("put" as const),
        percentage: fc.integer({ min: 0, max: 100 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("write" as const),
        percentage: fc.integer({ min: 0, max: 100 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("halt" as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("toggle" as const) }) },
  );
  const script = fc.array(fc.tuple(step, fc.integer({ min: 0, max: 90 })), { minLength: 1, maxLength: 12 });
  const lag = fc.integer({ min: 0, max: 60 }).map((s) => s * 1000);

  it("all places end on one share, a halted release never has any, and no stale reading raises green", () => {
    fc.assert(
      fc.property(script, fc.tuple(lag, lag, lag), lag, (steps, lags, controllerLag) => {
        const world = settled("10@r0", lags);
        world.controllerLag = controllerLag;
        let n = 0;
        for (const [action, seconds] of steps) {
          n++;
          if (action.kind === "put") world.put(`${action.percentage}@r1#${n}`);
          else if (action.kind === "write" && world.controllerUp)
            world.write(`${action.percentage}@r1#${n}`, world.revision);
          else if (action.kind === "halt" && world.controllerUp) world.halt("r1");
          else if (action.kind === "toggle") world.controllerUp = !world.controllerUp;
          for (let s = 0; s < seconds; s++) {
            world.pass(1000);
            for (const isolate of world.isolates) {
              const published = isolate.snapshot!;
              const alone = world.now - isolate.heardAt >= ALONE_AFTER_MS;
              if (!alone)
                expect(isolate.percentage * 1000).toBeLessThanOrEqual(published.status.checkout!.share);
              if (published.halts.length > 0 && published.flags.checkout!.release === "r1") {
                expect(isolate.percentage).toBe(0);
              }
            }
          }
        }
        world.controllerUp = true;
        world.pass(400_000);
        const last = world.kv.at(-1)!;
        expect(world.spec).toBe(last.text);
        expect(new Set(shares(world)).size).toBe(1);
        expect(last.revision).toBeDefined();
      }),
      { numRuns: 100 },
    );
  });
});
