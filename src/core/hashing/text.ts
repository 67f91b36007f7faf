/** Identity of a text by its content: tells one flag document from another. Not cryptographic. */
import { murmur3Bytes } from "./murmur3.ts";

/** Two arbitrary seeds: the two hashes behave as one of 64 bits. */
const FIRST_SEED = 0x9747b28c;
const SECOND_SEED = 0x2545f491;

/**
 * Content hash of a text: 64 bits and the length in UTF-8 bytes, as hex (`<16 digits>-<length>`).
 * Synchronous, for use where nothing may be awaited. Whoever wants to can make two texts collide: use it among
 * documents whose authors are trusted, never as a signature.
 */
export function hashText(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return `${hex(murmur3Bytes(bytes, FIRST_SEED))}${hex(murmur3Bytes(bytes, SECOND_SEED))}-${bytes.length.toString(16)}`;
}

function hex(hash: number): string {
  return hash.toString(16).padStart(8, "0");
}
