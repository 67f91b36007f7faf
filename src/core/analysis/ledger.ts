/**
 * What one shard has counted: each batch once, running totals by row, and what the controller has not stored yet.
 * Pure memory; its owner writes `pagesOf` an isolate down before it acknowledges a batch and rebuilds it from there.
 */
import {
  type Batch,
  type Cell,
  type Forward,
  type InFlight,
  TICK_MS,
  WIRE_VERSION,
} from "../wire/messages.ts";
import { entry } from "./entry.ts";
import { addTally, emptyTally, type RowKey, type Tally } from "./tally.ts";
import { LATENESS_MS } from "./window.ts";

/** An isolate that was silent for so long is not counted as one, nor are its requests in flight, milliseconds. */
export const QUIET_AFTER_MS = 60_000;
/** An isolate that was silent for so long will not send a batch again, milliseconds; it gives up after 5 minutes. */
export const GONE_AFTER_MS = 15 * 60_000;

/** Cells counted together at one version. */
export interface PendingCells {
  version: number;
  cells: Cell[];
}

/** What is known of one isolate. All but `inFlight` is durable. */
export interface IsolatePage {
  isolate: string;
  /** Last batch counted. */
  seq: number;
  /** Milliseconds since the epoch, shard's clock. */
  seenAt: number;
  /** Version at which its last batch was counted. */
  version: number;
  /** Batches it gave up on (running total). */
  lost: number;
  /** Its own running totals. */
  totals: Map<RowKey, Tally>;
  /** Its cells that the controller may not have yet, oldest first. */
  pending: PendingCells[];
  inFlight: InFlight[];
}

/** Totals of one row and the version at which they last changed. */
interface Row {
  tally: Tally;
  changed: number;
}

/** Running totals of isolates that are gone, as they are kept in storage. */
export interface Folded {
  version: number;
  lost: number;
  totals: Iterable<[RowKey, Tally]>;
}

export class Ledger {
  #version = 0;
  /** Batches lost by isolates that are gone. */
  #lost = 0;
  readonly #rows = new Map<RowKey, Row>();
  readonly #isolates = new Map<string, IsolatePage>();

  /** Rebuilds what was written down. Which rows the controller lacks is not known then: all count as changed. */
  load(folded: Folded, pages: Iterable<IsolatePage>): void {
    const list = [...pages];
    this.#version = Math.max(folded.version, ...list.map((page) => page.version));
    this.#lost = folded.lost;
    for (const [row, tally] of folded.totals) this.#add(row, tally);
    for (const page of list) {
      this.#isolates.set(page.isolate, page);
      for (const [row, tally] of page.totals) this.#add(row, tally);
    }
  }

  /** Rises with every batch counted. */
  get version(): number {
    return this.#version;
  }

  /** Number of the last batch counted of an isolate; 0 for one not known. */
  seqOf(isolate: string): number {
    return this.#isolates.get(isolate)?.seq ?? 0;
  }

