/** One cohort's counts, tick after tick, into the same object: nothing is allocated after the first tick. */
import { BUCKETS } from "../../src/core/analysis/histogram.ts";
import { binomial, Poisson } from "./counts.ts";
import { Episodes } from "./episodes.ts";
import { type Alias, aliasOf, FACTOR_STEPS, fill, type Worse } from "./latency.ts";
import { SLICES, TICK_MS } from "./plug.ts";
import type { Random } from "./random.ts";
import type { Noise, Scenario } from "./scenario.ts";
import { Wander } from "./wander.ts";

const TICK_S = TICK_MS / 1000;
/** No rate goes beyond this, however many factors meet. */
const HIGHEST_RATE = 0.95;
/** Retries further away than this many ticks are dropped; with gaps of seconds there are none. */
const RETRY_TICKS = 64;

export class CohortCounts {
  requests = 0;
  errors = 0;
  /** Errors by slice of the bucket space; kept for blue only. */
  readonly slices = new Uint16Array(SLICES);
  readonly latency = new Uint32Array(BUCKETS);
  readonly #random: Random;
  readonly #scenario: Scenario;
  readonly #sliced: boolean;
  readonly #failed = new Poisson();
  readonly #fine = new Poisson();
  readonly #struck = new Poisson();
  readonly #bursts: Episodes | undefined;
  readonly #wander: Wander | undefined;
  readonly #slow: Wander | undefined;
  /** Rate of each slice relative to the mean, and where the next draw of them is due, in ticks. */
  readonly #relative = new Float64Array(SLICES).fill(1);
  #relativeMean = 1;
  #burstSlice = 0;
  #bursting = false;
  /** Errors of clusters still to come: RETRY_TICKS rows of SLICES. */
  readonly #retries: Uint16Array;
  #alias: Alias | undefined;
  #aliasStep = Number.NaN;
  #aliasWorse: Worse | undefined;
  #owed = 0;

  constructor(scenario: Scenario, random: Random, sliced: boolean) {
    this.#scenario = scenario;
    this.#random = random;
    this.#sliced = sliced;
    const from = -scenario.historyHours * 3600;
    const { noise, latency } = scenario;
    if (noise?.kind === "bursts" || noise?.kind === "slice-bursts")
      this.#bursts = new Episodes(noise.episodes, random, from);
    if (noise?.kind === "wander") this.#wander = new Wander(noise.sd, noise.tauS, random);
    if (latency?.wander) this.#slow = new Wander(latency.wander.sd, latency.wander.tauS, random);
    this.#retries = new Uint16Array(noise?.kind === "clusters" ? RETRY_TICKS * SLICES : 0);
  }

