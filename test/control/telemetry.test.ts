import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Telemetries } from "../../src/control/telemetry.ts";
import type { Ingest, PushedAlert, PushedEvent } from "../../src/control/telemetry-api.ts";
import { quantileMs } from "../../src/core/analysis/histogram.ts";
import { distinctIn } from "../../src/core/analysis/sketch.ts";
import { emptyTally, type RowId, rowKey, type Tally } from "../../src/core/analysis/tally.ts";
import type { Span, Telemetry } from "../../src/core/analysis/telemetry.ts";
import { visitorHash } from "../../src/core/hashing/visitor.ts";
import { TICK_MS } from "../../src/core/wire/messages.ts";
import { bindings } from "./parts.ts";

/** A whole hour. */
const START = 1_800_000_000_000;
const MINUTE = 60_000;
const DAY = 86_400_000;
const ROUND = { heardAt: START, smoke: "none" } as const;

let stores = 0;

/** Runs with a store of its own, as an object has it. `again` is what a new life finds in it. */
function inStore(
  run: (telemetry: Telemetries, again: () => Telemetries, sql: SqlStorage) => void,
): Promise<void> {
  const stub = bindings.COUNTERS.getByName(`telemetry-${stores++}`);
  return runInDurableObject(stub, (_, { storage }) => {
    const open = () => new Telemetries(storage, (flag) => flag === "shop" || flag === "cart", true);
    const telemetry = open();
    telemetry.stage("shop", { release: "2.0", releaseAt: START, stageAt: START }, START);
    run(telemetry, open, storage.sql);
  });
}

function taken(at: number, parts: Partial<Tally>, id: Partial<RowId> = {}) {
  const whole: RowId = {
    flag: "shop",
    release: "2.0",
    cohort: "ga",
    variant: "green",
    placement: "hash",
    ...id,
  };
  const cell = { row: rowKey(whole), tick: Math.floor(at / TICK_MS), tally: { ...emptyTally(), ...parts } };
  return { id: whole, cell };
}

function counts(telemetry: Telemetry, parts: Partial<Span> = {}): Tally | undefined {
  const { now } = telemetry;
  return telemetry.counts({
    variant: "green",
    placement: "all",
    cohort: undefined,
    event: undefined,
    from: now - 5 * MINUTE,
    to: now,
    ...parts,
  });
}

const push = (events: PushedEvent[], id?: string): Ingest => ({ kind: "events", events, ...(id && { id }) });
const sale = (parts: Partial<PushedEvent> = {}): PushedEvent => ({ flag: "shop", event: "sale", ...parts });

