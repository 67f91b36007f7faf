import { abortAllDurableObjects, reset, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FlagView } from "../../src/control/controller-api.ts";
import { MAX_VISITORS } from "../../src/core/analysis/tally.ts";
import type { FlagInput } from "../../src/core/flag/schema.ts";
import { type Cell, TICK_MS } from "../../src/core/wire/messages.ts";
import { batch, cell, controller, document, shard, withSpec } from "./parts.ts";

/** A moment at the start of a tick and of a minute. */
const START = 1_800_000_000_000;
/** Many batches, and objects that start anew between them, take their time on a busy machine, milliseconds. */
const LONG_MS = 30_000;
const who = { who: "ann", how: "api", reason: "test" } as const;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(START);
});
afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

/** A canary at half of traffic that evidence alone halts. */
const byEvidence = (more: Partial<FlagInput> = {}) => document({ rules: [{ metric: "evidence" }], ...more });

/** Cells of the present tick: 40 visitors on either side, so many of whom failed. */
function sides(blueErrors: number, greenErrors: number, release = "1.0"): Cell[] {
  const blue = { requests: 40, units: 40, unitErrors: blueErrors, errors: blueErrors };
  const green = { requests: 40, units: 40, unitErrors: greenErrors, errors: greenErrors };
  const failing = Array.from(
    { length: greenErrors },
    (_, i) => (i * 131 + Math.floor(Date.now() / TICK_MS) * 7) % 4096,
  );
  const visitors = [...new Set(failing)].sort((a, b) => a - b).slice(0, MAX_VISITORS);
  return [
    cell({ variant: "blue", release }, { ...blue, slices: blueErrors > 0 ? { 3: blueErrors } : {} }),
    cell({ release }, { ...green, visitors }),
  ];
}

let isolates = 0;
/** An isolate that sends a batch, and another, as time passes. */
function isolate() {
  const name = `isolate-${isolates++}`;
  let seq = 0;
  return {
    async send(cells: Cell[]) {
      const sent = batch(name, ++seq, cells);
      await shard().flush(sent);
      await shard().settle();
      return sent;
    },
  };
}

async function shop(): Promise<FlagView> {
  const { flags } = await controller().status();
  return flags.find(({ name }) => name === "shop")!;
}

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

/** Batches every two seconds until `done`; at most a minute of them. */
async function until(done: (flag: FlagView) => boolean, cells: () => Cell[]): Promise<FlagView> {
  const { send } = isolate();
  for (let tick = 0; tick < 30; tick++) {
    await send(cells());
    const flag = await shop();
    if (done(flag)) return flag;
    pass(TICK_MS);
  }
  throw new Error(`not within a minute: ${JSON.stringify((await shop()).comparison)}`);
}

const actions = async (action: string) =>
  (await controller().audit({ limit: 200 })).filter((entry) => entry.action === action);

describe("a green that is worse", { timeout: LONG_MS }, () => {
  it("is halted by evidence, of which the status keeps the way", async () => {
    await withSpec(byEvidence());
    const flag = await until(
      ({ halt }) => halt !== null,
      () => sides(0, 12),
    );
    expect(flag).toMatchObject({ share: 0, halt: { rule: "evidence >= 1000", release: "1.0" } });
    expect(flag.comparison!.evidence).toBeGreaterThanOrEqual(1000);
    expect(flag.trace.length).toBeGreaterThan(2);
    expect(flag.trace.at(-1)!.evidence).toBeGreaterThanOrEqual(1000);
    expect(flag.trace.at(-1)!.share).toBe(50_000);
    expect(flag.wouldHalt).toBeNull();
  });

  it("is compared at its time when traffic stops", async () => {
    await withSpec(byEvidence());
    const { send } = isolate();
    for (let tick = 0; tick < 6; tick++) {
      await send(sides(0, 25));
      pass(TICK_MS);
    }
    expect((await shop()).halt).toBeNull();
    pass(8 * TICK_MS);
    await vi.waitFor(async () => expect((await shop()).halt).not.toBeNull(), { timeout: 15_000 });
  });

  it("does not burden the next release with its evidence, nor itself after a resume", async () => {
    await withSpec(byEvidence());
    await until(
      ({ halt }) => halt !== null,
      () => sides(0, 12),
    );
    await controller().putDocument({ ifMatch: "*", text: byEvidence({ release: "1.1" }), ...who });
    const { send } = isolate();
    for (let tick = 0; tick < 6; tick++) {
      await send([...sides(0, 0, "1.1"), ...sides(0, 12)]);
      pass(TICK_MS);
    }
    const next = await shop();
    expect(next.halt).toBeNull();
    expect(next.comparison!.evidence).toBeLessThan(10);
    await controller().putDocument({ ifMatch: "*", text: byEvidence(), ...who });
    expect(await controller().resume({ flag: "shop", ...who })).toMatchObject({ ok: true });
    const old = sides(0, 40).map((late) => ({ ...late, tick: late.tick - 3 }));
    for (let tick = 0; tick < 6; tick++) {
      await send([...sides(0, 0), ...old]);
      pass(TICK_MS);
    }
    const resumed = await shop();
    expect(resumed.halt).toBeNull();
    expect(resumed.comparison!.evidence).toBeLessThan(10);
    await until(
      ({ halt }) => halt !== null,
      () => sides(0, 12),
    );
  });
});

