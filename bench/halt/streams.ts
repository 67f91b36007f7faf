/** The stream of one run of a scenario: blue's and green's counts, tick after tick, from one seed. */
import { CohortCounts } from "./cohort.ts";
import { Episodes } from "./episodes.ts";
import { LateCounts } from "./late.ts";
import type { Worse } from "./latency.ts";
import { TICK_MS } from "./plug.ts";
import { Random } from "./random.ts";
import type { Scenario } from "./scenario.ts";

const TICK_S = TICK_MS / 1000;
const DAY_S = 86_400;
/** Daily swings move every five minutes, by 2 % at most: the samplers keep their tables for so long. */
const SWING_TICKS = 150;
/** The error rate peaks a third of a day after the traffic, so that neither follows from the other. */
const ERRORS_PHASE = (2 * Math.PI) / 3;
const NO_WORSE: Worse = {};

export class Stream {
  readonly blue: CohortCounts;
  readonly green: CohortCounts;
  /** Start and end of the tick in milliseconds; the first stage begins at 0. */
  startMs: number;
  endMs: number;
  /** Share of green, and whether its stage began with this tick. */
  share = 0;
  staged = false;
  /** Share of this tick that lies after the change of green, 0..1. */
  changed = 0;
  readonly #scenario: Scenario;
  readonly #outages: Episodes | undefined;
  readonly #flapping: Episodes | undefined;
  readonly #blip: Episodes | undefined;
  readonly #slow: Episodes | undefined;
  readonly #lateBlue: LateCounts | undefined;
  readonly #lateGreen: LateCounts | undefined;
  readonly #phase: number;
  readonly #changeS: number;
  readonly #greenWorse: Worse;
  readonly #changedWorse: Worse;
  #tick = 0;
  #stage = 0;
  #rateFactor = 1;
  #errorFactor = 1;
  #latencyFactor = 1;

  constructor(scenario: Scenario, run: number) {
    const { name, historyHours, outages, flapping, blip, late, latency, change } = scenario;
    const shared = new Random(name, run * 3);
    const blue = new Random(name, run * 3 + 1);
    const green = new Random(name, run * 3 + 2);
    const from = -historyHours * 3600;
    this.#scenario = scenario;
    this.blue = new CohortCounts(scenario, blue, true);
    this.green = new CohortCounts(scenario, green, false);
    this.startMs = from * 1000 - TICK_MS;
    this.endMs = from * 1000;
    if (outages) this.#outages = new Episodes(outages, shared, from);
    if (flapping) this.#flapping = new Episodes(flapping, shared, from);
    if (blip) this.#blip = new Episodes(blip, shared, 0);
    if (latency?.shared) this.#slow = new Episodes(latency.shared, shared, from);
    if (late) {
      this.#lateBlue = new LateCounts(late, late.share[0], blue);
      this.#lateGreen = new LateCounts(late, late.share[1], green);
    }
    this.#phase = shared.between(0, 2 * Math.PI);
    this.#changeS = change
      ? change.atMinutes * 60 + (change.anyPhase ? shared.between(0, TICK_S) : 0)
      : Number.POSITIVE_INFINITY;
    this.#greenWorse = latency?.green ?? NO_WORSE;
    this.#changedWorse = change?.latency ?? this.#greenWorse;
  }

  /** Draws the next tick; false when the rollout is over. */
  next(): boolean {
    const scenario = this.#scenario;
    this.startMs = this.endMs;
    this.endMs += TICK_MS;
    const from = this.startMs / 1000;
    const to = from + TICK_S;
    if (from >= scenario.hours * 3600) return false;
    const tick = this.#tick++;
    this.#moveStage(from);
    if (tick % SWING_TICKS === 0) this.#swing(from);
    let outage = 0;
    if (this.#outages !== undefined) {
      this.#outages.advance(from, to);
      outage = this.#outages.share;
      if (this.#flapping !== undefined) {
        this.#flapping.advance(from, to);
        outage *= this.#flapping.share;
      }
    }
    const outageLevel = this.#outages?.level ?? 0;
    const mean = scenario.rate * TICK_S * this.#rateFactor;
    const rate = scenario.errorRate * this.#errorFactor;
    const { blue, green } = this;
    blue.draw(tick, from, mean * (1 - this.share), rate, outage, outageLevel);
    if (this.share > 0) {
      this.changed = to <= this.#changeS ? 0 : Math.min(1, (to - this.#changeS) / TICK_S);
      const worse = scenario.change?.errorRate ?? scenario.errorRate;
      const times = (scenario.greenTimes ?? 1) * (1 + this.changed * (worse / scenario.errorRate - 1));
      if (this.#blip !== undefined) {
        this.#blip.advance(from, to);
        // No scenario has both.
        outage = this.#blip.share;
      }
      green.draw(tick, from, mean * this.share, rate * times, outage, this.#blip?.level ?? outageLevel);
    }
    this.#lateBlue?.pass(tick, blue);
    this.#lateGreen?.pass(tick, green);
    if (scenario.latency !== undefined) this.#drawLatency(from, to);
    return true;
  }

  #moveStage(from: number): void {
    const stage = this.#scenario.stages[this.#stage];
    this.staged = stage !== undefined && from >= stage.atHours * 3600;
    if (!this.staged) return;
    this.share = stage!.share;
    this.#stage += 1;
  }

  #swing(from: number): void {
    const { diurnal, latency } = this.#scenario;
    const angle = (2 * Math.PI * from) / DAY_S + this.#phase;
    if (diurnal) {
      this.#rateFactor = 1 + diurnal.rate * Math.sin(angle);
      this.#errorFactor = 1 + diurnal.errors * Math.sin(angle - ERRORS_PHASE);
    }
    if (latency?.swing) this.#latencyFactor = 1 + latency.swing * Math.sin(angle);
  }

  #drawLatency(from: number, to: number): void {
    let factor = this.#latencyFactor;
    if (this.#slow !== undefined) {
      this.#slow.advance(from, to);
      if (this.#slow.share > 0.5) factor *= this.#slow.level;
    }
    this.blue.drawLatency(NO_WORSE, factor);
    if (this.share > 0)
      this.green.drawLatency(this.changed > 0.5 ? this.#changedWorse : this.#greenWorse, factor);
  }
}
