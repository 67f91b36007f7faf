import { describe, expect, it } from "vitest";
import { sketchOfOne } from "../../../src/core/analysis/sketch.ts";
import { emptyTally } from "../../../src/core/analysis/tally.ts";
import { decodeBatch, decodeForward, MAX_CELLS } from "../../../src/core/wire/decode.ts";
import { encodeBatch, encodeForward } from "../../../src/core/wire/encode.ts";
import { type Batch, type Forward, WIRE_VERSION } from "../../../src/core/wire/messages.ts";
import { row, tally } from "../analysis/counts.ts";

const batch: Batch = {
  v: WIRE_VERSION,
  isolate: "i1",
  seq: 3,
  cells: [
    {
      row: row(),
      tick: 17,
      tally: tally({
        requests: 5,
        errors: 1,
        refused: 2,
        run: 1,
        visitors: [4, 9],
        sketch: sketchOfOne(77),
        slices: { 3: 1 },
        latency: { 80: 5 },
      }),
    },
  ],
  inFlight: [{ row: row(), count: 2, oldestMs: 900 }],
  revision: 12,
  edit: { hash: "abc", at: 5 },
  lost: 1,
};
const forward: Forward = {
  v: WIRE_VERSION,
  shard: "shard-0#x",
  base: 4,
  version: 9,
  totals: [{ row: row(), tally: tally({ requests: 5 }) }],
  cells: batch.cells,
  inFlight: batch.inFlight,
  lost: 0,
  isolates: 2,
  revision: 3,
  sampling: 0.5,
};
const wire = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;

describe("the wire", () => {
  it("gives back what was sent", () => {
    expect(decodeBatch(wire(encodeBatch(batch)))).toEqual(batch);
    expect(decodeForward(wire(encodeForward(forward)))).toEqual(forward);
  });

  it("leaves out what is zero", () => {
    const [cell] = encodeBatch({
      ...batch,
      cells: [{ row: row(), tick: 1, tally: tally({ requests: 2 }) }],
    }).cells;
    expect(cell?.tally).toEqual({ requests: 2 });
  });

  it("takes a batch of version 1, which has no slices, runs or requests in flight", () => {
    const old = {
      v: 1,
      isolate: "i1",
      seq: 1,
      revision: 0,
      cells: [{ row: row(), tick: 1, tally: { requests: 2 } }],
    };
    expect(decodeBatch(old)).toMatchObject({
      v: WIRE_VERSION,
      inFlight: [],
      lost: 0,
      cells: [{ tally: { ...emptyTally(), requests: 2 } }],
    });
  });

  it("does not lose a batch to a clock that was set back", () => {
    const inFlight = [{ row: row(), count: 1, oldestMs: -30 }];
    expect(decodeBatch({ ...batch, inFlight }).inFlight[0]?.oldestMs).toBe(0);
  });

  it("passes over fields that it does not know", () => {
    expect(decodeBatch({ ...wire(encodeBatch(batch)), later: true })).toEqual(batch);
  });

  it.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /^batch: expected an object/],
    ["a text", "batch", /^batch: expected an object/],
    ["a later version", { ...batch, v: 3 }, /wire version 1 or 2/],
    ["no isolate", { ...batch, isolate: "" }, /batch.isolate/],
    ["a long isolate", { ...batch, isolate: "x".repeat(200) }, /at most 128/],
    ["a number of 0", { ...batch, seq: 0 }, /batch.seq/],
    ["too many cells", { ...batch, cells: Array(MAX_CELLS + 1).fill(batch.cells[0]) }, /at most 20000/],
    [
      "a negative count",
      { ...batch, cells: [{ ...batch.cells[0], tally: { errors: -1 } }] },
      /cells.0..errors/,
    ],
    ["half a count", { ...batch, cells: [{ ...batch.cells[0], tally: { errors: 0.5 } }] }, /cells.0..errors/],
    [
      "no number",
      { ...batch, cells: [{ ...batch.cells[0], tally: { errors: Number.NaN } }] },
      /cells.0..errors/,
    ],
    [
      "a bucket outside",
      { ...batch, cells: [{ ...batch.cells[0], tally: { latency: { 128: 1 } } }] },
      /below 128/,
    ],
    [
      "a slice outside",
      { ...batch, cells: [{ ...batch.cells[0], tally: { slices: { 16: 1 } } }] },
      /below 16/,
    ],
    [
      "a visitor outside",
      { ...batch, cells: [{ ...batch.cells[0], tally: { visitors: [4096] } }] },
      /visitors/,
    ],
    ["no sketch", { ...batch, cells: [{ ...batch.cells[0], tally: { sketch: "s1" } }] }, /a sketch/],
    ["a short row", { ...batch, cells: [{ ...batch.cells[0], row: "f|1|ga|green" }] }, /placement/],
    ["a long row", { ...batch, cells: [{ ...batch.cells[0], row: `${row()}|x` }] }, /five parts/],
    [
      "a third variant",
      { ...batch, cells: [{ ...batch.cells[0], row: "f|1|ga|red|hash" }] },
      /blue or green/,
    ],
  ])("refuses %s and says why", (_, value, message) => {
    expect(() => decodeBatch(value)).toThrow(TypeError);
    expect(() => decodeBatch(value)).toThrow(message);
  });
});
