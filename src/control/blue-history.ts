/**
 * Blue's last hours in a compact form: what a comparison that knows nothing of blue is taught from. Kept in chunks of
 * ten minutes, each a row in storage; older ones are forgotten.
 */
import type { ComparisonTick } from "../core/analysis/comparing.ts";
import { LONGEST_SILENCE_MS } from "../core/analysis/feed.ts";
import { SLICES } from "../core/analysis/tally.ts";

/** Counts of so many milliseconds stand together: short enough for a burst to show. */
export const BLOCK_MS = 8_000;
/** Length of a chunk, milliseconds: a row of some 2 kB at most, written over until it is full. */
export const CHUNK_MS = 600_000;
/** Chunks that ended longer ago are forgotten, milliseconds. */
export const REMEMBERED_MS = 6 * 3_600_000;

/** Number of the block in its chunk, requests, errors, then a slice and its errors for each slice that has any. */
type Block = number[];

export interface Chunk {
  /** Start, milliseconds since the epoch. */
  from: number;
  blocks: Block[];
}

export class BlueHistory {
  #chunk: Chunk | undefined;
  /** Chunks that have changed since they were last taken. */
  readonly #changed = new Set<Chunk>();

  /** Goes on with the newest chunk in storage. */
  constructor(newest: Chunk | undefined) {
    this.#chunk = newest;
  }

  /** Takes blue's side of a tick; ticks come in order. */
  add({ at, ms, blue }: ComparisonTick): void {
    if (blue.requests === 0) return;
    const start = at - ms;
    const from = Math.floor(start / CHUNK_MS) * CHUNK_MS;
    if (this.#chunk?.from !== from) this.#chunk = { from, blocks: [] };
    const { blocks } = this.#chunk;
    const number = Math.floor((start - from) / BLOCK_MS);
    const last = blocks.at(-1);
    if (last?.[0] === number) blocks.pop();
    const [requests, errors, slices] =
      last?.[0] === number ? countsOf(last) : [0, 0, new Uint32Array(SLICES)];
    const block = [number, requests + blue.requests, errors + blue.errors];
    for (let slice = 0; slice < SLICES; slice++) {
      const failed = slices[slice]! + (blue.slices?.[slice] ?? 0);
      if (failed > 0) block.push(slice, failed);
    }
    blocks.push(block);
    this.#changed.add(this.#chunk);
  }

  /** The chunks to write down: those that changed since the last call. */
  changed(): Chunk[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }
}

/** The ticks of chunks in order of time, each a block long; silence is filled up as a feed does it. */
export function* replay(chunks: Iterable<Chunk>): Generator<ComparisonTick> {
  let until = 0;
  for (const { from, blocks } of chunks) {
    for (const block of blocks) {
      const start = from + block[0]! * BLOCK_MS;
      if (start - until <= LONGEST_SILENCE_MS) {
        while (until < start) {
          until += BLOCK_MS;
          yield tickOf(until, 0, 0);
        }
      }
      until = start + BLOCK_MS;
      yield tickOf(until, ...countsOf(block));
    }
  }
}

function countsOf([, requests = 0, errors = 0, ...pairs]: Block): [number, number, Uint32Array] {
  const slices = new Uint32Array(SLICES);
  for (let i = 0; i + 1 < pairs.length; i += 2) slices[pairs[i]!] = pairs[i + 1]!;
  return [requests, errors, slices];
}

function tickOf(at: number, requests: number, errors: number, slices?: Uint32Array): ComparisonTick {
  return { at, ms: BLOCK_MS, blue: { requests, errors, slices }, green: { requests: 0, errors: 0 } };
}
