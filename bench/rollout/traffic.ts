/**
 * From a trace to what a shard forwards: green's share of a step's requests, as the product's own ledger puts them. Pure
 * and without chance: what is rounded off is carried on, so that sums over a week are those of the trace.
 */
import { bucketOf } from "../../src/core/analysis/histogram.ts";
import { Ledger } from "../../src/core/analysis/ledger.ts";
import { Crowd } from "../../src/core/analysis/sketch.ts";
import {
  emptyTally,
  MAX_VISITORS,
  rowKey,
  SLICES,
  type Tally,
  type Variant,
} from "../../src/core/analysis/tally.ts";
import { DEFAULT_COHORT } from "../../src/core/flag/members.ts";
import { FULL_SHARE } from "../../src/core/flag/percentage.ts";
import type { Band } from "../../src/core/rollout/snapshot.ts";
import { type Cell, type Forward, TICK_MS, WIRE_VERSION } from "../../src/core/wire/messages.ts";
import type { Minute } from "./trace.ts";

/** Where visitors are counted: so many come again and again, and each sends so many requests a minute. */
const VISITORS = 20_000;
const REQUESTS_EACH = 10;
/** Times of a variant's answers, as multiples of the minute's median: eight equal parts of a log-normal law. */
const SHAPE = [0.5, 0.67, 0.8, 0.93, 1.07, 1.25, 1.49, 1.99];

/**
 * A step's requests lie in so many ticks at most, the last ones without a break between them: the comparison believes
 * what lasts for some seconds, and what is reported much later than that is no evidence at all.
 */
const MOST_TICKS = 6;

/** What a side answered in a tick. */
interface Answered {
  requests: number;
  failures: number;
  /** Share of all visitors, thousandths of a percent. */
  share: number;
  /** Milliseconds. */
  median: number;
}

/** A step of a story. */
export interface Step {
  /** Milliseconds since the epoch. */
  end: number;
  /** Its length, milliseconds. */
  ms: number;
  /** Green takes so many times as long as blue. */
  slower?: number | undefined;
  /** Are distinct visitors counted? It takes longer. */
  distinct?: boolean | undefined;
}

/** Where a flag's traffic goes at a moment. */
export interface Placed {
  flag: string;
  release: string;
  /** Share of green that is served, thousandths of a percent. */
  share: number;
  /** Cohorts that the stages have enabled, by share. */
  bands: readonly Band[];
}

/** The traffic of flags on one shard with one isolate. */
export class Traffic {
  readonly #ledger = new Ledger();
  readonly #name: string;
  #have = 0;
  #batches = 0;
  /** What was rounded off, by what it is of. */
  readonly #carried = new Map<string, number>();
  /** Requests so far, by variant: whose turn it is in `SHAPE`. */
  readonly #turns = { blue: 0, green: 0 };
  /** Number of the next visitor, and of the next who fails. */
  #comers = 0;
  #failing = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /**
   * The forward of a step: the minute's requests of each flag by the step's part in it. Of a long step all of them
   * come in its last seconds.
   */
  step(minute: Minute, placed: readonly Placed[], step: Step): Forward {
    return this.#forward(
      placed.flatMap((one) => this.#cells(minute, one, step)),
      step.end,
    );
  }

