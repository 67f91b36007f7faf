/** The block of traffic that a comparison gathers before it looks: counts of both sides since the last look. */
import type { Side } from "./comparing.ts";
import { BUCKETS } from "./histogram.ts";
import type { StateIo } from "./state-io.ts";

/** A block is whole when it holds so many requests … */
const REQUESTS = 20;
/** … or is so long, milliseconds. Requests and time close it, never failures. */
const LONGEST_MS = 30_000;

/** Requests of a side, and how many of them failed. */
export interface Counts {
  requests: number;
  errors: number;
}

export class Block {
  /** Length, milliseconds, and the part of it in which green failed. */
  ms = 0;
  failingMs = 0;
  readonly blue: Counts = { requests: 0, errors: 0 };
  readonly green: Counts = { requests: 0, errors: 0 };
  /** Latencies by bucket, where both sides told theirs. */
  readonly blueLatency = new Float64Array(BUCKETS);
  readonly greenLatency = new Float64Array(BUCKETS);
  timed = false;

  /** Adds a tick of so many milliseconds. */
  add(ms: number, blue: Side, green: Side): void {
    this.ms += ms;
    addSide(this.blue, blue);
    addSide(this.green, green);
    if (green.errors > 0) this.failingMs += ms;
    if (!blue.latency || !green.latency) return;
    this.timed = true;
    for (let i = 0; i < BUCKETS; i++) {
      this.blueLatency[i]! += blue.latency[i]!;
      this.greenLatency[i]! += green.latency[i]!;
    }
  }

  /** Is it time to look? */
  get isWhole(): boolean {
    return isEnough(this.blue, this.green) || this.ms >= LONGEST_MS;
  }

  /** Begins the next one. */
  clear(): void {
    this.ms = 0;
    this.failingMs = 0;
    for (const side of [this.blue, this.green]) side.requests = side.errors = 0;
    if (!this.timed) return;
    this.blueLatency.fill(0);
    this.greenLatency.fill(0);
    this.timed = false;
  }

  /** Reads or writes the state. */
  visit(io: StateIo): void {
    this.ms = io.number(this.ms);
    this.failingMs = io.number(this.failingMs);
    for (const side of [this.blue, this.green]) {
      side.requests = io.number(side.requests);
      side.errors = io.number(side.errors);
    }
    io.array(this.blueLatency);
    io.array(this.greenLatency);
    this.timed = io.number(Number(this.timed)) === 1;
  }
}

/** Are these requests enough for a block? */
export function isEnough(blue: Counts, green: Counts): boolean {
  return blue.requests + green.requests >= REQUESTS;
}

/** A visitor-minute may fail in a later tick than it began in: a side never has more errors than requests. */
export function addSide(into: Counts, side: Counts): void {
  into.requests += Math.max(side.requests, side.errors);
  into.errors += side.errors;
}
