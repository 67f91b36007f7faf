import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  hashToken,
  isStrong,
  type KnownToken,
  parseTokens,
  ROLES,
  tokenLine,
} from "../../../src/core/auth/tokens.ts";

const HASH = hashToken("a-token-of-some-length");
const YEAR_2100 = 4_102_444_800_000;

describe("ADMIN_TOKENS", () => {
  it("gives back every token that a line was made of, however the lines are separated", () => {
    const token = fc.record<KnownToken>({
      name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/),
      role: fc.constantFrom(...ROLES),
      sha256: fc.string().map(hashToken),
      expires: fc.option(fc.integer({ min: 0, max: YEAR_2100 }), { nil: undefined }),
    });
    const space = fc.stringMatching(/^[ \n\r\t]{1,3}$/);
    fc.assert(
      fc.property(fc.array(token, { maxLength: 5 }), space, (tokens, between) => {
        const text = `${between}${tokens.map(tokenLine).join(between)}${between}`;
        expect(parseTokens(text)).toEqual({ tokens, faults: [] });
      }),
      { numRuns: 200 },
    );
  });

  it("knows a token by the hash that everybody else's tools give", () => {
    // printf %s abc | sha256sum
    expect(hashToken("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  it("takes two tokens of one name, so that one can follow the other, and a day as an end", () => {
    const text = `ci:operator:${HASH}:2030-01-31 ci:operator:${HASH.toUpperCase()}:2030-01-31T12:00Z`;
    const { tokens, faults } = parseTokens(text);
    expect(faults).toEqual([]);
    expect(tokens.map(({ expires }) => expires)).toEqual([Date.UTC(2030, 0, 31), Date.UTC(2030, 0, 31, 12)]);
    expect(tokens.every(({ sha256 }) => sha256 === HASH)).toBe(true);
  });

  const clear = "greenlight_0123456789abcdef0123456789abcdef";
  it.each([
    [`ann:boss:${HASH}`, "token 2 (ann): one of reporter, viewer, operator, admin was expected second"],
    [`ann:admin:${clear}`, "token 2 (ann): 64 hex digits, the token's SHA-256, were expected third"],
    [
      `ann:admin:${HASH}:soon`,
      "token 2 (ann): a day (2030-01-31) or a time (2030-01-31T12:00:00Z) was expected last",
    ],
    [
      `ann:admin:${HASH}:2030-13-40`,
      "token 2 (ann): a day (2030-01-31) or a time (2030-01-31T12:00:00Z) was expected last",
    ],
    [
      `ann:admin:${HASH}:`,
      "token 2 (ann): a day (2030-01-31) or a time (2030-01-31T12:00:00Z) was expected last",
    ],
    [clear, "token 2: NAME:ROLE:SHA256 was expected"],
    [`${clear}:admin`, "token 2: NAME:ROLE:SHA256 was expected"],
    [`${clear}:boss:${HASH}`, "token 2: one of reporter, viewer, operator, admin was expected second"],
    [`${HASH}:ann:admin`, "token 2: one of reporter, viewer, operator, admin was expected second"],
    [
      `:admin:${HASH}`,
      "token 2: first comes a name: at most 64 letters, digits and . _ + -, a letter or digit first",
    ],
  ])("lets one bad entry shut nobody else out, and does not repeat what may be secret: %s", (bad, fault) => {
    const { tokens, faults } = parseTokens(`first:viewer:${HASH} ${bad}\nlast:admin:${HASH}`);
    expect(tokens.map(({ name }) => name)).toEqual(["first", "last"]);
    expect(faults).toEqual([fault]);
  });

  it("takes any text at all, and repeats nothing of it that could be a token", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-f0-9:]{0,200}$/), (text) => {
        const { faults } = parseTokens(text);
        for (const secret of text.match(/[0-9a-f]{16,}/g) ?? []) expect(faults.join()).not.toContain(secret);
      }),
      { numRuns: 200 },
    );
  });

  it("makes no line that could not be read back", () => {
    expect(() => tokenLine({ name: "a b", role: "admin", sha256: HASH, expires: undefined })).toThrow(
      /a name/,
    );
  });
});

it("a token of fewer than 16 characters is none: it could be guessed", () => {
  expect(isStrong("a".repeat(15))).toBe(false);
  expect(isStrong("a".repeat(16))).toBe(true);
});
