/** The time scales on which blue is watched for more scatter than chance makes. */

/** Lengths of the stretches, milliseconds: factor four from a tick on, up to some two hours. */
export const SCALES_MS: readonly number[] = [2_000, 8_000, 32_000, 128_000, 512_000, 2_048_000, 8_192_000];

/**
 * Scale (index) at which it is clear whether green shared what blue did; the shorter ones wait for it. Shorter, and
 * green with its few requests could not tell; longer, and what was learned would come late.
 */
export const CHUNK = 3;

/** What was seen is forgotten with this half-life, milliseconds: longer than a night, shorter than a week. */
const HALF_LIFE_MS = 12 * 3_600_000;

/** What is left after one stretch of each scale. */
export const KEEP: readonly number[] = SCALES_MS.map((ms) => 2 ** (-ms / HALF_LIFE_MS));

/** Cuts time into the stretches of one scale. */
export class Stretch {
  /** Start, milliseconds since the epoch; NaN before the first tick. */
  from = Number.NaN;
  /** Start of the one before. */
  before = Number.NaN;

  /** Does the tick that ends at `at` and lasted `ms` fill the stretch? Begins the next one if so. */
  isFull(scale: number, at: number, ms: number): boolean {
    if (Number.isNaN(this.from)) this.from = at - ms;
    if (at - this.from < SCALES_MS[scale]!) return false;
    this.before = this.from;
    this.from = at;
    return true;
  }
}
