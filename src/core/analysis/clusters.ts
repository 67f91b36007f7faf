/**
 * How far blue's failures come in clusters, one visitor failing again and again: then the slices of the bucket space
 * differ from each other by more than chance, while whatever befalls blue as a whole falls on all slices alike.
 */
import { KEEP, SCALES_MS } from "./scales.ts";
import type { StateIo } from "./state-io.ts";
import { SLICES } from "./tally.ts";

/** Presumed before anything was seen: this variance in units of Poisson's, worth so many failures. */
const PRIOR = 2.5;
const PRIOR_FAILURES = 10;
/** Standard errors that are taken for chance. */
const CHANCE = 1.5;
/** Variance of a slice's failures around the mean of the slices, in units of Poisson's. */
const FREE = 1 - 1 / SLICES;

/** Clusters are looked for one by one up to this scale; this many standard errors of a slice are chance. */
const LONGEST = 3;
const SURELY = 7;

interface Scale {
  /** The largest cluster seen: failures of one slice beyond the mean of all and beyond chance; forgotten slowly. */
  largest: number;
  squares: number;
  expected: number;
  stretches: number;
}

export class Clusters {
  readonly #scales: Scale[] = SCALES_MS.map(() => ({ largest: 0, squares: 0, expected: 0, stretches: 0 }));

  /** Takes blue's failures by slice in a stretch of a scale. */
  take(scale: number, slices: Float64Array): void {
    const into = this.#scales[scale]!;
    const keep = KEEP[scale]!;
    let failures = 0;
    for (const k of slices) failures += k;
    into.squares *= keep;
    into.expected *= keep;
    into.largest *= keep;
    into.stretches = into.stretches * keep + 1;
    if (failures === 0) return;
    const mean = failures / SLICES;
    for (const k of slices) {
      into.squares += (k - mean) ** 2;
      const others = (failures - k) / (SLICES - 1);
      if (scale <= LONGEST && k - others > SURELY * Math.sqrt(others + 1))
        into.largest = Math.max(into.largest, k - others);
    }
    into.expected += failures * FREE;
  }

  /** Variance of a slice's failures in units of Poisson's, on a scale; below 1 means nothing. */
  dispersion(scale: number): number {
    const { squares, expected, stretches } = this.#scales[scale]!;
    const error = Math.sqrt(2 / ((SLICES - 1) * (stretches + 1)) + 1 / (expected + 1));
    const beyond = Math.max(0, squares - CHANCE * error * expected);
    return (beyond + PRIOR * PRIOR_FAILURES) / (expected + PRIOR_FAILURES);
  }

  /** The largest single cluster that was seen, failures. */
  get largest(): number {
    return this.#scales.reduce((most, { largest }) => Math.max(most, largest), 0);
  }

  /** Failures that slices told of, as `Noise.chance` counts them. */
  get told(): number {
    return this.#scales[0]!.expected;
  }

  /** Reads or writes the state. */
  visit(io: StateIo): void {
    for (const scale of this.#scales) {
      scale.largest = io.number(scale.largest);
      scale.squares = io.number(scale.squares);
      scale.expected = io.number(scale.expected);
      scale.stretches = io.number(scale.stretches);
    }
  }
}
