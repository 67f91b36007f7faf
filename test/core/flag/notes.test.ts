import fc from "fast-check";
import { expect, test } from "vitest";
import { appendNote, appendNotes, MAX_NOTES, noteLine } from "../../../src/core/flag/notes.ts";

const AT = Date.UTC(2025, 4, 6, 12, 0, 59);
const LINE = noteLine(AT, "Green goes from 10 to 25 %");

const text = `{ "flags" : {
\t"planner" :  { "state":"canary",
\t\t"notes": "Route 45\\u0025 of traffic.\\nSecond line." , "percentage" : 4.50e1 },
  "bare": {
    "state": "off",
    "description": "caf\\u00e9"
  }
} }`;
const notesOf = (json: string, flag: string): unknown => JSON.parse(json).flags[flag].notes;

test("a line says when it was, to the minute, and is one line", () => {
  expect(noteLine(AT, " paused:\nblue\tfailed ")).toBe("[2025-05-06 12:00 UTC] paused: blue failed");
});

test("a line is put behind what is there, and nothing else of the text changes", () => {
  const next = appendNote(text, "planner", LINE)!;
  expect(notesOf(next, "planner")).toBe(`Route 45% of traffic.\nSecond line.\n${LINE}`);
  expect(next.replace(`\\n${LINE}`, "")).toBe(text);
});

test("a flag without notes gets them as its last field, set as the one before", () => {
  const next = appendNote(text, "bare", LINE)!;
  expect(next.replace(`,\n    "notes": "${LINE}"`, "")).toBe(text);
  expect(notesOf(next, "bare")).toBe(LINE);
  expect(appendNote('{"flags":{"a":{"state":"off"}}}', "a", "b")).toBe(
    '{"flags":{"a":{"state":"off","notes":"b"}}}',
  );
  expect(appendNote('{"flags":{"a":{"notes":""}}}', "a", 'b "c"')).toBe(
    '{"flags":{"a":{"notes":"b \\"c\\""}}}',
  );
});

test("of two fields with one name the last counts, as it does for everybody who reads it", () => {
  const twice = '{"flags":{"a":{"notes":"1","state":"off","notes":"2"}}}';
  expect(appendNote(twice, "a", "3")).toBe('{"flags":{"a":{"notes":"1","state":"off","notes":"2\\n3"}}}');
});

test.each([
  ["no JSON", '{"flags":{"a":{"notes":"1"}}} //'],
  ["no flags", "{}"],
  ["a list of flags", '{"flags":["a"]}'],
  ["no such flag", '{"flags":{"b":{"state":"off"}}}'],
  ["a flag that is none", '{"flags":{"a":1}}'],
  ["an empty flag", '{"flags":{"a":{}}}'],
  ["notes that are none", '{"flags":{"a":{"notes":["1"]}}}'],
  ["nesting without end", "[".repeat(200_000)],
])("%s: there is nothing to append to", (_, broken) => {
  expect(appendNote(broken, "a", LINE)).toBeUndefined();
});

test("notes that are too long lose the oldest appended lines, never a person's", () => {
  const own = `mine, first\n${"x".repeat(MAX_NOTES - 500)}\n2025-05-06 mine too`;
  let json = JSON.stringify({ flags: { a: { notes: own } } });
  const lines = Array.from({ length: 30 }, (_, i) => noteLine(AT + i * 60_000, `step ${i}`));
  for (const line of lines) json = appendNote(json, "a", line)!;
  const notes = String(notesOf(json, "a"));
  expect(notes.length).toBeLessThanOrEqual(MAX_NOTES);
  expect(notes.length).toBeGreaterThan(MAX_NOTES - LINE.length);
  expect(notes.startsWith(`${own}\n`)).toBe(true);
  const kept = notes.slice(own.length + 1).split("\n");
  expect(kept).toEqual(lines.slice(-kept.length));
});

test("notes of exactly the most characters keep everything, one more costs the oldest line", () => {
  const person = "y".repeat(MAX_NOTES - 2 * LINE.length - 2);
  const json = JSON.stringify({ flags: { a: { notes: `${LINE}\n${person}` } } });
  const next = LINE.replace("25 %", "50 %");
  expect(notesOf(appendNote(json, "a", next)!, "a") === `${LINE}\n${person}\n${next}`).toBe(true);
  expect(notesOf(appendNote(json, "a", `${next}!`)!, "a") === `${person}\n${next}!`).toBe(true);
});

test("a person's text that is too long by itself stays, with the newest line", () => {
  const own = "z".repeat(MAX_NOTES + 5);
  let json = JSON.stringify({ flags: { a: { notes: own } } });
  for (let i = 0; i < 3; i++) json = appendNote(json, "a", noteLine(AT, `step ${i}`))!;
  expect(notesOf(json, "a")).toBe(`${own}\n${noteLine(AT, "step 2")}`);
});

test("whatever the document and however it is set, only the notes of that flag change, by that line", () => {
  const fields = fc.dictionary(
    fc.constantFrom("state", "notes", "owner", "x"),
    fc.string({ unit: "binary" }),
    {
      minKeys: 1,
    },
  );
  const names = fc.constantFrom("a", "b", "__proto__");
  fc.assert(
    fc.property(
      fc.dictionary(names, fields),
      fc.constantFrom(0, 1, 2, "\t"),
      fc.string(),
      (flags, indent, line) => {
        const json = JSON.stringify({ z: 1, flags }, null, indent);
        const next = appendNote(json, "a", line);
        if (!Object.hasOwn(flags, "a")) {
          expect(next).toBeUndefined();
          return;
        }
        const old = flags.a!.notes;
        fc.pre(!old?.split("\n").includes(line));
        const notes = old === undefined || old === "" ? line : `${old}\n${line}`;
        const wanted = { z: 1, flags: { ...flags, a: { ...flags.a, notes } } };
        // Set as before too: the text is what the changed document would be.
        expect(next).toBe(JSON.stringify(wanted, null, indent));
      },
    ),
    { numRuns: 200 },
  );
});

test("a line that is there already is not appended again, wherever it is", () => {
  const json = JSON.stringify({ flags: { a: { notes: `first\n${LINE}\nlast` } } });
  expect(appendNote(json, "a", LINE)).toBe(json);
  expect(appendNote(json, "a", `${LINE}!`)).not.toBe(json);
});

test("several lines are appended in order, those of flags that are gone are left out", () => {
  const next = appendNotes('{"flags":{"a":{"notes":"0"}}}', [
    { flag: "a", line: "1" },
    { flag: "gone", line: "2" },
    { flag: "a", line: "3" },
  ]);
  expect(next).toBe('{"flags":{"a":{"notes":"0\\n1\\n3"}}}');
});
