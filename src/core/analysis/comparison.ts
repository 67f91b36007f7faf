/**
 * The sequential comparison of green with blue over a rollout: ticks in, evidence out. What is learned of blue outlives
 * a release, evidence does not. It refuses to know who is compared, and what evidence leads to.
 */
import { Block, type Counts } from "./block.ts";
import type { ComparisonConfig, ComparisonTick, ComparisonView, Peer, Signal } from "./comparing.ts";
import { Forgiveness } from "./forgiveness.ts";
import { LATENCY_WEIGHTS, Latency } from "./latency.ts";
import { Mixture } from "./mixture.ts";
import { ODDS, ODDS_WEIGHTS, oddsGains, oddsGainsAgainst } from "./odds.ts";
import { OwnPast } from "./own-past.ts";
import { Since } from "./since.ts";
import { type StateIo, StateReader, StateWriter } from "./state-io.ts";

/** Strengths at which bets on failures are kept, and that bets on latency may be taken at. */
const STRENGTHS: readonly number[] = [1, 0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.12, 0.07, 0.04];
const FULL: readonly number[] = [1];
const ALL_FULL = LATENCY_WEIGHTS.map(() => 1);
/** Bets on odds are about all failures, not about a part of them. */
const WHOLE = ODDS.map(() => 1);

/** Seconds from a stake to the threshold at least: three ticks of failures, five of slow requests. */
const ERRORS_GUARD_S = 4.8;
const LATENCY_GUARD_S = 9;
/** From so many requests of green a second on a moment is soon over, and failures must last. */
const TORRENT_PER_S = 4;

/** Failures of green without which its errors never halt. */
const MIN_FAILURES = 3;

/** What was learned of blue is weighed anew so often; sooner where it may matter, from this part of the threshold on. */
const LEARN_MS = 600_000;
const LEARN_SOON_MS = 20_000;
const SOON = 0.1;

/** Length of the moving mean of traffic, seconds. */
const TRAFFIC_S = 600;

/** Blue without a request for so long has no traffic, milliseconds. */
const ALONE_MS = 120_000;

/** Presumed of blue's failures before it was watched: clusters show soon, bursts may be hours apart. */
const PRESUMED = { clusters: true, noise: 0.15, wander: 0.06, bursts: 0.1 };

/** Version of the saved form. */
const VERSION = 1;

/** A comparison in JSON. */
export interface SavedComparison {
  v: number;
  alpha: number;
  state: string;
}

export class Comparison {
  readonly #config: ComparisonConfig;
  readonly #forgiveness = new Forgiveness(PRESUMED);
  readonly #latency = new Latency();
  readonly #past = new OwnPast();
  readonly #since = new Since();
  readonly #errorBets: Mixture;
  readonly #latencyBets: Mixture;
  /** Strength at which each bet on odds may be taken. */
  readonly #allowed = new Float64Array(ODDS.length).fill(1);
  readonly #errorGains = new Float64Array(ODDS.length);
  readonly #latencyGains = new Float64Array(LATENCY_WEIGHTS.length);
  readonly #block = new Block();
  /** Since when green has had its share, ms since the epoch; NaN while it has none. */
  #stageAt = Number.NaN;
  #share = 0;
  /** Blue's last request, ms since the epoch. */
  #blueAt = Number.NaN;
  /** Requests of both sides a second: a moving mean and its weight. */
  #traffic = 0;
  #trafficWeight = 0;
  /** Part of evidence that is latency's; NaN until the first block of a release decides it. */
  #latencyPart = Number.NaN;
  #failures = 0;
  #learnedAt = Number.NaN;
  #errors = 1;
  #slow = 1;
  #peer: Peer = "none";

