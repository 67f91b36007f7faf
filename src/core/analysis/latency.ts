/**
 * The latency signal: are green's latencies slower than blue's of the same moment? Given all latencies of a block, whose
 * they are is chance while both sides are alike, so slow-downs that both share cancel. Here the bets' gains are found,
 * and learned from blue how far they may be believed.
 */
import { Forgiveness } from "./forgiveness.ts";
import { BUCKETS } from "./histogram.ts";
import { Noise } from "./noise.ts";
import { SCALES_MS, Stretch } from "./scales.ts";
import { MIN_KNOWN, Scores, STEPS, TAILS, TILTS } from "./scores.ts";
import type { StateIo } from "./state-io.ts";

/** Part of the stake for each bet: tilts, then steps. */
export const LATENCY_WEIGHTS: readonly number[] = [0.25, 0.2, 0.1, 0.09, 0.09, 0.09, 0.09, 0.09];

const STEP_ODDS = STEPS.map(({ odds }) => odds);
/** Which tail speaks for each step, and what part of its exceedances the step is about. */
const TAIL_OF = STEPS.map(({ quantile }) => (quantile > TAILS[0]! ? 1 : 0));
const PART = STEPS.map(({ quantile }, s) => (1 - quantile) / (1 - TAILS[TAIL_OF[s]!]!));

/** Blue's latencies are remembered for one to two of these, milliseconds. */
const RECENT_MS = 300_000;
/** The scores are made anew so often, milliseconds. */
const SCORES_MS = 30_000;

/** Presumed of blue: a relative variance of its slow requests, and a shift of its mean in buckets. */
const PRESUMED_TAIL = { clusters: false, noise: 0.2, wander: 0, bursts: 0 };
const PRESUMED_SHIFT = 0.3;
/** Largest mean of a bet's value over a stretch that wandering latencies may lead to, ln. */
const TOLERATED = Math.log(1.1);

/** Latencies (in buckets) of both sides in the present stretch of a scale. */
interface Means {
  stretch: Stretch;
  blue: number;
  blueSum: number;
  green: number;
  greenSum: number;
  /** Blue's mean in the stretch before; NaN without one. */
  last: number;
}

