/**
 * Evidence as a mixture of bets: on how much worse green is, and on since when. Each bet is a nonnegative
 * supermartingale while green is no worse than blue, so their sum is one, and P(evidence ever reaches 1/α) ≤ α (Ville),
 * however often one looks.
 */
import type { StateIo } from "./state-io.ts";

/** Part of the stake that is bet at once: a release that is bad is mostly bad from its first request on. */
const FIRST_STAKE = 0.6;
/** The rest is bet at this rate over (age + 60 s), about log-uniform over the time of a later change; at most half at once. */
const STAKE_RATE = 0.2;
const STAKE_AGE_S = 60;
const MOST_STAKED = 0.5;

/**
 * Where there is much traffic the guard is so much longer, and of what is large, nearly as large as the guard lets in,
 * a part is let in at once, the rest when all blocks of more than so many seconds were as large. So four seconds of
 * failures leave little behind, however ticks cut them and whatever chance adds: evidence of x would halt a good green
 * with probability x/1,000 later on.
 */
const TORRENT_TIMES = 5 / 3;
const TORRENT_AT_ONCE = 0.45;
const TORRENT_LARGE = 0.8;
const TORRENT_LASTS_S = 8;

/** A bet never grows beyond this (e^230), so that a sum of them stays a number. */
const MOST = 1e100;

export interface MixtureConfig {
  /** Part of the stake for each bet, sum 1. */
  weights: readonly number[];
  /**
   * Strengths (falling, 0..1] at which each bet is kept, so that what is learned of blue later holds for what was seen
   * before.
   */
  strengths: readonly number[];
  /** No bet gets from its stake to the threshold in less, seconds: no single moment can halt. */
  guardS: number;
  /** ln of the evidence at which this mixture halts. */
  threshold: number;
}

/** What a block means to the guard. */
export interface Guard {
  /** Seconds of it that count: those in which green did worse at all. */
  seconds: number;
  /** Is there so much traffic that a moment is soon over? Then what is large must last before it is let in. */
  torrent: boolean;
}

export class Mixture {
  readonly #config: MixtureConfig;
  /** What has not been bet yet. */
  #reserve = 1 - FIRST_STAKE;
  /** Value of each bet at each strength. */
  readonly #bets: Float64Array;
  /** Gains that the guard held back, nats: they are let in later if nothing speaks against them. */
  readonly #held: Float64Array;
  /** Seconds for which each bet has gained without a pause, in torrents. */
  readonly #lasted: Float64Array;

  constructor(config: MixtureConfig) {
    this.#config = config;
    const { weights, strengths } = config;
    this.#bets = new Float64Array(weights.length * strengths.length);
    this.#held = new Float64Array(this.#bets.length);
    this.#lasted = new Float64Array(this.#bets.length);
    this.restart();
  }

  /** All stakes anew. */
  restart(): void {
    const { weights, strengths } = this.#config;
    this.#reserve = 1 - FIRST_STAKE;
    this.#held.fill(0);
    this.#lasted.fill(0);
    for (let at = 0; at < this.#bets.length; at++)
      this.#bets[at] = FIRST_STAKE * weights[Math.floor(at / strengths.length)]!;
  }

  /**
   * One block of `seconds`, `age` seconds after the stage began. `gains`: ln of what each bet is multiplied with at full
   * strength; undefined where the block says nothing.
   */
  step(
    seconds: number,
    age: number,
    gains: ArrayLike<number> | undefined,
    guard: Guard = { seconds, torrent: false },
  ): void {
    const { weights, strengths } = this.#config;
    const spent = this.#reserve * Math.min(MOST_STAKED, (STAKE_RATE * seconds) / (age + STAKE_AGE_S));
    this.#reserve -= spent;
    for (let i = 0; i < weights.length; i++) {
      const fresh = spent * weights[i]!;
      const first = FIRST_STAKE * weights[i]!;
      for (let e = 0; e < strengths.length; e++) {
        const at = i * strengths.length + e;
        const value = this.#stake(at, fresh);
        if (gains === undefined) continue;
        const way = this.#config.threshold - Math.log(Math.min(value, first));
        const raw = strengths[e]! * gains[i]!;
        const gain = guard.torrent
          ? this.#lasting(at, raw, way, guard.seconds)
          : this.#guarded(at, raw, way, guard.seconds);
        this.#bets[at] = Math.min(MOST, value * Math.exp(gain));
      }
    }
  }

  /** Evidence when bet i may be taken at strength `allowed[i]` (one of the strengths kept). */
  evidence(allowed: ArrayLike<number>): number {
    const { weights, strengths } = this.#config;
    let sum = this.#reserve;
    for (let i = 0; i < weights.length; i++)
      sum += this.#bets[i * strengths.length + strengths.indexOf(allowed[i]!)]!;
    return sum;
  }

  /** Reads or writes the state. */
  visit(io: StateIo): void {
    this.#reserve = io.number(this.#reserve);
    io.array(this.#bets);
    io.array(this.#held);
    io.array(this.#lasted);
  }

  /** Adds to a bet; what is held back is of the old part alone. */
  #stake(at: number, fresh: number): number {
    const value = this.#bets[at]!;
    const held = this.#held[at]!;
    this.#bets[at] = value + fresh;
    if (held > 0) this.#held[at] = Math.log((value * Math.exp(held) + fresh) / (value + fresh));
    return value + fresh;
  }

  /**
   * What of a gain is let in now; the rest waits for more of the same, and a block that speaks for green takes from it.
   * It is never more than what was gained so far, so the bet stays below the martingale that it would be without a
   * guard. A way from below the first stake is longer, and may be gone faster.
   */
  #guarded(at: number, gain: number, way: number, seconds: number): number {
    const wanted = gain + this.#held[at]!;
    this.#lasted[at] = 0;
    if (gain <= 0) {
      this.#held[at] = Math.max(0, wanted);
      return Math.min(0, wanted);
    }
    const cap = (way * seconds) / this.#config.guardS;
    const taken = Math.min(wanted, cap);
    this.#held[at] = Math.min(wanted - taken, cap);
    return taken;
  }

  /** The same in a torrent: what waits is lost with the first block that gains little. */
  #lasting(at: number, gain: number, way: number, seconds: number): number {
    const cap = (way * seconds) / (this.#config.guardS * TORRENT_TIMES);
    const atOnce = Math.min(gain, cap * TORRENT_AT_ONCE);
    if (gain <= cap * TORRENT_LARGE) {
      this.#held[at] = 0;
      this.#lasted[at] = 0;
      return atOnce;
    }
    this.#held[at]! += Math.min(gain, cap) - atOnce;
    this.#lasted[at]! += seconds;
    if (this.#lasted[at]! <= TORRENT_LASTS_S) return atOnce;
    const held = this.#held[at]!;
    this.#held[at] = 0;
    return atOnce + held;
  }
}
