import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GONE_AFTER_MS, Ledger } from "../../../src/core/analysis/ledger.ts";
import { Sums } from "../../../src/core/analysis/sums.ts";
import { addTally, emptyTally, type Tally } from "../../../src/core/analysis/tally.ts";
import { decodeForward } from "../../../src/core/wire/decode.ts";
import { encodeForward } from "../../../src/core/wire/encode.ts";
import { type Batch, type Forward, WIRE_VERSION } from "../../../src/core/wire/messages.ts";
import { NOW, row, TICK, tally } from "./counts.ts";

const rows = [row(), row({ variant: "blue" }), row({ release: "2.0" }), row({ flag: "g", cohort: "beta" })];

function batchOf(isolate: string, seq: number, cells: Batch["cells"] = []): Batch {
  return { v: WIRE_VERSION, isolate, seq, cells, inFlight: [], revision: 0, lost: 0 };
}

/** A copy, as the wire makes one. */
const sent = (forward: Forward) => decodeForward(structuredClone(encodeForward(forward)));

const cells = fc.array(
  fc.record({
    row: fc.constantFrom(...rows),
    tick: fc.integer({ min: TICK - 15, max: TICK }),
    tally: fc
      .record({
        requests: fc.nat(9),
        errors: fc.nat(9),
        run: fc.nat(5),
        bucket: fc.nat(127),
        visitor: fc.nat(40),
      })
      .map(({ bucket, visitor, ...t }) => tally({ ...t, latency: { [bucket]: 1 }, visitors: [visitor] })),
  }),
  { maxLength: 5 },
);
const batches = fc
  .array(fc.record({ isolate: fc.constantFrom("a", "b", "c"), cells }), { maxLength: 15 })
  .map((list) => {
    const seqs = new Map<string, number>();
    return list.map(({ isolate, cells: given }) => {
      const seq = (seqs.get(isolate) ?? 0) + 1;
      seqs.set(isolate, seq);
      return batchOf(isolate, seq, given);
    });
  });

/** All cells counted at once, without any of the machinery. */
function countedAtOnce(list: readonly Batch[]): Map<string, Tally> {
  const totals = new Map<string, Tally>();
  for (const cell of list.flatMap((batch) => batch.cells)) {
    totals.set(cell.row, addTally(totals.get(cell.row) ?? emptyTally(), cell.tally));
  }
  return totals;
}

describe("a ledger and the sums", () => {
  it("merging equals counting at once, whenever it is forwarded and however often a batch is delivered", () => {
    fc.assert(
      fc.property(
        batches,
        fc.infiniteStream(fc.record({ twice: fc.boolean(), forward: fc.boolean() })),
        (list, chance) => {
          const ledger = new Ledger();
          const sums = new Sums();
          let base = 0;
          const evidence: Forward["cells"] = [];
          const bring = () => {
            const forward = sent(ledger.forwardFrom(base, "s", NOW));
            const { shard, fresh } = sums.take(forward, NOW);
            if (fresh) evidence.push(...forward.cells);
            base = shard.version;
            ledger.stored(base);
          };
          for (const batch of list) {
            const { twice, forward } = chance.next().value;
            ledger.count(structuredClone(batch), NOW);
            if (twice) ledger.count(structuredClone(batch), NOW);
            if (forward) bring();
          }
          bring();
          expect(sums.totals()).toEqual(countedAtOnce(list));
          expect(countedAtOnce([batchOf("all", 1, evidence)])).toEqual(countedAtOnce(list));
        },
      ),
    );
  });

  it("forwards that are lost, late, repeated or out of order give the same sums, and no evidence twice", () => {
    fc.assert(
      fc.property(batches, fc.infiniteStream(fc.nat(5)), (list, chance) => {
        const ledger = new Ledger();
        const sums = new Sums();
        let base = 0;
        const onTheWay: Forward[] = [];
        const evidence: Forward["cells"] = [];
        const arrive = (forward: Forward) => {
          const { shard, fresh } = sums.take(structuredClone(forward), NOW);
          if (fresh) evidence.push(...structuredClone(forward.cells));
          return shard.version;
        };
        const answer = (forward: Forward) => {
          base = arrive(forward);
          ledger.stored(base);
        };
        for (const batch of list) {
          ledger.count(structuredClone(batch), NOW);
          onTheWay.push(sent(ledger.forwardFrom(base, "s", NOW)));
          // 0: the answer arrives. 1: the answer is lost. 2: an old one arrives again. 3 to 5: it is still on the way.
          const event = chance.next().value;
          if (event === 0) answer(onTheWay.at(-1)!);
          else if (event === 1) arrive(onTheWay.at(-1)!);
          else if (event === 2) arrive(onTheWay[0]!);
        }
        for (let round = 0; round < 2; round++) {
          answer(sent(ledger.forwardFrom(base, "s", NOW)));
        }
        for (const late of onTheWay) arrive(late);
        expect(sums.totals()).toEqual(countedAtOnce(list));
        expect(countedAtOnce([batchOf("all", 1, evidence)])).toEqual(countedAtOnce(list));
      }),
    );
  });

  it("a controller that lost its store gets all sums again", () => {
    const ledger = new Ledger();
    ledger.count(batchOf("a", 1, [{ row: rows[0]!, tick: TICK, tally: tally({ requests: 7 }) }]), NOW);
    ledger.stored(1);
    ledger.count(batchOf("a", 2, [{ row: rows[1]!, tick: TICK, tally: tally({ requests: 1 }) }]), NOW);
    const sums = new Sums();
    const { shard, fresh } = sums.take(sent(ledger.forwardFrom(1, "s", NOW)), NOW);
    expect({ fresh, have: shard.version }).toEqual({ fresh: false, have: 0 });
    sums.take(sent(ledger.forwardFrom(0, "s", NOW)), NOW);
    expect(sums.totals().get(rows[0]!)?.requests).toBe(7);
  });

  it("a shard whose store was put back overtakes the controller", () => {
    const ledger = new Ledger();
    ledger.count(batchOf("a", 1, [{ row: rows[0]!, tick: TICK, tally: tally({ requests: 7 }) }]), NOW);
    ledger.stored(40);
    expect(ledger.forwardFrom(40, "s", NOW)).toMatchObject({
      version: 41,
      totals: [{ tally: { requests: 7 } }],
    });
  });

  it("what was never forwarded stays small: cells too old to be evidence are dropped, sums are not", () => {
    const ledger = new Ledger();
    for (let i = 1; i <= 1000; i++) {
      const cell = { row: rows[0]!, tick: TICK + i, tally: tally({ requests: 1 }) };
      ledger.count(batchOf("a", i, [cell]), NOW + i * 2000);
    }
    const forward = ledger.forwardFrom(0, "s", NOW + 2_000_000);
    expect(forward.cells.length).toBeLessThan(25);
    expect(forward.totals[0]?.tally.requests).toBe(1000);
  });

  it("isolates that are silent are no longer counted as such, and later given up", () => {
    const ledger = new Ledger();
    const inFlight = [{ row: rows[0]!, count: 2, oldestMs: 10 }];
    ledger.count({ ...batchOf("a", 1), inFlight }, NOW);
    expect(ledger.forwardFrom(0, "s", NOW)).toMatchObject({ isolates: 1, inFlight });
    expect(ledger.forwardFrom(0, "s", NOW + 60_001)).toMatchObject({ isolates: 0, inFlight: [] });
    expect(ledger.gone(NOW + GONE_AFTER_MS).length).toBe(0);
    expect(ledger.gone(NOW + GONE_AFTER_MS + 1).length).toBe(1);
  });
});