describe("telemetry", () => {
  it("says the same after it was written down and read again at any moment", async () => {
    const step = fc.record({
      gap: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 400_000 })),
      requests: fc.integer({ min: 1, max: 9 }),
      crashes: fc.boolean(),
    });
    await inStore((_, again) => {
      let run = 0;
      fc.assert(
        fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
          // Runs follow each other in one store: each a release and a day later.
          const release = `3.${run++}`;
          const began = START + run * DAY;
          let now = began;
          let telemetry = again();
          telemetry.stage("shop", { release, releaseAt: now, stageAt: now }, now);
          let requests = 0;
          for (const { gap, crashes, ...more } of steps) {
            now += gap;
            telemetry.take([taken(now, more, { release })], now);
            requests += more.requests;
            telemetry.save(now, crashes);
            if (crashes) telemetry = again();
          }
          telemetry.save(now, true);
          const of = telemetry.of("shop", now, ROUND);
          // What began at this very millisecond is in it.
          const to = now + 1;
          expect(counts(of, { from: began, to })?.requests).toBe(requests);
          expect(counts(of, { from: began - MINUTE, to })?.requests).toBe(requests);
        }),
        { numRuns: 20 },
      );
    });
  });

  it("writes one row for a flag every 5 s, and two more for each minute; nothing for flags that are quiet", async () => {
    await inStore((telemetry, _, sql) => {
      const written = (run: () => void) => {
        const rows = () => [...sql.exec<{ n: number }>("SELECT total_changes() AS n")][0]!.n;
        const before = rows();
        run();
        return rows() - before;
      };
      telemetry.save(START, true);
      const rows: number[] = [];
      for (let at = START + 1_000; at <= START + 10 * MINUTE; at += 1_000) {
        telemetry.take([taken(at, { requests: 5 }), taken(at, { requests: 5 }, { variant: "blue" })], at);
        rows.push(written(() => telemetry.save(at)));
      }
      expect(rows.slice(0, 10)).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
      const last5 = rows.slice(-300).reduce((a, b) => a + b);
      expect(last5).toBe(5 * (12 + 2));
      expect(written(() => telemetry.save(START + 10 * MINUTE + 30_000))).toBeLessThanOrEqual(1);
      expect(written(() => telemetry.save(START + 10 * MINUTE + 40_000))).toBe(0);
    });
  });

  it("forgets what no span can ask for, and flags that are gone wholly", async () => {
    await inStore((telemetry, again, sql) => {
      const rows = (table: string) =>
        [...sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)][0]!.n;
      for (let day = 0; day < 30; day++) {
        const at = START + day * DAY + 5 * MINUTE;
        telemetry.take([taken(at, { requests: 1 })], at);
        telemetry.save(at + 2 * MINUTE, true);
      }
      // 16 hours, the minutes of the last day and those around the stage's beginning.
      expect(rows("series")).toBeLessThanOrEqual(16 + 1 + 2 + 2);
      telemetry.forget("shop");
      expect([rows("series"), rows("telemetry")]).toEqual([0, 0]);
      expect(counts(again().of("shop", START + 30 * DAY, ROUND))?.requests).toBe(0);
    });
  });

  it("counts events with outcome, time, value and who, and a batch that comes twice once, also after a crash", async () => {
    await inStore((telemetry, again) => {
      const now = START + MINUTE;
      const batch = push(
        [
          sale({ outcome: "success", ms: 100, visitor: visitorHash("a") }),
          sale({ outcome: "failure", ms: 400, visitor: visitorHash("b") }),
          sale({ visitor: visitorHash("a"), cohort: "beta" }),
          sale({ event: "score", value: 4.5 }),
          sale({ variant: "blue" }),
          sale({ flag: "nobody" }),
        ],
        "batch-1",
      );
      expect(telemetry.ingest(batch, now)).toEqual({
        taken: 5,
        duplicate: false,
        unknown: ["nobody"],
        tooOld: 0,
      });
      const sales = counts(telemetry.of("shop", now, ROUND), { event: "sale" })!;
      expect([sales.requests, sales.errors, distinctIn(sales.sketch)]).toEqual([3, 1, 2]);
      expect(quantileMs(sales.latency, 1)! / 400).toBeCloseTo(1, 1);
      const scores = counts(telemetry.of("shop", now, ROUND), { event: "score" })!;
      expect(quantileMs(scores.latency, 0.5)! / 4_500).toBeCloseTo(1, 1);
      expect(telemetry.ingest(batch, now)).toMatchObject({ taken: 0, duplicate: true });
      const later = again();
      expect(later.ingest(batch, now + 14 * MINUTE)).toMatchObject({ taken: 0, duplicate: true });
      expect(counts(later.of("shop", now, ROUND), { event: "sale" })).toEqual(sales);
      expect(later.ingest(batch, now + 16 * MINUTE)).toMatchObject({ taken: 5, duplicate: false });
    });
  });

  it("takes a time to come as now; what is older than 40 s is in its minute and in no window of the last minute", async () => {
    await inStore((telemetry) => {
      const now = START + 10 * MINUTE;
      telemetry.ingest(
        push([sale({ at: now + DAY }), sale({ at: now - 30_000 }), sale({ at: now - 50_000 })]),
        now,
      );
      expect(telemetry.ingest(push([sale({ at: now - 25 * 60 * MINUTE })]), now)).toMatchObject({
        taken: 0,
        tooOld: 1,
      });
      const of = telemetry.of("shop", now, ROUND);
      const within = (ms: number) => counts(of, { event: "sale", from: now - ms })?.requests;
      expect([within(20_000), within(MINUTE), within(2 * MINUTE)]).toEqual([1, 2, 3]);
    });
  });

  it("keeps the newest reading of a gauge, its own or that of every flag", async () => {
    await inStore((telemetry, again) => {
      const set = (parts: object, now: number) =>
        telemetry.ingest({ kind: "gauges", gauges: [{ name: "memory", value: 0, ...parts }] }, now);
      set({ flag: "shop", value: 0.5, at: START + 1000 }, START + 2000);
      set({ flag: "shop", value: 0.4, at: START }, START + 2000);
      const gauge = (from: Telemetries, flag: string) => from.of(flag, START + 9000, ROUND).gauge("memory");
      expect(gauge(telemetry, "shop")).toEqual({ value: 0.5, at: START + 1000 });
      expect(gauge(telemetry, "cart")).toBeUndefined();
      set({ value: 0.9, at: START + DAY }, START + 3000);
      for (const flag of ["shop", "cart"])
        expect(gauge(telemetry, flag)).toEqual({ value: 0.9, at: START + 3000 });
      telemetry.observe(
        { seq: 1, at: START + 4000, type: "gauge", flag: "shop", gauge: "memory", value: 0.1 },
        START + 4000,
      );
      telemetry.save(START + 5000, true);
      expect(gauge(again(), "shop")).toEqual({ value: 0.1, at: START + 4000 });
      expect(set({ flag: "nobody" }, START)).toMatchObject({ taken: 0, unknown: ["nobody"] });
    });
  });

  it("has an alert fire until it is resolved, ends or is not repeated for five hours, an hour more than Alertmanager's default", async () => {
    await inStore((telemetry, again) => {
      const alert = (parts: Partial<PushedAlert>): Ingest => ({
        kind: "alerts",
        alerts: [
          {
            status: "firing",
            fingerprint: "f",
            name: "Down",
            labels: { severity: "critical" },
            startsAt: START,
            ...parts,
          },
        ],
      });
      const firing = (now: number, flag = "shop", from = telemetry) =>
        from
          .of(flag, now, ROUND)
          .alerts()
          ?.map(({ name }) => name);
      expect(firing(START)).toBeUndefined();
      telemetry.ingest(alert({ flag: "cart" }), START);
      expect([firing(START), firing(START, "cart")]).toEqual([[], ["Down"]]);
      telemetry.ingest(alert({ flag: "cart", status: "resolved", endsAt: START + 1 }), START);
      expect(firing(START, "cart")).toEqual([]);
      telemetry.ingest(alert({}), START);
      expect(firing(START + 5 * 3_600_000 - 1, "cart", again())).toEqual(["Down"]);
      expect(firing(START + 5 * 3_600_000)).toEqual([]);
      telemetry.ingest(alert({ startsAt: START + 5_000 }), START + 9_000);
      telemetry.ingest(alert({ status: "resolved", endsAt: START + 4_000 }), START + 9_000);
      expect(firing(START + 9_000)).toEqual(["Down"]);
      telemetry.ingest(alert({ endsAt: START + 20_000 }), START + 9_000);
      expect([firing(START + 19_999), firing(START + 20_000)]).toEqual([["Down"], []]);
    });
  });

  it("counts failed health checks in a row, of this release's green and of blue", async () => {
    await inStore((telemetry, again) => {
      let seq = 0;
      const check = (passed: boolean, variant: "blue" | "green" = "green") =>
        telemetry.observe(
          { seq: ++seq, at: START, type: "health", flag: "shop", variant, passed, sentence: "x" },
          START,
        );
      const failed = (from = telemetry) => from.of("shop", START, ROUND).health("green")?.failedInARow;
      expect(failed()).toBeUndefined();
      for (const passed of [false, true, false, false, false, false]) check(passed);
      check(true, "blue");
      expect(failed()).toBe(4);
      telemetry.saveSignals(START);
      expect(failed(again())).toBe(4);
      telemetry.stage("shop", { release: "3.0", releaseAt: START, stageAt: START }, START);
      expect(failed()).toBeUndefined();
    });
  });

  it("tests for non-inferiority by stage: evidence goes on over a crash and begins anew with the next stage", async () => {
    await inStore((telemetry, again) => {
      const at = START + MINUTE;
      const ticks = Array.from({ length: 400 }, (_, i) => ({
        at: at + i * TICK_MS,
        ms: TICK_MS,
        blue: { requests: 50, errors: i % 10 === 0 ? 1 : 0 },
        green: { requests: 50, errors: i % 10 === 5 ? 1 : 0 },
      }));
      const found = (from = telemetry) => from.of("shop", at, ROUND).nonInferiority(0.01, 0.05);
      expect(found()).toBeUndefined();
      telemetry.compared("shop", ticks.slice(0, 100), 1);
      const half = found()!;
      expect(half.evidence).toBeGreaterThan(1);
      telemetry.save(at, true);
      const later = again();
      expect(found(later)).toEqual(half);
      later.compared("shop", ticks.slice(100), 1);
      expect(found(later)?.passed).toBe(true);
      later.stage("shop", { release: "2.0", releaseAt: START, stageAt: at }, at);
      expect(found(later)).toBeUndefined();
    });
  });
});
