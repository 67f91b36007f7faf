/** Exact samplers of counts that are quick where the same mean comes again and again. */
import type { Random } from "./random.ts";

/** A table is built when the same mean was asked for this often: building costs some 10 direct draws. */
const WORTH_A_TABLE = 8;
/** Entries of the guide into the table; a draw then takes one or two comparisons. */
const GUIDE = 512;
/** Weights below this share of the mode's are left out: less than one draw in 10^15. */
const NEGLIGIBLE = 1e-17;
/** From this mean on the transformed rejection is quicker than counting up, and it is valid from 10 on. */
const LARGE = 12;
/** Above this mean a binomial is drawn in halves, so that (1-p)^n stays far from underflow. */
const HALVE = 200;

const LOG_FACTORIAL = new Float64Array(256);
for (let k = 2; k < LOG_FACTORIAL.length; k++) LOG_FACTORIAL[k] = LOG_FACTORIAL[k - 1]! + Math.log(k);

function logFactorial(k: number): number {
  if (k < LOG_FACTORIAL.length) return LOG_FACTORIAL[k]!;
  const x = k + 1;
  // Stirling's series; the next term is below 1e-13 from 256 on.
  return (x - 0.5) * Math.log(x) - x + 0.918_938_533_204_672_7 + 1 / (12 * x) - 1 / (360 * x * x * x);
}

/** Poisson counts. One sampler per quantity: it keeps a table of the mean that this quantity stays at. */
export class Poisson {
  #tabled = Number.NaN;
  #last = Number.NaN;
  #seen = 0;
  #first = 0;
  #cdf = new Float64Array(64);
  readonly #guide = new Uint16Array(GUIDE);

  /** A Poisson count with this mean (>= 0). */
  draw(random: Random, mean: number): number {
    if (mean === this.#tabled) return this.#look(random.uniform());
    if (!(mean > 0)) return 0;
    if (mean === this.#last) {
      this.#seen += 1;
      if (this.#seen >= WORTH_A_TABLE) {
        this.#build(mean);
        return this.#look(random.uniform());
      }
    } else {
      this.#last = mean;
      this.#seen = 1;
    }
    return mean < LARGE ? countUp(random, mean) : transformed(random, mean);
  }

  #look(u: number): number {
    const cdf = this.#cdf;
    let i = this.#guide[(u * GUIDE) | 0]!;
    while (cdf[i]! <= u) i += 1;
    return this.#first + i;
  }

  /** From the mode outwards, so that no mean underflows. */
  #build(mean: number): void {
    const mode = Math.floor(mean);
    let first = mode;
    for (let w = 1; first > 0 && w > NEGLIGIBLE; first--) w *= first / mean;
    let last = mode;
    for (let w = 1; w > NEGLIGIBLE; last++) w *= mean / (last + 1);
    const size = last - first + 1;
    if (this.#cdf.length < size) this.#cdf = new Float64Array(2 * size);
    const cdf = this.#cdf;
    cdf[mode - first] = 1;
    for (let k = mode; k > first; k--) cdf[k - 1 - first] = (cdf[k - first]! * k) / mean;
    for (let k = mode + 1; k <= last; k++) cdf[k - first] = (cdf[k - 1 - first]! * mean) / k;
    let total = 0;
    for (let i = 0; i < size; i++) total += cdf[i]!;
    let sum = 0;
    for (let i = 0; i < size; i++) {
      sum += cdf[i]! / total;
      cdf[i] = sum;
    }
    cdf[size - 1] = 1;
    for (let g = 0, i = 0; g < GUIDE; g++) {
      while (cdf[i]! <= g / GUIDE) i += 1;
      this.#guide[g] = i;
    }
    this.#first = first;
    this.#tabled = mean;
  }
}

/** Inversion by counting up from zero: for small means. */
function countUp(random: Random, mean: number): number {
  const u = random.uniform();
  let weight = Math.exp(-mean);
  let sum = weight;
  let k = 0;
  while (u >= sum && weight > 0) {
    k += 1;
    weight *= mean / k;
    sum += weight;
  }
  return k;
}

/** Hörmann's transformed rejection PTRS (1993): for means from 10 on, about 1.1 pairs of uniforms a draw. */
function transformed(random: Random, mean: number): number {
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.024_83 * b;
  const inverse = 1.1239 + 1.1328 / (b - 3.4);
  const vr = 0.9277 - 3.6224 / (b - 2);
  const logMean = Math.log(mean);
  for (;;) {
    const u = random.uniform() - 0.5;
    const v = 1 - random.uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (Math.log((v * inverse) / (a / (us * us) + b)) <= k * logMean - mean - logFactorial(k)) return k;
  }
}

/** A binomial count of n trials with probability p (0..1), by counting up from zero. */
export function binomial(random: Random, n: number, p: number): number {
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  if (n <= 0 || p <= 0) return 0;
  if (n * p > HALVE) {
    const half = n >> 1;
    return binomial(random, half, p) + binomial(random, n - half, p);
  }
  const odds = p / (1 - p);
  const u = random.uniform();
  let weight = Math.exp(n * Math.log1p(-p));
  let sum = weight;
  let k = 0;
  while (u >= sum && k < n) {
    weight *= ((n - k) * odds) / (k + 1);
    sum += weight;
    k += 1;
  }
  return k;
}
