/** Promises about taking the text of a document to another content. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { mergedText } from "../../../src/core/flag/merge-text.ts";

const DOCUMENT = `{
  "enabled":   true,
  "groups": { "staff": ["ann"] },
  "flags": {
    "kept": { "state" : "off", "notes": "as a person wrote it" },
    "moved": {
      "state": "canary",
      "percentage": 5
    }
  }
}
`;

test("what is as before stays as a person wrote it, to the last space", () => {
  const flags = { moved: { state: "canary", percentage: 10 }, fresh: { state: "on" } };
  expect(mergedText(DOCUMENT, { flags })).toBe(`{
  "enabled":   true,
  "groups": { "staff": ["ann"] },
  "flags": {
    "kept": { "state" : "off", "notes": "as a person wrote it" },
    "moved": {
      "state": "canary",
      "percentage": 10
    },
    "fresh": {
      "state": "on"
    }
  }
}
`);
  expect(mergedText(DOCUMENT, JSON.parse(DOCUMENT))).toBe(DOCUMENT);
});

test("groups and plans come along, before the flags", () => {
  const text = mergedText('{\n  "flags": {}\n}', { groups: { beta: ["bob"] }, flags: {} });
  expect(text).toBe('{\n  "groups": {\n    "beta": [\n      "bob"\n    ]\n  },\n  "flags": {}\n}');
});

test.each(["", "[]", "{}", '{ "flags": [] }', "no JSON"])(
  "%j is no document that could be changed",
  (text) => {
    expect(mergedText(text, { flags: { a: { state: "on" } } })).toBeUndefined();
  },
);

test("the result says what the two say together, however they are written", () => {
  const name = fc.constantFrom("a", "b", "constructor", "with space", 'quo"te', "flags");
  const flags = fc.dictionary(name, fc.dictionary(name, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 }), {
    maxKeys: 4,
    noNullPrototype: true,
  });
  const groups = fc.option(fc.dictionary(name, fc.array(fc.string())), { nil: undefined });
  fc.assert(
    fc.property(
      flags,
      flags,
      groups,
      fc.constantFrom(0, 2, "\t"),
      fc.boolean(),
      (old, now, more, step, bom) => {
        const text = (bom ? "\ufeff" : "") + JSON.stringify({ enabled: true, flags: old }, null, step);
        const after = mergedText(text, { ...(more && { groups: more }), flags: now })!;
        const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
        expect(after.startsWith("\ufeff")).toBe(bom);
        expect(JSON.parse(after.replace("\ufeff", ""))).toEqual(
          plain({ enabled: true, ...(more && { groups: more }), flags: { ...old, ...now } }),
        );
      },
    ),
    { numRuns: 200 },
  );
});