describe("a dry run", { timeout: LONG_MS }, () => {
  it("says once for each rule what it would have halted, and again after a resume", async () => {
    await withSpec(byEvidence({ dryRun: true }));
    const flag = await until(
      ({ wouldHalt }) => wouldHalt !== null,
      () => sides(0, 12),
    );
    expect(flag).toMatchObject({
      halt: null,
      share: 50_000,
      wouldHalt: { rule: "evidence >= 1000", release: "1.0" },
      verdict: { verdict: "unhealthy" },
    });
    await abortAllDurableObjects();
    const { send } = isolate();
    for (let tick = 0; tick < 5; tick++) {
      await send(sides(0, 12));
      pass(TICK_MS);
    }
    const [entry, ...more] = await actions("would-halt");
    expect(more).toEqual([]);
    expect(entry).toMatchObject({ who: "controller", flag: "shop", release: "1.0" });
    expect(entry!.figures.rule).toBe("evidence >= 1000");
    expect((await shop()).wouldHalt).toEqual(flag.wouldHalt);
    expect(await controller().resume({ flag: "shop", ...who })).toMatchObject({ ok: true });
    expect((await shop()).wouldHalt).toBeNull();
    pass(TICK_MS);
    await until(
      ({ wouldHalt }) => wouldHalt !== null,
      () => sides(0, 12),
    );
    expect(await actions("would-halt")).toHaveLength(2);
    expect(await actions("halt")).toEqual([]);
  });
});

describe("evidence", { timeout: LONG_MS }, () => {
  const BATCHES = 12;

  /** Batches six seconds apart, so that each is written down; what disturbs them comes in between. */
  async function run(disturb: (tick: number, sent: unknown) => Promise<void>): Promise<FlagView> {
    vi.setSystemTime(START);
    await withSpec(byEvidence());
    const { send } = isolate();
    for (let tick = 0; tick < BATCHES; tick++) {
      const sent = await send(sides(tick % 3, (tick * 7) % 5));
      await disturb(tick, sent);
      pass(6_000);
    }
    const flag = await shop();
    await reset();
    return flag;
  }
  const undisturbed = async () => {};

  it("is the same to the last digit when all objects crash after every batch", async () => {
    const { comparison, trace, verdict } = await run(undisturbed);
    expect(comparison!.evidence).not.toBe(1);
    const crashed = await run(() => abortAllDurableObjects());
    expect(crashed).toMatchObject({ comparison, trace, verdict });
  });

  it("is moved neither by batches that come twice nor by what comes too late", async () => {
    const { comparison, trace } = await run(undisturbed);
    const other = isolate();
    const disturbed = await run(async (_, sent) => {
      await shard().flush(sent);
      await other.send(sides(0, 40).map((late) => ({ ...late, tick: late.tick - 22 })));
    });
    expect(disturbed).toMatchObject({ comparison, trace });
  });
});