  constructor(config: ComparisonConfig) {
    this.#config = config;
    const threshold = Math.log(1 / config.alpha);
    this.#errorBets = new Mixture({
      threshold,
      weights: ODDS_WEIGHTS,
      strengths: STRENGTHS,
      guardS: ERRORS_GUARD_S,
    });
    this.#latencyBets = new Mixture({
      threshold,
      weights: LATENCY_WEIGHTS,
      strengths: FULL,
      guardS: LATENCY_GUARD_S,
    });
  }

  /** Inverse of `save`. Of a form that is not known nothing is taken; of one with another alpha what blue taught. */
  static load(saved: SavedComparison, config: ComparisonConfig): Comparison {
    const loaded = new Comparison(config);
    if (saved.v !== VERSION) return loaded;
    const reader = new StateReader(saved.state);
    loaded.#visit(reader);
    reader.end();
    if (saved.alpha !== config.alpha) loaded.restart();
    return loaded;
  }

  /** The whole state. */
  save(): SavedComparison {
    const writer = new StateWriter();
    this.#visit(writer);
    return { v: VERSION, alpha: this.#config.alpha, state: writer.text() };
  }

  /**
   * A stage begins at `at` (ms since the epoch): green has this share (0..1) from now on. With 0 it has no traffic, and
   * only blue is learned. Evidence goes on; new bets are made faster again, for now a change is likelier.
   */
  stage(at: number, share: number): void {
    this.#block.clear();
    this.#share = share;
    this.#stageAt = share > 0 ? at : Number.NaN;
    this.#learnedAt = Number.NaN;
  }

  /** Another release, or the same one resumed: evidence begins anew. What is known of blue stays. */
  restart(): void {
    this.#block.clear();
    this.#errorBets.restart();
    this.#latencyBets.restart();
    this.#past.restart();
    this.#since.restart();
    this.#latencyPart = Number.NaN;
    this.#learnedAt = Number.NaN;
    this.#failures = 0;
    this.#errors = 1;
    this.#slow = 1;
    this.#peer = "none";
  }

  /** Takes a tick: in order of time, none twice. */
  observe({ at, ms, blue, green }: ComparisonTick): void {
    const staged = !Number.isNaN(this.#stageAt);
    this.#forgiveness.observe(at, ms, blue, staged ? green : undefined);
    const keep = Math.exp(-ms / 1000 / TRAFFIC_S);
    const perSecond = (blue.requests + green.requests) / (ms / 1000);
    this.#traffic = this.#traffic * keep + perSecond * (1 - keep);
    this.#trafficWeight = this.#trafficWeight * keep + (1 - keep);
    if (blue.requests > 0) this.#blueAt = at;
    if (staged) {
      this.#failures += green.errors;
      this.#block.add(ms, blue, green);
      if (this.#block.isWhole) this.#look(at);
    }
    // After the look: scores must not be made from what they are used on.
    if (blue.latency) this.#latency.observe(at, ms, blue.latency, staged ? green.latency : undefined);
  }

  /** What has been found. */
  view(): ComparisonView {
    const { alpha } = this.#config;
    const evidence = this.#evidence;
    const part = this.#part;
    const slow = part * this.#slow;
    const leading: Signal = slow > (1 - part) * this.#errors ? "latency" : "errors";
    const enough = slow >= 1 / alpha || this.#failures >= MIN_FAILURES;
    const { blue: other, green } = this.#since.counts(leading);
    const blue = this.#peer === "own" && leading === "errors" ? this.#past.counts : other;
    const slower = leading === "latency" ? this.#since.slower(this.#latency.blue) : undefined;
    return {
      evidence,
      errors: this.#errors,
      latency: this.#slow,
      threshold: 1 / alpha,
      unhealthy: evidence >= 1 / alpha && enough,
      leading,
      peer: this.#peer,
      blue,
      green,
      ...(slower && { slower }),
      knownMs: this.#forgiveness.knownMs,
      strength: this.#allowed.reduce((least, strength) => Math.min(least, strength)),
    };
  }

  get #evidence(): number {
    return (1 - this.#part) * this.#errors + this.#part * this.#slow;
  }

  get #part(): number {
    return Number.isNaN(this.#latencyPart) ? 0.5 : this.#latencyPart;
  }

  /** Requests of green that are expected a second. */
  get #greenPerSecond(): number {
    return (this.#share * this.#traffic) / this.#trafficWeight;
  }

  /** A block is whole. */
  #look(at: number): void {
    const { ms, failingMs, blue, green, blueLatency, greenLatency, timed } = this.#block;
    // What no signal is there for takes no part of the risk of a false halt. Silence decides nothing.
    if (Number.isNaN(this.#latencyPart) && green.requests > 0)
      this.#latencyPart = latencyPart(this.#config, timed);
    const age = (at - this.#stageAt) / 1000;
    const seconds = ms / 1000;
    this.#peer = this.#peerAt(at);
    this.#learn(at);
    const guard = { seconds: failingMs / 1000, torrent: this.#greenPerSecond >= TORRENT_PER_S };
    this.#errorBets.step(seconds, age, this.#findErrorGains(blue, green), guard);
    this.#errors = this.#errorBets.evidence(this.#allowed);
    if (timed) {
      const told = this.#latency.gains(blueLatency, greenLatency, this.#latencyGains);
      this.#latencyBets.step(seconds, age, told ? this.#latencyGains : undefined);
      this.#slow = this.#latencyBets.evidence(ALL_FULL);
    }
    this.#since.observe(blue, green, timed ? greenLatency : undefined, this.#errors > 1, this.#slow > 1);
    this.#past.observe(at, green.requests, green.errors);
    this.#block.clear();
  }

  #findErrorGains(blue: Counts, green: Counts): Float64Array | undefined {
    if (green.requests === 0) return undefined;
    if (this.#peer === "own") oddsGainsAgainst(this.#past.rate!, green, this.#errorGains);
    else if (blue.requests > 0 && blue.errors + green.errors > 0) oddsGains(blue, green, this.#errorGains);
    else return undefined;
    return this.#errorGains;
  }

  #peerAt(at: number): Peer {
    if (at - this.#blueAt < ALONE_MS) return "blue";
    return this.#past.rate === undefined ? "none" : "own";
  }

  #learn(at: number): void {
    const soon = this.#evidence * this.#config.alpha > SOON;
    if (at - this.#learnedAt < (soon ? LEARN_SOON_MS : LEARN_MS)) return;
    this.#learnedAt = at;
    this.#forgiveness.strengths(ODDS, WHOLE, STRENGTHS, this.#greenPerSecond, this.#allowed);
    this.#latency.learn(this.#greenPerSecond, STRENGTHS);
  }

  #visit(io: StateIo): void {
    this.#forgiveness.visit(io);
    this.#latency.visit(io);
    this.#past.visit(io);
    this.#since.visit(io);
    this.#errorBets.visit(io);
    this.#latencyBets.visit(io);
    io.array(this.#allowed);
    this.#block.visit(io);
    this.#stageAt = io.number(this.#stageAt);
    this.#share = io.number(this.#share);
    this.#blueAt = io.number(this.#blueAt);
    this.#traffic = io.number(this.#traffic);
    this.#trafficWeight = io.number(this.#trafficWeight);
    this.#latencyPart = io.number(this.#latencyPart);
    this.#failures = io.number(this.#failures);
    this.#learnedAt = io.number(this.#learnedAt);
    this.#errors = io.number(this.#errors);
    this.#slow = io.number(this.#slow);
    this.#peer = PEERS[io.number(PEERS.indexOf(this.#peer))]!;
  }
}

const PEERS: readonly Peer[] = ["none", "blue", "own"];

/** Part of the risk of a false halt that latency takes: half of it, where it is measured and asked for. */
function latencyPart({ signals }: ComparisonConfig, timed: boolean): number {
  if (!signals.includes("latency")) return 0;
  if (!signals.includes("errors")) return 1;
  return timed ? 0.5 : 0;
}
