import fc from "fast-check";
import { expect, test } from "vitest";
import { BLOCK_MS, BlueHistory, CHUNK_MS, type Chunk, replay } from "../../src/control/blue-history.ts";
import type { ComparisonTick } from "../../src/core/analysis/comparing.ts";
import { TICK_MS } from "../../src/core/wire/messages.ts";

const START = 1_800_000_000_000;

function tick(i: number, requests: number, slices: Record<number, number> = {}): ComparisonTick {
  const bySlice = new Uint32Array(16);
  for (const slice in slices) bySlice[slice] = slices[slice]!;
  const errors = bySlice.reduce((a, b) => a + b, 0);
  const at = START + (i + 1) * TICK_MS;
  return { at, ms: TICK_MS, blue: { requests, errors, slices: bySlice }, green: { requests: 9, errors: 9 } };
}

/** Chunks by their start, as storage keeps them. */
class Stored {
  readonly rows = new Map<number, string>();

  save(history: BlueHistory): void {
    for (const { from, blocks } of history.changed()) this.rows.set(from, JSON.stringify(blocks));
  }

  get chunks(): Chunk[] {
    return [...this.rows].map(([from, blocks]) => ({ from, blocks: JSON.parse(blocks) }));
  }
}

const ticks = fc.array(
  fc.record({
    gap: fc.integer({ min: 1, max: 400 }),
    requests: fc.integer({ min: 1, max: 500 }),
    slices: fc.dictionary(fc.integer({ min: 0, max: 15 }).map(String), fc.integer({ min: 1, max: 9 })),
    evicted: fc.boolean(),
  }),
  { maxLength: 80 },
);

test("what is replayed is what blue did, also when it was written down and taken up again at any point", () => {
  fc.assert(
    fc.property(ticks, (list) => {
      const stored = new Stored();
      let history = new BlueHistory(undefined);
      let i = 0;
      const given = { requests: 0, slices: new Uint32Array(16) };
      for (const { gap, requests, slices, evicted } of list) {
        i += gap;
        history.add(tick(i, requests, slices));
        given.requests += requests;
        for (const slice in slices) given.slices[Number(slice)]! += slices[slice]!;
        if (!evicted) continue;
        stored.save(history);
        history = new BlueHistory(stored.chunks.at(-1));
      }
      stored.save(history);
      const told = { requests: 0, slices: new Uint32Array(16) };
      let last = 0;
      for (const { at, blue, green } of replay(stored.chunks)) {
        if (at <= last) throw new Error("time went back");
        last = at;
        told.requests += blue.requests;
        for (let slice = 0; slice < 16; slice++) told.slices[slice]! += blue.slices?.[slice] ?? 0;
        expect(green.requests).toBe(0);
      }
      expect(told).toEqual(given);
    }),
  );
});

test("ten minutes of traffic with failures in every block are a row of a few kB", () => {
  const stored = new Stored();
  const history = new BlueHistory(undefined);
  for (let i = 0; i < CHUNK_MS / TICK_MS; i++) history.add(tick(i, 1000, { [i % 16]: 2 }));
  stored.save(history);
  expect(stored.chunks[0]!.blocks).toHaveLength(CHUNK_MS / BLOCK_MS);
  expect([...stored.rows.values()][0]!.length).toBeLessThan(3_000);
});
