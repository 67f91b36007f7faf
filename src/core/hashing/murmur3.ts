/** MurmurHash3_x86_32: the hash that places visitors. Fast and even; not for secrets or against forgery. */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** Highest code unit that is one byte in UTF-8. */
const LAST_ASCII = 0x7f;

/**
 * Hash of a text's UTF-8 bytes, an unsigned 32-bit number. A lone surrogate counts as U+FFFD.
 * ASCII, which nearly every id is, is hashed in place without allocating.
 */
export function murmur3(text: string, seed = 0): number {
  const length = text.length;
  const blocksEnd = length & ~3;
  let h = seed | 0;
  let seen = 0;
  let i = 0;
  for (; i < blocksEnd; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    seen |= a | b | c | d;
    h = mixBlock(h, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let shift = 0; i < length; i++, shift += 8) {
    const code = text.charCodeAt(i);
    seen |= code;
    tail |= code << shift;
  }
  if (seen > LAST_ASCII) return murmur3Bytes(new TextEncoder().encode(text), seed);
  return finish(h, tail, length);
}

/** Hash of bytes, an unsigned 32-bit number. */
export function murmur3Bytes(bytes: Uint8Array, seed = 0): number {
  const length = bytes.length;
  const blocksEnd = length & ~3;
  let h = seed | 0;
  let i = 0;
  for (; i < blocksEnd; i += 4) {
    h = mixBlock(h, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  let tail = 0;
  for (let shift = 0; i < length; i++, shift += 8) tail |= bytes[i]! << shift;
  return finish(h, tail, length);
}

function scramble(k: number): number {
  const m = Math.imul(k, C1);
  return Math.imul((m << 15) | (m >>> 17), C2);
}

function mixBlock(h: number, k: number): number {
  const x = h ^ scramble(k);
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0;
}

/** Mixes in the last 0 to 3 bytes (0 scrambles to 0, so none needs no branch) and the length, then avalanches. */
function finish(h: number, tail: number, length: number): number {
  let x = h ^ scramble(tail) ^ length;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
