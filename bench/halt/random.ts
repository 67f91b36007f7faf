/** Seeded random numbers: the same name and run give the same stream on every machine. */

/** FNV-1a over the characters: names that differ in a letter get seeds that differ everywhere. */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Numbers thrown away after seeding; the author of sfc32 asks for 12 or more. */
const WARM_UP = 20;
const TWO_26 = 2 ** 26;
const TWO_53 = 2 ** 53;

/** sfc32 (Chris Doty-Humphrey): passes PractRand, four words of state, some 2 ns a number in V8. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;
  #spare = Number.NaN;

  constructor(name: string, run: number) {
    let hash = FNV_BASIS;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), FNV_PRIME);
    this.#a = hash;
    this.#b = run | 0;
    this.#c = Math.floor(run / 2 ** 32) | 0;
    for (let i = 0; i < WARM_UP; i++) this.word();
  }

  /** 32 random bits as a signed integer. */
  word(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0;
    return t;
  }

  /** Uniform in [0, 1), all 53 bits: tails of a billion draws need them. */
  uniform(): number {
    const high = this.word() >>> 5;
    return (high * TWO_26 + (this.word() >>> 6)) / TWO_53;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** Exponential with this mean. */
  exponential(mean: number): number {
    return -Math.log1p(-this.uniform()) * mean;
  }

  /** Number of trials up to and with the first success, at least 1, with this mean (>= 1). */
  geometric(mean: number): number {
    return mean <= 1 ? 1 : 1 + Math.floor(Math.log1p(-this.uniform()) / Math.log1p(-1 / mean));
  }

  /** Standard normal, Marsaglia's polar method. */
  normal(): number {
    const spare = this.#spare;
    if (!Number.isNaN(spare)) {
      this.#spare = Number.NaN;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const s = x * x + y * y;
      if (s >= 1 || s === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      this.#spare = y * scale;
      return x * scale;
    }
  }

  /** Gamma of this shape and scale 1: Marsaglia and Tsang 2000; below shape 1 by their boost. */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v <= 0) continue;
      if (Math.log(1 - this.uniform()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  /** Beta with this mean (0..1) and coefficient of variation (standard deviation over mean). */
  beta(mean: number, cv: number): number {
    const alpha = (1 - mean) / (cv * cv) - mean;
    if (alpha <= 0) throw new Error(`no beta distribution has mean ${mean} and variation ${cv}`);
    const x = this.gamma(alpha);
    return x / (x + this.gamma((alpha * (1 - mean)) / mean));
  }
}
