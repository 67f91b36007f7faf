/**
 * The test of a gate, the halt's turned round: evidence that green fails at most so many points more than blue. It
 * starts at 1, and while green is worse than that it reaches 1/α with probability at most α, however often one looks.
 * So a stage is left because green is known to be good, never because nothing was seen.
 */
import { addSide, type Counts, isEnough } from "./block.ts";
import type { StateIo } from "./state-io.ts";

/** The common rate is a moving mean over so many requests of both sides: recent enough to follow an outage. */
const MEAN_REQUESTS = 30_000;
/** Before anything was seen: one failure in so many requests. */
const PRIOR_REQUESTS = 100;

/** Bisection steps of the projection: to 1e-12 of the margin. */
const STEPS = 40;

export interface NonInferiorityConfig {
  /** What green may fail more than blue, as a ratio: 0.005 is half a point. Positive. */
  margin: number;
  /** Probability that a green that is worse than that passes, 0..1 exclusive. */
  alpha: number;
}

export class NonInferiority {
  readonly #config: NonInferiorityConfig;
  #log = 0;
  #requests = PRIOR_REQUESTS;
  #errors = 1;
  readonly #blue = { requests: 0, errors: 0 };
  readonly #green = { requests: 0, errors: 0 };

  constructor(config: NonInferiorityConfig) {
    this.#config = config;
  }

  /** Evidence that green is no worse than the margin allows. */
  get evidence(): number {
    return Math.exp(this.#log);
  }

  /** Has evidence reached 1/α? Once it has, a later fall does not take it back. */
  get passed(): boolean {
    return this.#log >= Math.log(1 / this.#config.alpha);
  }

  /** Learns the common rate from blue alone, before there is a green. */
  learn(blue: Counts): void {
    const keep = Math.exp(-blue.requests / MEAN_REQUESTS);
    this.#requests = this.#requests * keep + blue.requests;
    this.#errors = this.#errors * keep + blue.errors;
  }

  /**
   * Takes a tick of both sides. `strength` (0..1]: how far blue's own scatter lets failures be taken for chance of
   * single ones, as the comparison has learned it.
   */
  observe(blue: Counts, green: Counts, strength = 1): void {
    addSide(this.#blue, blue);
    addSide(this.#green, green);
    if (!isEnough(this.#blue, this.#green) || this.passed) return;
    this.#look(strength);
    for (const side of [this.#blue, this.#green]) {
      this.learn(side);
      side.requests = side.errors = 0;
    }
  }

  /** Reads or writes the state. */
  visit(io: StateIo): void {
    this.#log = io.number(this.#log);
    this.#requests = io.number(this.#requests);
    this.#errors = io.number(this.#errors);
    for (const side of [this.#blue, this.#green]) {
      side.requests = io.number(side.requests);
      side.errors = io.number(side.errors);
    }
  }

  #look(strength: number): void {
    const rate = this.#errors / this.#requests;
    const { margin } = this.#config;
    const atBlue = projection(rate, margin, this.#blue.requests, this.#green.requests);
    const gain =
      likelihood(this.#blue, rate, atBlue) + likelihood(this.#green, rate, Math.min(1, atBlue + margin));
    this.#log += strength * gain;
  }
}

/**
 * Blue's rate at the point of the boundary p_green = p_blue + margin that is nearest to both sides having `rate`: the
 * one that minimises n_b KL(rate‖p) + n_g KL(rate‖p + margin). The likelihood ratio against the nearest point of a
 * convex null is an e-value for all of it (reverse information projection; Turner, Ly and Grünwald 2024).
 */
function projection(rate: number, margin: number, blue: number, green: number): number {
  let low = Math.max(0, rate - margin);
  let high = Math.min(rate, 1 - margin);
  for (let i = 0; i < STEPS; i++) {
    const p = (low + high) / 2;
    const q = p + margin;
    const slope = (blue * (p - rate)) / (p * (1 - p)) + (green * (q - rate)) / (q * (1 - q));
    if (slope > 0) high = p;
    else low = p;
  }
  return (low + high) / 2;
}

/** Log likelihood ratio of the counts at two rates. */
function likelihood({ requests, errors }: Counts, rate: number, against: number): number {
  return errors * Math.log(rate / against) + (requests - errors) * Math.log((1 - rate) / (1 - against));
}