export class Latency {
  readonly #recent = new Float64Array(BUCKETS);
  readonly #before = new Float64Array(BUCKETS);
  #recentSince = Number.NaN;
  /** What the scores were made from. */
  readonly #scored = new Float64Array(BUCKETS);
  #scoredAt = Number.NaN;
  readonly #scores = new Scores();
  readonly #tails = TAILS.map(() => new Forgiveness(PRESUMED_TAIL));
  readonly #location = new Noise();
  readonly #means: Means[] = SCALES_MS.map(() => ({
    stretch: new Stretch(),
    blue: 0,
    blueSum: 0,
    green: 0,
    greenSum: 0,
    last: Number.NaN,
  }));
  readonly #variances = new Float64Array(SCALES_MS.length);
  readonly #stepStrengths = new Float64Array(STEPS.length);
  /** Strength at which each bet is taken. */
  readonly #strengths = new Float64Array(LATENCY_WEIGHTS.length).fill(1);

  /** Blue's latencies of the last minutes, as of half a minute ago at most. */
  get blue(): Float64Array {
    return this.#scored;
  }

  /** Learns from a tick that ended at `at`; `green` undefined where it has no traffic. After `gains` of its block. */
  observe(at: number, ms: number, blue: ArrayLike<number>, green: ArrayLike<number> | undefined): void {
    const scores = this.#scores;
    const b = addUp(blue, this.#recent);
    if (scores.known) {
      const g = green === undefined ? undefined : addUp(green);
      for (let t = 0; t < TAILS.length; t++) {
        const from = scores.tails[t]!;
        const slow = green && g ? { requests: g.count, errors: above(green, from) } : undefined;
        this.#tails[t]!.observe(at, ms, { requests: b.count, errors: above(blue, from) }, slow);
      }
      this.#learnMeans(at, ms, b, g);
    }
    if (Number.isNaN(this.#recentSince)) this.#recentSince = at;
    if (at - this.#recentSince >= RECENT_MS) {
      this.#before.set(this.#recent);
      this.#recent.fill(0);
      this.#recentSince = at;
    }
    if (at - this.#scoredAt < SCORES_MS) return;
    // Too few to make scores from: the older ones stay, and with them what they were made from.
    if (addUp(this.#recent).count + addUp(this.#before).count < MIN_KNOWN) return;
    this.#scoredAt = at;
    for (let i = 0; i < BUCKETS; i++) this.#scored[i] = this.#recent[i]! + this.#before[i]!;
    scores.make(this.#scored);
  }

  /** Gains of the bets in a block, into `into`; false where it says nothing. */
  gains(blue: Float64Array, green: Float64Array, into: Float64Array): boolean {
    const { known, z, blueTilts, greenTilts, steps, margin } = this.#scores;
    let nB = 0;
    let nG = 0;
    let score = 0;
    for (let i = 0; i < BUCKETS; i++) {
      nB += blue[i]!;
      nG += green[i]!;
      score += green[i]! * z[i]!;
    }
    if (!known || nB === 0 || nG === 0) return false;
    const n = nB + nG;
    for (let t = 0; t < TILTS.length; t++) {
      const [blueTilt, greenTilt] = [blueTilts[t]!, greenTilts[t]!];
      let sum = 0;
      for (let i = 0; i < BUCKETS; i++) sum += blue[i]! * blueTilt[i]! + green[i]! * greenTilt[i]!;
      into[t] = this.#strengths[t]! * (TILTS[t]! * score - nG * Math.log(sum / n));
    }
    for (let s = 0; s < STEPS.length; s++) {
      const extra = STEP_ODDS[s]! - 1;
      const from = steps[s]!;
      const slow = above(green, from + 1);
      // A request in green's first bucket beyond counts in part: the margin.
      const edge = green[from]!;
      const stays = 1 - margin;
      const mean = 1 + (extra * (above(blue, from) + slow + edge * stays)) / n;
      const gain = slow * Math.log1p(extra) + edge * Math.log1p(extra * stays) - nG * Math.log(mean);
      into[TILTS.length + s] = this.#strengths[TILTS.length + s]! * gain;
    }
    return true;
  }

  /** Learns how strongly each bet may be taken, from `strengths` (falling, 0..1]; `requestsPerSecond` green's. */
  learn(requestsPerSecond: number, strengths: readonly number[]): void {
    if (!this.#scores.known) return;
    for (let t = 0; t < TAILS.length; t++) {
      this.#tails[t]!.strengths(STEP_ODDS, PART, strengths, requestsPerSecond, this.#stepStrengths);
      for (let s = 0; s < STEPS.length; s++)
        if (TAIL_OF[s] === t) this.#strengths[TILTS.length + s] = this.#stepStrengths[s]!;
    }
    this.#location.variances(this.#variances, { fast: PRESUMED_SHIFT ** 2, slow: 0 }, 1);
    for (let t = 0; t < TILTS.length; t++) {
      let e = 0;
      for (let j = 0; j < SCALES_MS.length; j++) {
        const n = (requestsPerSecond * SCALES_MS[j]!) / 1000;
        while (e < strengths.length - 1 && !this.#allows(j, TILTS[t]!, strengths[e]!, n)) e++;
      }
      this.#strengths[t] = strengths[e]!;
    }
  }

  /** Reads or writes the state. */
  visit(io: StateIo): void {
    io.array(this.#recent);
    io.array(this.#before);
    this.#recentSince = io.number(this.#recentSince);
    io.array(this.#scored);
    this.#scoredAt = io.number(this.#scoredAt);
    this.#scores.make(this.#scored);
    for (const tail of this.#tails) tail.visit(io);
    this.#location.visit(io);
    for (const means of this.#means) {
      means.stretch.from = io.number(means.stretch.from);
      means.blue = io.number(means.blue);
      means.blueSum = io.number(means.blueSum);
      means.green = io.number(means.green);
      means.greenSum = io.number(means.greenSum);
      means.last = io.number(means.last);
    }
    io.array(this.#strengths);
  }

  /**
   * Does the mean value of a bet on a tilt stay about 1 over a stretch with n requests of green, when the two sides'
   * means differ by a normal variable as wide as blue's own mean moves (twice its variance, for both do)?
   */
  #allows(scale: number, tilt: number, strength: number, n: number): boolean {
    const { variance, margin } = this.#scores;
    const wander = (2 * this.#variances[scale]!) / variance;
    const growth = ((strength * (1 + n * wander) - 1) * tilt) / 2 - margin / Math.sqrt(variance);
    return strength * tilt * n * growth <= TOLERATED;
  }

  /** How blue's mean moves from stretch to stretch, where green's does not move with it. */
  #learnMeans(at: number, ms: number, blue: Sum, green: Sum | undefined): void {
    const first = this.#means[0]!;
    first.blue += blue.count;
    first.blueSum += blue.sum;
    if (green) {
      first.green += green.count;
      first.greenSum += green.sum;
    }
    // Each stretch is made of those of the next shorter scale.
    for (let j = 0; j < SCALES_MS.length; j++) {
      const means = this.#means[j]!;
      if (!means.stretch.isFull(j, at, ms)) return;
      const mean = means.blueSum / means.blue;
      // Without green, or without blue, these are NaN, and nothing was shared.
      const together = Math.abs(means.greenSum / means.green - mean) < Math.abs(mean - means.last) / 2;
      if (means.blue > 0) means.last = mean;
      this.#location.take(j, means.blue, means.blueSum, this.#scores.variance, together);
      const longer = this.#means[j + 1];
      if (longer) {
        if (Number.isNaN(longer.stretch.from)) longer.stretch.from = means.stretch.before;
        longer.blue += means.blue;
        longer.blueSum += means.blueSum;
        longer.green += means.green;
        longer.greenSum += means.greenSum;
      }
      means.blue = means.blueSum = means.green = means.greenSum = 0;
    }
  }
}

/** How many latencies, and the sum of their buckets. */
interface Sum {
  count: number;
  sum: number;
}

function addUp(counts: ArrayLike<number>, into?: Float64Array): Sum {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < BUCKETS; i++) {
    const c = counts[i]!;
    if (c === 0) continue;
    count += c;
    sum += c * i;
    if (into) into[i]! += c;
  }
  return { count, sum };
}

/** Sum of the counts from bucket `from` on. */
function above(counts: ArrayLike<number>, from: number): number {
  let sum = 0;
  for (let i = from; i < BUCKETS; i++) sum += counts[i]!;
  return sum;
}
