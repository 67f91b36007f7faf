/**
 * How often a stretch of blue had how many times its usual rate of failures. Rare bursts hardly show in a variance, but
 * one of them in green, taken at its word, would halt it.
 */
import { CHUNK, KEEP, SCALES_MS } from "./scales.ts";
import type { StateIo } from "./state-io.ts";
import type { Usual } from "./usual.ts";

/** Scales on which bursts are looked for, seconds to minutes: shorter is chance, longer is noise (`Noise`). */
const FIRST = 1;
const LAST = 4;

/** Sizes are kept in steps of √2, from 1 to 256 times the usual rate. */
const BINS = 17;
const SIZE = Array.from({ length: BINS }, (_, bin) => 2 ** (bin / 2));

/** Standard errors of a count that are not taken for a burst. */
const CHANCE = 2.5;

/** Bursts presumed before blue was watched for some hours are of the size (bin) that each scale can see. */
const PRIOR_MS = 5_400_000;
const PRIOR_BIN = [0, 7, 7, 4, 2];
/** The usual rate is known well enough for bursts from this weight of `Usual` on. */
const KNOWN = 0.02;

/** The mean excess that bursts may add to a bet's value in a stretch, and the stretches it is presumed to be over. */
const TOLERATED = 0.1;
const PRIOR_STRETCHES = 20;
/** Terms are cut off here: one that large forbids a bet anyway. */
const LARGEST = 50;

interface Scale {
  /** Stretches by size. */
  seen: Float64Array;
  fresh: Float64Array;
}

export class Bursts {
  readonly #scales: Scale[] = Array.from({ length: LAST - FIRST + 1 }, () => ({
    seen: new Float64Array(BINS),
    fresh: new Float64Array(BINS),
  }));

  /** Takes a stretch of blue, of a scale; `usual` failures per request. Stretches that end together come shortest first. */
  take(scale: number, requests: number, failures: number, usual: Usual, shared: boolean): void {
    if (scale < FIRST || scale > LAST) return;
    note(this.#scales[scale - FIRST]!, requests, failures, usual);
    if (scale < CHUNK) return;
    for (let i = scale === CHUNK ? FIRST : scale; i <= scale; i++)
      believe(this.#scales[i - FIRST]!, KEEP[scale]!, shared);
  }

  /**
   * Would blue's own bursts, had green had them, have been worth little? In a stretch of `scale` green would then grow
   * a bet by exp(up · size − down), where size 1 is the usual rate. `presumed`: bursts before any was seen.
   */
  allow(scale: number, up: number, down: number, presumed: number): boolean {
    if (scale < FIRST || scale > LAST) return true;
    const { seen } = this.#scales[scale - FIRST]!;
    let stretches = 0;
    for (const n of seen) stretches += n;
    const prior = presumed * Math.exp(-(((stretches * SCALES_MS[scale]!) / PRIOR_MS) ** 2));
    const most = TOLERATED * (stretches + PRIOR_STRETCHES);
    let sum = 0;
    for (let bin = 2; bin < BINS; bin++) {
      const n = seen[bin]! + (bin === PRIOR_BIN[scale] ? prior : 0);
      if (n > 0.01) sum += n * Math.exp(Math.min(LARGEST, up * SIZE[bin]! - down));
      if (sum > most) return false;
    }
    return true;
  }

  /** Reads or writes the state. */
  visit(io: StateIo): void {
    for (const scale of this.#scales) {
      io.array(scale.seen);
      io.array(scale.fresh);
    }
  }
}

function note(scale: Scale, requests: number, failures: number, { rate, weight }: Usual): void {
  const expected = rate * requests;
  if (weight <= KNOWN || expected === 0) return;
  const size = (failures - CHANCE * Math.sqrt(failures)) / expected;
  scale.fresh[size <= 1 ? 0 : Math.min(BINS - 1, Math.round(2 * Math.log2(size)))]! += 1;
}

function believe(scale: Scale, keep: number, shared: boolean): void {
  for (let bin = 0; bin < BINS; bin++) {
    scale.seen[bin] = scale.seen[bin]! * keep + (shared ? 0 : scale.fresh[bin]!);
    scale.fresh[bin] = 0;
  }
}
