/**
 * Counts in memory: one tally per row and 2 s tick of the request's start, until a flush takes them. Knows nothing of
 * the wire's way; the time is a parameter (milliseconds since the epoch).
 */
import { mergeHistograms, observe, quantileMs, type SparseHistogram } from "../core/analysis/histogram.ts";
import {
  addTally,
  MAX_VISITORS,
  mergeVisitors,
  type Outcome,
  type RowId,
  rowKey,
  type Tally,
} from "../core/analysis/tally.ts";
import { sliceOf } from "../core/hashing/bucket.ts";
import { type Cell, type InFlight, TICK_MS } from "../core/wire/messages.ts";
import type { Attempt } from "./attempt.ts";
import { Row } from "./row.ts";

/** A visitor who leaves earlier than this never counts as a timeout, milliseconds. */
const MIN_SLOW_MS = 2000;
/** Blue's latencies are remembered for one to two of these, milliseconds. */
const LATENCY_MEMORY_MS = 300_000;
/** Cells older than this are too late to be evidence and are merged into one per row, ticks (60 s). */
const OLD_TICKS = 30;
/** A request that ends is counted in a tick that is no older, milliseconds: half of what a tick stays open. */
const MAX_TICK_AGE_MS = 20_000;
/** Rows kept for the next request; more are only looked up anew. */
const MAX_ROWS = 10_000;

export class Recorder {
  readonly #rows = new Map<string, Row>();
  readonly #listed = new Set<Row>();
  readonly #open = new Set<Attempt>();
  /** By row without its placement. */
  readonly #streaks = new Map<string, { length: number }>();
  readonly #blue = new Map<string, { now: SparseHistogram; before: SparseHistogram; since: number }>();
  /** Requests and diversions counted since the last drain. */
  counted = 0;
  /** Has green failed since the last drain? */
  greenFailed = false;

