/**
 * What blue's own scatter forbids to believe: from clusters, bursts and wandering rates of blue follows how strongly a
 * bet on green's failures may be taken, so that a green that does no more than blue does never adds up to a halt.
 */
import { Bursts } from "./bursts.ts";
import { Clusters } from "./clusters.ts";
import { Noise } from "./noise.ts";
import { CHUNK, SCALES_MS, Stretch } from "./scales.ts";
import type { StateIo } from "./state-io.ts";
import { SLICES } from "./tally.ts";
import { Usual } from "./usual.ts";

/** Evidence that a detection takes, nats: with the rate of failures it says on which scales clusters matter. */
const DETECTION_NATS = 10;
/** Scales up to so many times the length of a detection matter, for smaller differences take longer. */
const REACH = 8;
/** So little extra variance of clusters is as good as none. */
const CLUSTER_SLACK = 1.05;
/** So little relative variance of green's rate against blue's is practically equal: 6 %. */
const NOISE_SLACK = 0.004;

/** Largest mean of a bet's value over a stretch that wandering rates may lead to; a full bet gets some more room. */
const TOLERATED = 1.1;
const TOLERATED_FULL = 1.5;
/** Terms are cut off here: one that large forbids a bet anyway. */
const LARGEST = 50;

/** Nodes of the normal distribution, standard deviations, and their weights. */
const NODES = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3];
const DENSITIES = NODES.map((z) => Math.exp((-z * z) / 2));
const WEIGHTS = DENSITIES.map((density) => density / DENSITIES.reduce((a, b) => a + b));

/** Both sides in the present stretch of a scale. */
interface Both {
  stretch: Stretch;
  blueRequests: number;
  blueFailures: number;
  greenRequests: number;
  greenFailures: number;
  slices: Float64Array;
}

/** What is presumed of blue before it was watched. */
export interface Presumed {
  /** Do failures come in clusters, which slices would show? */
  clusters: boolean;
  /** Relative variance of the rate within half a minute. */
  noise: number;
  /** The same over many minutes. */
  wander: number;
  /** Bursts within the first hour. */
  bursts: number;
}

