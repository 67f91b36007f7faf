/** Promises of the content hash: equal texts, equal hashes; any edit, another one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { hashText } from "../../../src/core/hashing/text.ts";

test("it is 64 bits and the length in bytes", () => {
  expect(hashText("")).toMatch(/^[0-9a-f]{16}-0$/);
  expect(hashText("ä")).toMatch(/^[0-9a-f]{16}-2$/);
  expect(hashText("same")).toBe(hashText("same"));
});

test("no two of 200,000 numbered documents share a hash", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 200_000; i++) seen.add(hashText(`{"flags":{"checkout":{"percentage":${i}}}}`));
  expect(seen.size).toBe(200_000);
});

test("a changed text has another hash", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
      expect(hashText(a) === hashText(b)).toBe(a === b);
    }),
  );
});
