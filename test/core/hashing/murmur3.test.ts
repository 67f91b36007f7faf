/** Promises of the hash: it is MurmurHash3_x86_32, by vectors that others made. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import vectors from "../../../fixtures/hash-vectors.json" with { type: "json" };
import { murmur3, murmur3Bytes } from "../../../src/core/hashing/murmur3.ts";

interface Vector {
  text?: string;
  hex?: string;
  seed: number;
  hash: string;
}

const bytesOf = (v: Vector) =>
  v.hex === undefined ? new TextEncoder().encode(v.text) : Uint8Array.from(Buffer.from(v.hex, "hex"));
const hex = (n: number) => n.toString(16).padStart(8, "0");

describe.each(["published", "encyclopedia", "generated"] as const)("%s vectors", (set) => {
  const all: Vector[] = vectors[set].vectors;

  test("agree on bytes", () => {
    expect(all.map((v) => hex(murmur3Bytes(bytesOf(v), v.seed)))).toEqual(all.map((v) => v.hash));
  });

  test("agree on text", () => {
    const texts = all.filter((v) => v.text !== undefined);
    expect(texts.length).toBeGreaterThan(5);
    expect(texts.map((v) => hex(murmur3(v.text!, v.seed)))).toEqual(texts.map((v) => v.hash));
  });
});

test("SMHasher's verification value comes out", () => {
  const key = Uint8Array.from({ length: 256 }, (_, i) => i);
  const hashes = new DataView(new ArrayBuffer(1024));
  for (let i = 0; i < 256; i++) hashes.setUint32(i * 4, murmur3Bytes(key.subarray(0, i), 256 - i), true);
  expect(hex(murmur3Bytes(new Uint8Array(hashes.buffer), 0))).toBe(vectors.verification.value);
});

test("text and its UTF-8 bytes have one hash, lone surrogates as U+FFFD", () => {
  expect(murmur3("a\ud800b", 7)).toBe(murmur3("a\ufffdb", 7));
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 0, max: 0xffffffff }), (text, seed) => {
      expect(murmur3(text, seed)).toBe(murmur3Bytes(new TextEncoder().encode(text), seed));
    }),
  );
});