describe("a change of green's share", { timeout: LONG_MS }, () => {
  it("leaves evidence as it stands, and shows in its way; without a share nothing is compared", async () => {
    await withSpec(byEvidence({ dryRun: true }));
    await until(
      ({ wouldHalt }) => wouldHalt !== null,
      () => sides(0, 12),
    );
    const { send } = isolate();
    const put = async (flag: Partial<FlagInput>) => {
      await controller().putDocument({ ifMatch: "*", text: byEvidence({ dryRun: true, ...flag }), ...who });
      for (let tick = 0; tick < 8; tick++) {
        await send(sides(0, 0));
        pass(TICK_MS);
      }
      return shop();
    };
    const raised = await put({ percentage: 80 });
    expect(raised.comparison!.evidence).toBeGreaterThan(10);
    expect(raised.trace.at(-1)!.share).toBe(80_000);
    const off = await put({ percentage: 80, state: "off" });
    expect(off.trace.at(-1)!.share).toBe(80_000);
    expect((await put({ percentage: 80, state: "off" })).trace).toEqual(off.trace);
  });
});

describe("blue", { timeout: LONG_MS }, () => {
  it.each([
    ["lost", "DELETE FROM comparisons"],
    ["of another version", "UPDATE comparisons SET state = json_set(state, '$.v', 0)"],
    ["in part of another version", "UPDATE comparisons SET state = json_set(state, '$.comparison.v', 0)"],
    ["not readable", "UPDATE comparisons SET state = json_set(state, '$.comparison.state', 'AAAA')"],
    ["cut off", "UPDATE comparisons SET state = substr(state, 1, 100)"],
  ])("is known before a rollout starts, and when its comparison is %s", async (_, sql) => {
    const off = byEvidence({ state: "off", percentage: 0 });
    await withSpec(off);
    const { send } = isolate();
    const blueFor = async (minutes: number) => {
      for (let tick = 0; tick < minutes * 6; tick++) {
        await send([cell({ variant: "blue" }, { requests: 50, units: 50, errors: 1, unitErrors: 1 })]);
        pass(10_000);
      }
    };
    await blueFor(5);
    await controller().putDocument({ ifMatch: "*", text: byEvidence(), ...who });
    const known = (await shop()).comparison!;
    expect(known).toMatchObject({ evidence: 1 });
    expect(known.knownMs).toBeGreaterThan(60_000);
    await runInDurableObject(controller(), (_, state) => {
      state.storage.sql.exec(sql);
    });
    await abortAllDurableObjects();
    await send(sides(0, 0));
    expect((await shop()).comparison!.knownMs).toBeGreaterThan(60_000);
  });
});

describe("a flag that is taken out of the spec", { timeout: LONG_MS }, () => {
  it("loses its comparison and what is known of blue, and begins anew when it comes back", async () => {
    const other = JSON.stringify({ flags: { other: { state: "off" } } });
    const rows = () =>
      runInDurableObject(controller(), (_, { storage }) =>
        ["comparisons", "blue_history"].map(
          (table) => storage.sql.exec(`SELECT * FROM ${table} WHERE flag = 'shop'`).toArray().length > 0,
        ),
      );
    await withSpec(byEvidence({ dryRun: true }));
    await until(
      ({ wouldHalt }) => wouldHalt !== null,
      () => sides(0, 12),
    );
    const { send } = isolate();
    const sendFor = async (ticks: number) => {
      for (let tick = 0; tick < ticks; tick++) {
        pass(TICK_MS);
        await send(sides(0, 0));
      }
    };
    await sendFor(40);
    expect(await rows()).toEqual([true, true]);
    await controller().putDocument({ ifMatch: "*", text: other, ...who });
    // Isolates may not have heard of it yet.
    await sendFor(40);
    expect(await rows()).toEqual([false, false]);
    await controller().putDocument({ ifMatch: "*", text: byEvidence({ dryRun: true }), ...who });
    await sendFor(8);
    const back = await shop();
    expect(back).toMatchObject({ wouldHalt: null, verdict: { verdict: "healthy" } });
    expect(back.comparison!.evidence).toBeLessThan(10);
    expect(back.comparison!.knownMs).toBeLessThan(60_000);
  });
});