export class Forgiveness {
  readonly #presumed: Presumed;
  readonly #clusters = new Clusters();
  readonly #noise = new Noise();
  readonly #bursts = new Bursts();
  readonly #usual = new Usual();
  readonly #both: Both[] = SCALES_MS.map(() => ({
    stretch: new Stretch(),
    blueRequests: 0,
    blueFailures: 0,
    greenRequests: 0,
    greenFailures: 0,
    slices: new Float64Array(SLICES),
  }));
  readonly #variances = new Float64Array(SCALES_MS.length);
  /** Time seen, milliseconds. */
  knownMs = 0;

  constructor(presumed: Presumed) {
    this.#presumed = presumed;
  }

  /** Blue's usual failures per request. */
  get usual(): number {
    return this.#usual.rate;
  }

  /** Takes a tick that ended at `at` (ms since the epoch). Green's counts are 0 where it has no traffic. */
  observe(
    at: number,
    ms: number,
    blue: { requests: number; errors: number; slices?: ArrayLike<number> | undefined },
    green: { requests: number; errors: number } | undefined,
  ): void {
    this.knownMs += ms;
    const first = this.#both[0]!;
    first.blueRequests += blue.requests;
    first.blueFailures += blue.errors;
    if (blue.errors > 0 && blue.slices) for (let s = 0; s < SLICES; s++) first.slices[s]! += blue.slices[s]!;
    if (green) {
      first.greenRequests += green.requests;
      first.greenFailures += green.errors;
    }
    // Each stretch is made of those of the next shorter scale.
    for (let j = 0; j < SCALES_MS.length; j++) {
      const both = this.#both[j]!;
      if (!both.stretch.isFull(j, at, ms)) return;
      this.#close(j, both);
      const longer = this.#both[j + 1];
      if (longer) {
        if (Number.isNaN(longer.stretch.from)) longer.stretch.from = both.stretch.before;
        addUp(longer, both);
      }
      both.blueRequests = both.blueFailures = both.greenRequests = both.greenFailures = 0;
      both.slices.fill(0);
    }
  }

  /**
   * The largest of `strengths` (falling, 0..1] at which each bet may be taken, into `into`.
   * @param odds the bets' odds ratios
   * @param part of the failures counted here that each bet is about, 0..1
   * @param requestsPerSecond green's requests
   */
  strengths(
    odds: readonly number[],
    part: readonly number[],
    strengths: readonly number[],
    requestsPerSecond: number,
    into: Float64Array,
  ): void {
    const rate = Math.max(this.#usual.rate, RAREST);
    const dispersion = this.#presumed.clusters ? Math.max(1, this.#dispersion(CLUSTER_SCALE)) : 1;
    const { noise, wander } = this.#presumed;
    this.#noise.variances(this.#variances, { fast: noise * rate ** 2, slow: wander * rate ** 2 }, dispersion);
    for (let i = 0; i < odds.length; i++) {
      const perSecond = requestsPerSecond * rate * part[i]!;
      const most = this.#presumed.clusters ? this.#clusterStrength(odds[i]!, perSecond) : 1;
      let e = this.#strongest(strengths, most);
      for (let j = 0; j < SCALES_MS.length; j++) {
        const expected = (perSecond * SCALES_MS[j]!) / 1000;
        while (e < strengths.length - 1 && !this.#allows(j, odds[i]!, strengths[e]!, expected, rate)) e++;
      }
      into[i] = strengths[e]!;
    }
  }

  /** Reads or writes the state. */
  visit(io: StateIo): void {
    this.knownMs = io.number(this.knownMs);
    this.#clusters.visit(io);
    this.#noise.visit(io);
    this.#bursts.visit(io);
    this.#usual.visit(io);
    for (const both of this.#both) {
      both.stretch.from = io.number(both.stretch.from);
      both.blueRequests = io.number(both.blueRequests);
      both.blueFailures = io.number(both.blueFailures);
      both.greenRequests = io.number(both.greenRequests);
      both.greenFailures = io.number(both.greenFailures);
      io.array(both.slices);
    }
  }

  #close(scale: number, both: Both): void {
    const { blueRequests, blueFailures } = both;
    const shared = isShared(both, this.#usual.rate);
    if (this.#presumed.clusters) this.#clusters.take(scale, both.slices);
    this.#noise.take(scale, blueRequests, blueFailures, undefined, shared);
    this.#bursts.take(scale, blueRequests, blueFailures, this.#usual, shared);
    if (scale === CHUNK) this.#learnUsual(SCALES_MS[scale]! / 1000, both, shared);
  }

  /** An outage is not usual, least of all one that green shared; a rise that stays becomes so in time. */
  #learnUsual(seconds: number, { blueRequests, blueFailures }: Both, shared: boolean): void {
    const most = (shared ? 2 : 10) * this.#usual.rate * blueRequests;
    const failures = this.#usual.weight > KNOWN ? Math.min(blueFailures, most + 1) : blueFailures;
    this.#usual.observe(seconds, blueRequests, failures);
  }

  #strongest(strengths: readonly number[], at: number): number {
    let e = 0;
    while (e < strengths.length - 1 && strengths[e]! > at * ROUNDING) e++;
    return e;
  }

  /** Clusters with variance φ multiply the variance of what a bet gains by φ: it may be taken at 1/φ, large bets at less. */
  #clusterStrength(odds: number, perSecond: number): number {
    const seconds = DETECTION_NATS / (perSecond * (odds * Math.log(odds) - odds + 1));
    let most = 1;
    for (let j = 0; j < SCALES_MS.length; j++) {
      const dispersion = Math.max(1, this.#dispersion(j) / CLUSTER_SLACK);
      if (j === 0 || SCALES_MS[j]! / 1000 <= REACH * seconds * dispersion) most = Math.max(most, dispersion);
    }
    // Sizes of clusters have long tails, in which bets on large odds gain most (geometric sizes: exact to a tenth).
    const tail = Math.min(2, 1.1 + 0.33 * Math.log(odds / 2));
    const single = MOST_OF_ONE / (Math.max(1e-9, this.#clusters.largest) * Math.log(odds));
    return Math.min(1 / (1 + (most - 1) * tail), single);
  }

  /** By slices where they are told; else from moment to moment, which takes bursts for clusters. */
  #dispersion(scale: number): number {
    const blind = this.#clusters.told < this.#noise.told;
    return blind ? this.#noise.dispersion(scale) : this.#clusters.dispersion(scale);
  }

  /** With blue's own bursts and wandering, would the bet's value stay about 1 on this scale? */
  #allows(scale: number, odds: number, strength: number, expected: number, rate: number): boolean {
    const up = expected * (odds ** strength - 1);
    const down = expected * strength * (odds - 1);
    // Both sides wander, so the ratio does twice as much; lognormal.
    const relative = Math.max(0, (2 * this.#variances[scale]!) / rate ** 2 - NOISE_SLACK);
    const variance = Math.log1p(relative);
    const deviation = Math.sqrt(variance);
    let mean = 0;
    for (let n = 0; n < NODES.length; n++) {
      const times = Math.exp(deviation * NODES[n]! - variance / 2);
      mean += WEIGHTS[n]! * Math.exp(Math.min(LARGEST, up * times - down));
    }
    return (
      mean <= (strength === 1 ? TOLERATED_FULL : TOLERATED) &&
      this.#bursts.allow(scale, up, down, this.#presumed.bursts)
    );
  }
}

/** One cluster as large as the largest seen is worth at most this, nats. */
const MOST_OF_ONE = 8;
/** The dispersion by clusters is read from this scale where noise is told from it. */
const CLUSTER_SCALE = 2;
/** Weight of the usual rate from which on it is told from an outage. */
const KNOWN = 0.05;
/** A blue that has never failed may still fail so often. */
const RAREST = 1e-5;
/** A strength is as good as the next one kept when it is this close. */
const ROUNDING = 1.08;

/**
 * Did green rise with blue? Then it was an outage of something behind both, and says nothing of how blue scatters by
 * itself. Likelihood of green's failures at blue's rate against at the usual one.
 */
function isShared(
  { blueRequests, blueFailures, greenRequests, greenFailures }: Both,
  usual: number,
): boolean {
  if (usual === 0 || blueRequests === 0) return false;
  const times = blueFailures / blueRequests / usual;
  return times > 1 && greenFailures * Math.log(times) > usual * greenRequests * (times - 1);
}

function addUp(into: Both, from: Both): void {
  into.blueRequests += from.blueRequests;
  into.blueFailures += from.blueFailures;
  into.greenRequests += from.greenRequests;
  into.greenFailures += from.greenFailures;
  for (let s = 0; s < SLICES; s++) into.slices[s]! += from.slices[s]!;
}
