/** What a hostile or broken client sends: texts, values, and whole bodies that are bent out of their form. */
import fc, { type Arbitrary } from "fast-check";

/** Members that every object has, and what is a path, a pattern or an end of a text somewhere. */
export const TEXTS: readonly string[] = [
  "",
  " ",
  "..",
  ".",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "*",
  "\0",
  "a\0b",
  "\n",
  "\u2028",
  "\ufeff",
  "\ud800",
  "\udfff\ud800",
  "ﬁ",
  "💥".repeat(70),
  "../../document",
  "a/b",
  "%2e%2e",
  "{{7*7}}",
  "' OR 1=1 --",
  "<script>alert(1)</script>",
  "=cmd|' /C calc'!A0",
  "x".repeat(10_000),
  "9".repeat(400),
];

const NUMBERS: readonly number[] = [
  0,
  -0,
  -1,
  1,
  0.1,
  29,
  99.9999,
  100,
  100.00001,
  5e-324,
  1e-7,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  1e21,
  1.7976931348623157e308,
];

/** A value of any kind, in the place of any other. */
export const value: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    [],
    {},
    [[]],
    [null],
    [{}],
    { toString: null },
    { length: 1e9 },
  ),
  fc.constantFrom<unknown>(...NUMBERS),
  fc.constantFrom<unknown>(...TEXTS),
  fc.jsonValue({ maxDepth: 3 }),
);

const memberName = fc.constantFrom(
  "extra",
  "name",
  "state",
  "reason",
  "flags",
  "$schema",
  "length",
  ...TEXTS,
);

/** The value with something in it exchanged, taken out, put in or wrapped. */
export function bent(given: unknown): Arbitrary<unknown> {
  const places = placesIn(given);
  const change = fc.record({
    place: fc.constantFrom(...places),
    kind: fc.constantFrom("put", "delete", "add", "wrap"),
    by: value,
    name: memberName,
  });
  return fc.array(change, { minLength: 1, maxLength: 2 }).map((changes) =>
    changes.reduce<unknown>((all, { place, kind, by, name }) => {
      const inner = within(all, place);
      if (kind === "delete") return replaced(all, place, undefined);
      if (kind === "wrap") return replaced(all, place, [inner]);
      if (kind === "put" || !isObject(inner)) return replaced(all, place, by);
      return replaced(all, place, withMember(inner, name, by));
    }, given),
  );
}

type Place = readonly (string | number)[];

/** Where something is within a value, from the whole inwards; not every item of a long list. */
function placesIn(given: unknown, place: Place = []): Place[] {
  if (typeof given !== "object" || given === null) return [place];
  const inner = Object.entries(given).slice(0, 12);
  const key = (name: string) => (Array.isArray(given) ? Number(name) : name);
  return [place, ...inner.flatMap(([name, one]) => placesIn(one, [...place, key(name)]))];
}

function within(given: unknown, [first, ...rest]: Place): unknown {
  if (first === undefined) return given;
  return typeof given === "object" && given !== null
    ? within((given as Record<string | number, unknown>)[first], rest)
    : undefined;
}

function replaced(given: unknown, [first, ...rest]: Place, by: unknown): unknown {
  if (first === undefined) return by;
  if (typeof given !== "object" || given === null) return given;
  if (Array.isArray(given)) return given.map((one, i) => (i === first ? replaced(one, rest, by) : one));
  const members = Object.entries(given).map(([name, one]) => [
    name,
    name === first ? replaced(one, rest, by) : one,
  ]);
  return Object.fromEntries(members);
}

function isObject(given: unknown): given is Record<string, unknown> {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

/** `__proto__` becomes a member as any other, as `JSON.parse` makes it. */
function withMember(given: Record<string, unknown>, name: string, by: unknown): Record<string, unknown> {
  return Object.fromEntries([...Object.entries(given), [name, by]]);
}

/** Levels far beyond what is read, and bytes just beyond what is taken. */
const DEEP = 20_000;
const HUGE = 1_150_000;

/** Texts that are no JSON, or JSON that readers disagree about, made of one that is. */
export function bentText(text: string): Arbitrary<string | Uint8Array> {
  const members = /^\{\s*"/.test(text) ? text.slice(1) : '"a":1}';
  const made: (string | Uint8Array)[] = [
    "",
    "  \n",
    text.slice(0, -1),
    text.slice(0, text.length >> 1),
    `${text}}`,
    `${text}${text}`,
    `\ufeff${text}`,
    `// note\n${text}`,
    `{"reason":"a",${members}`,
    `{"reason":"a","reason":"b",${members}`,
    `{"__proto__":{"state":"on"},${members}`,
    `{"a":1e999,${members}`,
    `{"a":-0,${members}`,
    `{"a":0x10,${members}`,
    `{"a":NaN,${members}`,
    `{"a":"\\ud800",${members}`,
    `{"a":"\\u0000",${members}`,
    `{"a":"\\x41",${members}`,
    `{"a":${"9".repeat(1000)},${members}`,
    "null",
    "[]",
    '"text"',
    "0",
    "undefined",
    "a=1&b=2",
    `${"[".repeat(DEEP)}${"]".repeat(DEEP)}`,
    `${'{"a":'.repeat(DEEP)}1${"}".repeat(DEEP)}`,
    "[".repeat(DEEP),
    `{"reason":"${"x".repeat(200_000)}"}`,
    " ".repeat(HUGE),
    new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]),
    new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]),
    new Uint8Array([0xed, 0xa0, 0x80]),
    new Uint8Array([0x1f, 0x8b, 0x08, 0]),
  ];
  return fc.constantFrom(...made);
}

/** Parts of a path as they are sent. */
export const pathParts: readonly string[] = [
  "..",
  "%2e%2e",
  "%2E%2e%2Fdocument",
  "a%2Fb",
  "%2F",
  "%5C",
  "%00",
  "%",
  "%zz",
  "%ff%fe",
  "%ED%A0%80",
  "%20",
  "shop%20",
  "shop%00",
  "shop;x=1",
  "shop%3Fx",
  "shop%23x",
  "SHOP",
  "constructor",
  "__proto__",
  "toString",
  "*",
  "-1",
  "1e3",
  "99999999999999999999",
  "%F0%9F%92%A5",
  "x".repeat(65),
  "x".repeat(10_000),
  "%25".repeat(3000),
];