  /** Counts a batch, unless it was counted before. Returns the isolate's page when it has to be written down. */
  count(batch: Batch, now: number): IsolatePage | undefined {
    const page = this.#isolates.get(batch.isolate) ?? this.#open(batch.isolate);
    page.seenAt = now;
    if (batch.seq <= page.seq) return undefined;
    page.seq = batch.seq;
    page.inFlight = batch.inFlight;
    const lost = batch.lost > page.lost;
    page.lost = Math.max(page.lost, batch.lost);
    if (batch.cells.length === 0 && !lost) return undefined;
    this.#version++;
    page.version = this.#version;
    for (const { row, tally } of batch.cells) {
      // Totals have no sketch: it would make every row long, and who asks for distinct visitors asks for a time.
      const total = { ...tally, sketch: "" };
      this.#add(row, total);
      addTally(entry(page.totals, row, emptyTally), total);
    }
    if (batch.cells.length > 0) page.pending.push({ version: this.#version, cells: batch.cells });
    forgetLate(page, now);
    return page;
  }

  /** What the controller lacks when it has stored version `base`. */
  forwardFrom(base: number, shard: string, now: number): Forward {
    const totals: Forward["totals"] = [];
    for (const [row, { tally, changed }] of this.#rows) if (changed > base) totals.push({ row, tally });
    const pending: Cell[][] = [];
    const inFlight: InFlight[] = [];
    let isolates = 0;
    let lost = this.#lost;
    for (const page of this.#isolates.values()) {
      lost += page.lost;
      forgetLate(page, now);
      for (const { version, cells } of page.pending) if (version > base) pending.push(cells);
      if (now - page.seenAt > QUIET_AFTER_MS) continue;
      isolates++;
      inFlight.push(...page.inFlight);
    }
    return {
      v: WIRE_VERSION,
      shard,
      base,
      version: this.#version,
      totals,
      cells: mergeCells(pending),
      inFlight: mergeInFlight(inFlight),
      lost,
      isolates,
    };
  }

  /** The controller has stored everything up to version `have`. */
  stored(have: number): void {
    if (have > this.#version) {
      // Our store was put back to an older state: overtake the controller, with all rows as they are now.
      this.#version = have + 1;
      for (const row of this.#rows.values()) row.changed = this.#version;
      return;
    }
    for (const page of this.#isolates.values()) {
      page.pending = page.pending.filter(({ version }) => version > have);
    }
  }

  /** Pages of isolates that are gone: to be folded in storage and then closed. */
  gone(now: number): IsolatePage[] {
    return [...this.#isolates.values()].filter((page) => now - page.seenAt > GONE_AFTER_MS);
  }

  /** Forgets an isolate; its totals stay counted. */
  close(page: IsolatePage): void {
    this.#isolates.delete(page.isolate);
    this.#lost += page.lost;
  }

  #open(isolate: string): IsolatePage {
    const page: IsolatePage = {
      isolate,
      seq: 0,
      seenAt: 0,
      version: 0,
      lost: 0,
      totals: new Map(),
      pending: [],
      inFlight: [],
    };
    this.#isolates.set(isolate, page);
    return page;
  }

  #add(row: RowKey, tally: Tally): void {
    const known = this.#rows.get(row);
    if (!known) this.#rows.set(row, { tally: addTally(emptyTally(), tally), changed: this.#version });
    else {
      addTally(known.tally, tally);
      known.changed = this.#version;
    }
  }
}

/** Cells too old to be evidence are in the totals already; so what is pending stays small while nobody takes it. */
function forgetLate(page: IsolatePage, now: number): void {
  const oldest = now - LATENESS_MS - TICK_MS;
  if (!page.pending.some(({ cells }) => cells.some((cell) => cell.tick * TICK_MS < oldest))) return;
  page.pending = page.pending
    .map(({ version, cells }) => ({ version, cells: cells.filter((cell) => cell.tick * TICK_MS >= oldest) }))
    .filter(({ cells }) => cells.length > 0);
}

function mergeCells(lists: readonly Cell[][]): Cell[] {
  const merged = new Map<string, Cell>();
  for (const cells of lists) {
    for (const { row, tick, tally } of cells) {
      const key = `${tick}|${row}`;
      const cell = merged.get(key);
      if (cell) addTally(cell.tally, tally);
      else merged.set(key, { row, tick, tally: addTally(emptyTally(), tally) });
    }
  }
  return [...merged.values()];
}

function mergeInFlight(gauges: readonly InFlight[]): InFlight[] {
  const merged = new Map<RowKey, InFlight>();
  for (const { row, count, oldestMs } of gauges) {
    const known = merged.get(row);
    if (!known) merged.set(row, { row, count, oldestMs });
    else {
      known.count += count;
      known.oldestMs = Math.max(known.oldestMs, oldestMs);
    }
  }
  return [...merged.values()];
}
