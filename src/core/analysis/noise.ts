/**
 * How much a mean of blue's (failures per request, or latency) moves between neighbouring stretches of time beyond
 * chance, on each scale: the Allan variance less its sampling part. Slow swings, as over a day, hardly enter it.
 */
import { CHUNK, KEEP, SCALES_MS } from "./scales.ts";
import type { StateIo } from "./state-io.ts";

/** What is presumed before anything was seen is worth so many stretches, and averages out over longer ones than this. */
const PRIOR_STRETCHES = 0.5;
const PRIOR_MS = 32_000;
const PRIOR_FALL = 1.25;

/** A scale of which little was seen is presumed to move as the next shorter one does, worth so many stretches. */
const FROM_SHORTER = 2;
/** Few stretches can be calm by luck: what they show is raised by this over the square root of their number. */
const CAUTION = 3;
/** Standard errors of the sampling part that are taken for chance. */
const CHANCE = 1.6;
/** How much wider the squares of few events scatter: their fourth moment is about their mean. */
const RARE = 2;

/** Presumed variance of a count in units of Poisson's, worth so many failures. */
const DISPERSION_PRIOR = 2.5;
const DISPERSION_PRIOR_FAILURES = 10;

/** Slow wandering is presumed from this scale on, until blue was watched for some hours: before, nothing shows it. */
const SLOW_SCALE = 4;
const SLOW_MS = 3 * 3_600_000;

interface Scale {
  /** The stretch before. */
  lastItems: number;
  lastSum: number;
  /** Believed: Σ d², its part by chance, Σ 2(n₁n₂/(n₁+n₂))², and the number of pairs. */
  squares: number;
  expected: number;
  unit: number;
  pairs: number;
  /** The same, not believed yet. */
  newSquares: number;
  newExpected: number;
  newUnit: number;
  newPairs: number;
}

function newScale(): Scale {
  return {
    lastItems: 0,
    lastSum: 0,
    squares: 0,
    expected: 0,
    unit: 0,
    pairs: 0,
    newSquares: 0,
    newExpected: 0,
    newUnit: 0,
    newPairs: 0,
  };
}

/** Variances of the mean that are presumed: within half a minute, and over many minutes. */
export interface Presumed {
  fast: number;
  slow: number;
}

export class Noise {
  readonly #scales = SCALES_MS.map(newScale);

  /**
   * Takes a stretch of a scale: so many items with this sum. Stretches that end together come shortest first.
   * @param variance of one item; undefined for counts of rare events, where it is their rate
   * @param shared did green do the same? Then it says nothing of blue alone
   */
  take(scale: number, items: number, sum: number, variance: number | undefined, shared: boolean): void {
    pair(this.#scales[scale]!, items, sum, variance);
    if (scale < CHUNK) return;
    for (let i = scale === CHUNK ? 0 : scale; i <= scale; i++)
      believe(this.#scales[i]!, KEEP[scale]!, shared);
  }

  /**
   * Variance of the mean between stretches, beyond chance; by scale, into `into`.
   * @param presumed variances before anything was seen
   * @param dispersion variance of a count in units of Poisson's
   */
  variances(into: Float64Array, presumed: Presumed, dispersion: number): void {
    const watched = this.#scales[CHUNK]!.pairs * SCALES_MS[CHUNK]!;
    const slow = presumed.slow * Math.exp(-((watched / SLOW_MS) ** 2));
    let shorter = 0;
    for (let j = 0; j < SCALES_MS.length; j++) {
      const { squares, expected, unit, pairs } = this.#scales[j]!;
      const fast = presumed.fast * Math.min(1, PRIOR_MS / SCALES_MS[j]!) ** PRIOR_FALL;
      const prior = j < SLOW_SCALE ? fast : fast + slow;
      const error = Math.sqrt(1 / Math.max(1, pairs) + RARE / (expected + 1));
      const chance = dispersion * (1 + CHANCE * error) * expected;
      const caution = 1 + CAUTION / Math.sqrt(pairs + 1);
      const seen = unit > 0 ? (Math.max(0, squares - chance) / unit) * caution : 0;
      shorter =
        (seen * pairs + prior * PRIOR_STRETCHES + FROM_SHORTER * shorter) /
        (pairs + PRIOR_STRETCHES + FROM_SHORTER);
      into[j] = shorter;
    }
  }

  /** Failures seen on the shortest scale that count as chance: half of all, for each stretch is in two pairs. */
  get told(): number {
    return this.#scales[0]!.expected;
  }

  /** Variance of a count in units of Poisson's between neighbouring stretches: what slices would tell, and more. */
  dispersion(scale: number): number {
    const { squares, expected, pairs } = this.#scales[scale]!;
    const error = Math.sqrt(2 / (pairs + 1) + 1 / (expected + 1));
    const beyond = Math.max(0, squares - CHANCE * error * expected);
    return (beyond + DISPERSION_PRIOR * DISPERSION_PRIOR_FAILURES) / (expected + DISPERSION_PRIOR_FAILURES);
  }

  /** Reads or writes the state. */
  visit(io: StateIo): void {
    for (const scale of this.#scales) {
      scale.lastItems = io.number(scale.lastItems);
      scale.lastSum = io.number(scale.lastSum);
      scale.squares = io.number(scale.squares);
      scale.expected = io.number(scale.expected);
      scale.unit = io.number(scale.unit);
      scale.pairs = io.number(scale.pairs);
      scale.newSquares = io.number(scale.newSquares);
      scale.newExpected = io.number(scale.newExpected);
      scale.newUnit = io.number(scale.newUnit);
      scale.newPairs = io.number(scale.newPairs);
    }
  }
}

/** Compares a stretch with the one before. */
function pair(scale: Scale, items: number, sum: number, variance: number | undefined): void {
  const { lastItems, lastSum } = scale;
  if (items > 0 && lastItems > 0) {
    const both = items + lastItems;
    const size = (items * lastItems) / both;
    // d = (n₁n₂/(n₁+n₂))·(m₂ − m₁). Its variance is that size times an item's, and size²·2s² where means have s².
    const d = sum - ((sum + lastSum) * items) / both;
    scale.newSquares += d * d;
    scale.newExpected += size * (variance ?? (sum + lastSum) / both);
    scale.newUnit += 2 * size * size;
    scale.newPairs += 1;
  }
  scale.lastItems = items;
  scale.lastSum = sum;
}

/** Takes what was gathered as blue's own doing, or drops it where green did the same. */
function believe(scale: Scale, keep: number, shared: boolean): void {
  scale.squares *= keep;
  scale.expected *= keep;
  scale.unit *= keep;
  scale.pairs *= keep;
  if (shared) scale.lastItems = 0;
  else {
    scale.squares += scale.newSquares;
    scale.expected += scale.newExpected;
    scale.unit += scale.newUnit;
    scale.pairs += scale.newPairs;
  }
  scale.newSquares = 0;
  scale.newExpected = 0;
  scale.newUnit = 0;
  scale.newPairs = 0;
}
