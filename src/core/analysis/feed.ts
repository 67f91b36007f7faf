/**
 * From cells to ticks: what one flag's isolates have counted, put in order of time and handed on in steps of 2 s when
 * it is complete enough to be compared. It refuses to judge lateness itself: it is given cells that are evidence.
 */
import { type Cell, TICK_MS } from "../wire/messages.ts";
import type { ComparisonTick, Side } from "./comparing.ts";
import { entry } from "./entry.ts";
import { BUCKETS, mergeHistograms, type SparseHistogram } from "./histogram.ts";
import { SLICES, type Tally, type Variant } from "./tally.ts";

/**
 * A tick is handed on so long after its end, milliseconds: one flush interval of a quiet isolate (5 s), a second for
 * shard and controller, one to spare. Isolates that saw green fail flush sooner than the others, so a tick that is
 * still open shows green's failures before everyone's successes: looked at earlier, every green would look bad.
 */
export const SETTLE_MS = 7_000;

/** The same while no flag is in shadow or canary: isolates flush each 20 s then, and nothing waits for an answer. */
export const IDLE_SETTLE_MS = 22_000;

/**
 * Silence up to this length is handed on as ticks with nothing in them, milliseconds: with little traffic, pauses are
 * part of the rate. Longer ones are left out.
 */
export const LONGEST_SILENCE_MS = 120_000;

/** One side of a tick that is open. */
interface OpenSide {
  units: number;
  errors: number;
  slices: Record<number, number>;
  latency: SparseHistogram;
}

type OpenTick = Record<Variant, OpenSide>;

/** A feed in JSON. */
export interface SavedFeed {
  closed: number;
  handed: number;
  open: [number, OpenTick][];
}

export class Feed {
  /** The last tick that takes nothing any more. */
  #closed = 0;
  /** The last tick handed on. */
  #handed = 0;
  readonly #open = new Map<number, OpenTick>();

  /**
   * Counts a tally of visitors placed by the hash. What belongs to a closed tick counts in the oldest open one, for
   * both sides alike: slow answers and timeouts come late, and a green that hangs would look healthy without them.
   */
  add(variant: Variant, { tick, tally }: Pick<Cell, "tick" | "tally">): void {
    if (tally.units === 0 && tally.unitErrors === 0) return;
    const open = entry(this.#open, Math.max(tick, this.#closed + 1), () => ({
      blue: nothing(),
      green: nothing(),
    }));
    addSide(open[variant], tally);
  }

  /** The ticks that are complete at `now`, in order. `now` and `settleMs` in milliseconds; time never goes back. */
  close(now: number, settleMs: number): ComparisonTick[] {
    const through = Math.floor((now - settleMs) / TICK_MS) - 1;
    if (through <= this.#closed) return [];
    this.#closed = through;
    const ticks: ComparisonTick[] = [];
    for (const tick of [...this.#open.keys()].sort((a, b) => a - b)) {
      if (tick > through) break;
      if ((tick - this.#handed) * TICK_MS <= LONGEST_SILENCE_MS) {
        for (let quiet = this.#handed + 1; quiet < tick; quiet++) ticks.push(tickOf(quiet));
      }
      ticks.push(tickOf(tick, this.#open.get(tick)));
      this.#open.delete(tick);
      this.#handed = tick;
    }
    return ticks;
  }

  /** Forgets green's counts that were not handed on: they are of another release. */
  dropGreen(): void {
    for (const open of this.#open.values()) open.green = nothing();
  }

  /** End of the last tick that takes nothing any more, milliseconds since the epoch: what comes next starts there. */
  get closedUntil(): number {
    return (this.#closed + 1) * TICK_MS;
  }

  /** End of the oldest tick that holds anything, milliseconds since the epoch; undefined when none does. */
  get openUntil(): number | undefined {
    return this.#open.size === 0 ? undefined : (Math.min(...this.#open.keys()) + 1) * TICK_MS;
  }

  /** The feed as JSON can hold it. */
  save(): SavedFeed {
    return { closed: this.#closed, handed: this.#handed, open: [...this.#open] };
  }

  /** Inverse of `save`; takes what it is given over. */
  static load({ closed, handed, open }: SavedFeed): Feed {
    const feed = new Feed();
    feed.#closed = closed;
    feed.#handed = handed;
    for (const [tick, sides] of open) feed.#open.set(tick, sides);
    return feed;
  }
}

function nothing(): OpenSide {
  return { units: 0, errors: 0, slices: {}, latency: {} };
}

function addSide(into: OpenSide, { units, unitErrors, slices, unitLatency }: Tally): void {
  into.units += units;
  into.errors += unitErrors;
  for (const slice in slices) into.slices[slice] = (into.slices[slice] ?? 0) + slices[slice]!;
  mergeHistograms(into.latency, unitLatency);
}

function tickOf(tick: number, open?: OpenTick): ComparisonTick {
  const end = (tick + 1) * TICK_MS;
  if (!open) {
    const none: Side = { requests: 0, errors: 0 };
    return { at: end, ms: TICK_MS, blue: none, green: none };
  }
  const blue = sideOf(open.blue);
  const green = sideOf(open.green);
  if (open.blue.errors > 0) blue.slices = dense(open.blue.slices, SLICES);
  // Both or neither: a side without visitors has a histogram too, an empty one.
  if (Object.keys(open.blue.latency).length + Object.keys(open.green.latency).length > 0) {
    blue.latency = dense(open.blue.latency, BUCKETS);
    green.latency = dense(open.green.latency, BUCKETS);
  }
  return { at: end, ms: TICK_MS, blue, green };
}

function sideOf({ units, errors }: OpenSide): Side {
  // A visitor counts with the first request of a minute and fails with a later one, maybe in the next tick: a tick
  // may hold more failures than visitors. To lose them would hide a green that breaks; so they bring their visitor.
  return { requests: Math.max(units, errors), errors };
}

function dense(sparse: Record<number, number>, length: number): Uint32Array {
  const counts = new Uint32Array(length);
  for (const i in sparse) counts[i] = sparse[i]!;
  return counts;
}
