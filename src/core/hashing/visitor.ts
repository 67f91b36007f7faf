/** The hash that tells visitors apart in counts, the same for requests and for the events that origins push. */
import { murmur3 } from "./murmur3.ts";

/** Other than the seed of any flag, so that a flag's share does not thin it out. */
const SEED = 0x76697369;

/** 32-bit hash of a visitor's id or targeting key. */
export function visitorHash(id: string): number {
  return murmur3(id, SEED);
}