  /** The row of an id. */
  row(id: RowId): Row {
    const key = rowKey(id);
    let row = this.#rows.get(key);
    if (!row) {
      if (this.#rows.size >= MAX_ROWS) {
        this.#rows.clear();
        this.#streaks.clear();
      }
      row = new Row(id, this.#streakOf(id));
      this.#rows.set(key, row);
    }
    return row;
  }

  /** Attempts on their way. */
  get open(): ReadonlySet<Attempt> {
    return this.#open;
  }

  /** Is there anything that a batch would hold? */
  get empty(): boolean {
    return this.#listed.size === 0 && this.#open.size === 0;
  }

  /** Opens the record of an attempt, before it is sent. */
  begin(attempt: Attempt): void {
    this.#open.add(attempt);
  }

  /** Takes an attempt out of those in flight without counting it: it was a rescue, or is to be sent again. */
  end(attempt: Attempt): void {
    this.#open.delete(attempt);
  }

  /**
   * Closes the record of an attempt and counts it. A second call changes nothing. `refused`: a success of 400 to 499.
   * Says whether it was a failure.
   */
  close(
    attempt: Attempt,
    outcome: Outcome,
    now: number,
    slowAfterMs: number | undefined,
    refused = false,
  ): boolean {
    this.#open.delete(attempt);
    const { row } = attempt;
    if (attempt.closed || !row) return false;
    attempt.closed = true;
    const waited = now - attempt.startedAt;
    // One that took long would come too late to be evidence if it counted where it started.
    const tally = row.at(waited > MAX_TICK_AGE_MS ? now - MAX_TICK_AGE_MS : attempt.startedAt);
    this.#list(row);
    row.see(attempt.visitor);
    tally.requests++;
    observe(tally.latency, waited);
    switch (outcome) {
      case "success":
        row.streak.length = 0;
        if (refused) tally.refused++;
        countUnit(attempt, row, tally, now, true);
        return false;
      case "censored":
        // Who left while still uploading was not kept waiting by the origin.
        if (attempt.isUploading || waited < (slowAfterMs ?? this.#slowMs(row.id.flag))) {
          tally.censored++;
          return false;
        }
        tally.timeouts++;
        break;
      case "error":
        tally.errors++;
        break;
      case "connect":
        tally.connect++;
        break;
      case "timeout":
        tally.timeouts++;
        break;
    }
    this.#fail(attempt, row, tally, now);
    return true;
  }

  /** Counts a request that was meant for this row and that an open breaker sent to blue. */
  divert(row: Row, visitor: number, now: number): void {
    const tally = row.at(now);
    this.#list(row);
    row.see(visitor);
    tally.diverted++;
    tally.visitors = withVisitor(tally.visitors, visitor);
  }

  /** Counts that blue answered a failure of this attempt. */
  rescue(attempt: Attempt): void {
    if (!attempt.row) return;
    attempt.row.at(attempt.startedAt).rescued++;
    this.#list(attempt.row, 0);
  }

  /** Takes all cells out. */
  drain(now: number): Cell[] {
    const cells: Cell[] = [];
    for (const row of this.#listed) {
      row.listed = false;
      for (const [tick, tally] of row.take()) {
        cells.push({ row: row.key, tick, tally });
        if (row.id.variant === "blue") this.#remember(row.id.flag, tally.latency, now);
      }
    }
    this.#listed.clear();
    this.counted = 0;
    this.greenFailed = false;
    return cells;
  }

  /** Merges cells that wait long, so that hours without a shard need no more memory than minutes. */
  compact(now: number): void {
    const old = Math.floor(now / TICK_MS) - OLD_TICKS;
    for (const row of this.#listed) {
      const late = [...row.cells].filter(([tick]) => tick < old);
      if (late.length < 2) continue;
      const kept = [...row.cells].filter(([tick]) => tick >= old);
      row.take();
      for (const [tick, tally] of kept) row.cells.set(tick, tally);
      const [[tick, sum], ...rest] = late as [[number, Tally], ...[number, Tally][]];
      for (const [, tally] of rest) addTally(sum, tally);
      row.cells.set(tick, sum);
    }
  }

  /** Requests waiting for headers, by row. */
  inFlight(now: number): InFlight[] {
    const waiting = new Map<string, InFlight>();
    for (const { row, startedAt } of this.#open) {
      if (!row) continue;
      const entry = waiting.get(row.key) ?? { row: row.key, count: 0, oldestMs: 0 };
      entry.count++;
      entry.oldestMs = Math.max(entry.oldestMs, now - startedAt);
      waiting.set(row.key, entry);
    }
    return [...waiting.values()];
  }

  #list(row: Row, requests = 1): void {
    this.counted += requests;
    if (row.listed) return;
    row.listed = true;
    this.#listed.add(row);
  }

  #fail(attempt: Attempt, row: Row, tally: Tally, now: number): void {
    row.streak.length++;
    if (row.streak.length > tally.run) tally.run = row.streak.length;
    tally.visitors = withVisitor(tally.visitors, attempt.visitor);
    if (row.id.variant === "green") this.greenFailed = true;
    countUnit(attempt, row, tally, now, false);
    if (!row.cap?.fail(attempt.visitor, now)) return;
    tally.unitErrors++;
    const slice = sliceOf(attempt.bucket);
    tally.slices[slice] = (tally.slices[slice] ?? 0) + 1;
  }

  #streakOf({ flag, release, cohort, variant }: RowId): { length: number } {
    const key = `${flag}|${release}|${cohort}|${variant}`;
    const streak = this.#streaks.get(key) ?? { length: 0 };
    this.#streaks.set(key, streak);
    return streak;
  }

  #remember(flag: string, latency: SparseHistogram, now: number): void {
    let memory = this.#blue.get(flag);
    if (!memory || now - memory.since >= LATENCY_MEMORY_MS) {
      memory = { now: {}, before: memory?.now ?? {}, since: now };
      this.#blue.set(flag, memory);
    }
    mergeHistograms(memory.now, latency);
  }

  /** Blue's p99 in this isolate, at least 2 s. */
  #slowMs(flag: string): number {
    const memory = this.#blue.get(flag);
    if (!memory) return MIN_SLOW_MS;
    const p99 = quantileMs(mergeHistograms({ ...memory.before }, memory.now), 0.99);
    return Math.max(MIN_SLOW_MS, p99 ?? 0);
  }
}

/** Counts a visitor-minute, with the latency of its first request if that succeeded. */
function countUnit(attempt: Attempt, row: Row, tally: Tally, now: number, succeeded: boolean): void {
  if (!row.cap?.see(attempt.visitor, now)) return;
  tally.units++;
  // A side that fails fast is not a fast one: failures are compared as failures.
  if (succeeded) observe(tally.unitLatency, now - attempt.startedAt);
}

/** The visitors with one more, as a 12-bit hash. */
function withVisitor(visitors: number[], visitor: number): number[] {
  const short = visitor >>> 20;
  if (visitors.includes(short)) return visitors;
  if (visitors.length >= MAX_VISITORS && short > visitors.at(-1)!) return visitors;
  return mergeVisitors(visitors, [short]);
}
