/** From targeting key to bucket: where a visitor stands in a flag's rollout, the same in every isolate for ever. */
import { SLICES } from "../analysis/tally.ts";
import { FULL_SHARE } from "../flag/percentage.ts";
import { murmur3 } from "./murmur3.ts";

/** Number of buckets: one for each thousandth of a percent. */
export const BUCKETS = FULL_SHARE;

const HASHES = 2 ** 32;

/**
 * Seed of a flag, from its salt. The key is hashed from the seed on, so that two flags place the same visitor
 * independently and no text has to be joined on each request.
 */
export function seedOf(salt: string): number {
  return murmur3(salt, 0);
}

/**
 * Bucket of a targeting key, an integer 0..99,999.
 * Multiply and shift instead of modulo: it takes the high bits of the hash, keeps the order of hashes, and would
 * keep visitors near their place if the number of buckets ever changed. The product is below 2^49: exact.
 */
export function bucketOf(seed: number, key: string): number {
  return Math.floor((murmur3(key, seed) * BUCKETS) / HASHES);
}

/**
 * Slice of the visitors, 0..15, by which blue's errors are kept: every sixteenth bucket. So blue has as many visitors
 * in each slice at every percentage; of sixteenths in a row, those below it would be green's alone.
 */
export function sliceOf(bucket: number): number {
  return bucket % SLICES;
}