  #cells(minute: Minute, placed: Placed, step: Step): Cell[] {
    const { end, ms } = step;
    const part = ms / 60_000;
    const ticks = Math.max(1, Math.min(MOST_TICKS, Math.floor(ms / TICK_MS)));
    const last = Math.floor(end / TICK_MS) - 1;
    const cells: Cell[] = [];
    for (const { variant, cohort, share } of sidesOf(placed)) {
      const fails = variant === "green" ? minute.greenFailures : minute.blueFailures;
      const key = `${placed.flag}|${placed.release}|${variant}|${cohort}`;
      const row = rowKey({ flag: placed.flag, release: placed.release, cohort, variant, placement: "hash" });
      const each = (share / FULL_SHARE) * (part / ticks);
      for (let i = ticks - 1; i >= 0; i--) {
        const requests = this.#whole(`${key} requests`, minute.requests * each);
        const failures = this.#whole(`${key} failures`, fails * each, requests);
        if (requests === 0) continue;
        const tally = this.#tally(variant, { requests, failures, share, median: minute.ms }, step);
        cells.push({ row, tick: last - i, tally });
      }
    }
    return cells;
  }

  /** Cells as the shard forwards them. */
  #forward(cells: Cell[], now: number): Forward {
    const base = {
      v: WIRE_VERSION as typeof WIRE_VERSION,
      isolate: this.#name,
      inFlight: [],
      revision: 0,
      lost: 0,
    };
    this.#ledger.count({ ...base, seq: ++this.#batches, cells }, now);
    const forward = this.#ledger.forwardFrom(this.#have, this.#name, now);
    this.#have = forward.version;
    this.#ledger.stored(forward.version);
    return forward;
  }

  /** As many whole ones as there are with what was carried, at most `most`. */
  #whole(key: string, amount: number, most = Number.POSITIVE_INFINITY): number {
    const all = (this.#carried.get(key) ?? 0) + amount;
    // A hair more, so that a hundred hundredths are one.
    const whole = Math.min(most, Math.floor(all + 1e-6));
    this.#carried.set(key, all - whole);
    return whole;
  }

  /** To a comparison every request is another visitor's; where visitors are counted they send some each. */
  #tally(
    variant: Variant,
    { requests, failures, share, median }: Answered,
    { slower = 1, distinct = false }: Step,
  ): Tally {
    const tally: Tally = {
      ...emptyTally(),
      requests,
      errors: failures,
      units: requests,
      unitErrors: failures,
    };
    const ms = median * (variant === "green" ? slower : 1);
    const turn = this.#turns[variant];
    SHAPE.forEach((times, i) => {
      const place = (i - turn + SHAPE.length * 2) % SHAPE.length;
      const count = Math.floor((requests + SHAPE.length - 1 - place) / SHAPE.length);
      if (count > 0) tally.latency[bucketOf(ms * times)] = (tally.latency[bucketOf(ms * times)] ?? 0) + count;
    });
    this.#turns[variant] = (turn + requests) % SHAPE.length;
    tally.unitLatency = { ...tally.latency };
    tally.run = Math.min(1, failures);
    const crowd = new Crowd();
    const failed = new Set<number>();
    const pool = Math.ceil((VISITORS * share) / FULL_SHARE);
    if (distinct) for (let i = 0; i < requests; i += REQUESTS_EACH) crowd.see(hashOf(this.#comers++ % pool));
    for (let i = 0; i < failures; i++) {
      const visitor = hashOf(this.#failing++);
      failed.add(visitor >>> 20);
      const slice = visitor % SLICES;
      tally.slices[slice] = (tally.slices[slice] ?? 0) + 1;
    }
    tally.sketch = crowd.pack();
    tally.visitors = [...failed].sort((a, b) => a - b).slice(0, MAX_VISITORS);
    return tally;
  }
}

/** The hash of visitor `i`: an odd multiplier goes through all 32-bit numbers before it comes back to one. */
function hashOf(i: number): number {
  return Math.imul(i + 1, 0x9e3779b1) >>> 0;
}

/** Blue, and green by cohort, each with its share of all visitors in thousandths of a percent. */
function sidesOf({ share, bands }: Placed): { variant: Variant; cohort: string; share: number }[] {
  const sides: { variant: Variant; cohort: string; share: number }[] = [];
  let from = 0;
  for (const band of [...bands, { cohort: DEFAULT_COHORT, share: FULL_SHARE }]) {
    const to = Math.min(band.share, share);
    if (to > from) sides.push({ variant: "green", cohort: band.cohort, share: to - from });
    from = Math.max(from, to);
  }
  if (share < FULL_SHARE) sides.push({ variant: "blue", cohort: DEFAULT_COHORT, share: FULL_SHARE - share });
  return sides;
}