  /**
   * Draws the tick that begins at `fromS` (seconds from the start of the rollout). `mean` requests are expected; each
   * fails with probability `rate` where the scenario's noise does not say otherwise, and in the share `outage` of the
   * tick with `outageLevel` at least.
   */
  draw(tick: number, fromS: number, mean: number, rate: number, outage: number, outageLevel: number): void {
    const random = this.#random;
    if (this.#sliced) this.slices.fill(0);
    let p = rate;
    const noise = this.#scenario.noise;
    let extra = 0;
    if (noise !== undefined) {
      if (noise.kind === "clusters") p = 0;
      else p *= this.#noiseFactor(noise, tick, fromS);
      if (noise.kind === "slice-bursts") extra = (this.#bursts!.share * this.#bursts!.level) / SLICES;
      if (p > HIGHEST_RATE) p = HIGHEST_RATE;
    }
    if (outage > 0 && outageLevel > p) p += outage * (outageLevel - p);
    if (this.#scenario.arrivals === "even") {
      this.#owed += mean;
      this.requests = Math.floor(this.#owed);
      this.#owed -= this.requests;
      this.errors = binomial(random, this.requests, p);
    } else {
      // A Poisson number of requests of which each fails with p is two independent Poisson counts.
      this.errors = this.#failed.draw(random, mean * p);
      this.requests = this.errors + this.#fine.draw(random, mean * (1 - p));
    }
    if (this.#sliced) this.#spread(this.errors);
    if (extra > 0)
      this.#burst(Math.min(this.requests - this.errors, this.#struck.draw(random, mean * extra)));
    if (noise?.kind === "clusters") this.#cluster(noise, tick, (mean * rate) / noise.meanSize);
  }

  /** Draws the latencies of the requests of this tick; factor is what both cohorts have in common. */
  drawLatency(worse: Worse, factor: number): void {
    const own = this.#slow === undefined ? factor : factor * this.#slow.advance(TICK_S);
    const step = Math.round(Math.log2(own) * FACTOR_STEPS);
    if (step !== this.#aliasStep || worse !== this.#aliasWorse) {
      this.#alias = aliasOf(this.#scenario.latency!.law, worse, step);
      this.#aliasStep = step;
      this.#aliasWorse = worse;
    }
    fill(this.latency, this.requests, this.#alias!, this.#random);
  }

  #noiseFactor(noise: Noise, tick: number, fromS: number): number {
    if (noise.kind === "wander") return this.#wander!.advance(TICK_S);
    if (noise.kind === "beta") {
      if ((tick * TICK_S) % noise.everyS === 0) this.#redraw(noise.cv, noise.perSlice ?? false);
      return this.#relativeMean;
    }
    const bursts = this.#bursts!;
    bursts.advance(fromS, fromS + TICK_S);
    if (noise.kind === "bursts") return 1 + bursts.share * (bursts.level - 1);
    if (bursts.share > 0 && !this.#bursting) this.#burstSlice = this.#slice();
    this.#bursting = bursts.share > 0;
    return 1;
  }

  /** Green is about as big as a slice, so it has one rate where blue has one for each slice. */
  #redraw(cv: number, perSlice: boolean): void {
    const mean = this.#scenario.errorRate;
    const relative = this.#relative;
    if (perSlice && this.#sliced) {
      let sum = 0;
      for (let s = 0; s < SLICES; s++) {
        relative[s] = this.#random.beta(mean, cv) / mean;
        sum += relative[s]!;
      }
      this.#relativeMean = sum / SLICES;
    } else {
      this.#relativeMean = this.#random.beta(mean, cv) / mean;
      relative.fill(this.#relativeMean);
    }
  }

  #slice(): number {
    return (this.#random.word() >>> 28) & (SLICES - 1);
  }

  #spread(errors: number): void {
    const noise = this.#scenario.noise;
    const weighted = noise?.kind === "beta" && noise.perSlice === true;
    for (let i = 0; i < errors; i++) {
      let s = weighted ? 0 : this.#slice();
      if (weighted) {
        let u = this.#random.uniform() * this.#relativeMean * SLICES - this.#relative[0]!;
        while (u > 0 && s < SLICES - 1) u -= this.#relative[++s]!;
      }
      this.slices[s]! += 1;
    }
  }

  #burst(errors: number): void {
    this.errors += errors;
    this.slices[this.#burstSlice]! += errors;
  }

  /** Retries are requests too: those of a cluster that began earlier come on top. */
  #cluster(noise: { meanSize: number; gapS: number }, tick: number, starts: number): void {
    const random = this.#random;
    const retries = this.#retries;
    for (let left = this.#failed.draw(random, starts); left > 0; left--) {
      const slice = this.#slice();
      let at = random.uniform() * TICK_S;
      for (let size = random.geometric(noise.meanSize); size > 0; size--) {
        const ahead = Math.floor(at / TICK_S);
        if (ahead < RETRY_TICKS) retries[((tick + ahead) % RETRY_TICKS) * SLICES + slice]! += 1;
        at += random.exponential(noise.gapS);
      }
    }
    const row = (tick % RETRY_TICKS) * SLICES;
    for (let s = 0; s < SLICES; s++) {
      const errors = retries[row + s]!;
      this.errors += errors;
      this.requests += errors;
      this.slices[s]! += errors;
      retries[row + s] = 0;
    }
  }
}
