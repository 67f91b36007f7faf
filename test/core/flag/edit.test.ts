/** Promises of edits: what is ordered is done, and nothing else in a person's text moves. */
import fc from "fast-check";
import { findNodeAtLocation, parseTree } from "jsonc-parser";
import { describe, expect, test } from "vitest";
import { type Edited, editFlag, type FlagEdit, setEnabled } from "../../../src/core/flag/edit.ts";
import type { Value } from "../../../src/core/flag/schema.ts";

type Members = { [key: string]: Value };

const textOf = (edited: Edited) => (edited.ok ? edited.text : `${edited.reason}: ${edited.sentence}`);
const edit = (text: string, name: string, order: FlagEdit) => textOf(editFlag(text, name, order));
const patch = (value: Members): FlagEdit => ({ kind: "patch", value });

const TEXT = `{
  "$schema": "x",

  "flags": {
    "a": { "state": "off",   "percentage": 5 },
    "b": {
      "state": "canary", "notes": "two"
    }
  }
}
`;

describe("an edit of one flag", () => {
  test("changes what is ordered and keeps the spaces of all else", () => {
    expect(edit(TEXT, "a", patch({ state: "canary" }))).toBe(TEXT.replace('"off"', '"canary"'));
    expect(edit(TEXT, "a", patch({ percentage: null }))).toBe(TEXT.replace(',   "percentage": 5', ""));
    expect(edit(TEXT, "b", patch({ owner: "me" }))).toBe(TEXT.replace('"two"', '"two", "owner": "me"'));
  });

  test("makes a flag set as the document is, and takes one out with its comma", () => {
    const made = edit(TEXT, "c", {
      kind: "create",
      value: { state: "on", cohorts: { x: { users: ["u"] } } },
    });
    expect(made).toContain(`
    },
    "c": {
      "state": "on",
      "cohorts": {
        "x": {
          "users": [
            "u"
          ]
        }
      }
    }
  }
}
`);
    expect(edit(made, "c", { kind: "delete" })).toBe(TEXT);
    expect(JSON.parse(edit(TEXT, "a", { kind: "delete" }))).toEqual({
      $schema: "x",
      flags: { b: { state: "canary", notes: "two" } },
    });
  });

  test("keeps tabs, Windows line ends, a byte order mark, and a document on one line", () => {
    const windows = '\ufeff{\r\n\t"flags": {}\r\n}';
    expect(edit(windows, "a", { kind: "put", value: { state: "on" } })).toBe(
      '\ufeff{\r\n\t"flags": {\r\n\t\t"a": {\r\n\t\t\t"state": "on"\r\n\t\t}\r\n\t}\r\n}',
    );
    expect(edit('{"flags":{}}', "a", { kind: "put", value: { state: "on" } })).toBe(
      '{"flags":{"a":{"state":"on"}}}',
    );
  });

  test("says when nothing changes, and leaves the text alone", () => {
    expect(editFlag(TEXT, "a", patch({ state: "off" }))).toEqual({ ok: true, text: TEXT, changed: false });
    const same: FlagEdit = { kind: "put", value: { state: "off", percentage: 5 } };
    expect(editFlag(TEXT, "a", same)).toEqual({ ok: true, text: TEXT, changed: false });
  });

  test.each<[string, string, FlagEdit, string]>([
    ["a", TEXT, { kind: "create", value: {} }, "exists"],
    ["c", TEXT, patch({}), "unknown-flag"],
    ["c", TEXT, { kind: "delete" }, "unknown-flag"],
    ["toString", TEXT, { kind: "delete" }, "unknown-flag"],
    ["a", TEXT, { kind: "override", of: "users", id: "u", override: null }, "no-override"],
    ["a", "{", patch({}), "unreadable"],
    ["a", "[]", patch({}), "not-an-object"],
    ["a", '{"flags":3}', patch({}), "not-an-object"],
    ["a", '{"flags":{"a":3}}', patch({}), "not-an-object"],
    ["a", '{"flags":{"a":{"state":"on","state":"off"}}}', patch({}), "unreadable"],
    ["a", '{"flags":{"a":{},"a":{}}}', { kind: "put", value: {} }, "unreadable"],
    ["a", '{"flags":{"a":{}},"flags":{}}', { kind: "delete" }, "unreadable"],
    ["a", TEXT, { kind: "override", of: "users", id: "__proto__", override: { state: "on" } }, "unreadable"],
    ["a", TEXT, patch(JSON.parse('{"metadata":{"__proto__":1}}') as Members), "unreadable"],
    [
      "a",
      TEXT,
      patch({ metadata: JSON.parse(`${"[".repeat(9000)}${"]".repeat(9000)}`) as Value }),
      "unreadable",
    ],
    ["__proto__", TEXT, { kind: "create", value: {} }, "unreadable"],
    ["a", `{"flags":{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}}`, patch({}), "not-an-object"],
  ])("of %s in %.30s… is refused", (name, text, order, reason) =>
    expect(editFlag(text, name, order)).toMatchObject({ ok: false, reason }),
  );

  test("goes on beside another flag in which a key stands twice", () => {
    const text = '{"flags":{"a":{"state":"on","state":"off"},"b":{}}}';
    expect(edit(text, "b", patch({ state: "on" }))).toBe(text.replace('"b":{}', '"b":{"state":"on"}'));
  });

  test("words of a refusal name no person", () => {
    const order: FlagEdit = { kind: "override", of: "users", id: "ada@example.com", override: null };
    expect(edit(TEXT, "a", order)).not.toContain("ada");
  });
});

describe("an override", () => {
  const on: FlagEdit = { kind: "override", of: "users", id: "u", override: { state: "on" } };
  const none: FlagEdit = { kind: "override", of: "users", id: "u", override: null };

  test("leaves no empty objects behind when the last one goes", () => {
    const set = edit(TEXT, "a", on);
    expect(JSON.parse(set).flags.a.overrides).toEqual({ users: { u: { state: "on" } } });
    expect(edit(set, "a", none)).toBe(TEXT);
  });

  test("leaves an empty object that a person wrote", () => {
    const text = '{"flags":{"a":{"state":"on","overrides":{"tenants":{}}}}}';
    expect(edit(edit(text, "a", on), "a", none)).toBe(text);
  });

  test("replaces the one that is there", () => {
    const off: FlagEdit = { ...on, override: { state: "off", reason: "asked for" } };
    expect(JSON.parse(edit(edit(TEXT, "a", on), "a", off)).flags.a.overrides.users.u).toEqual({
      state: "off",
      reason: "asked for",
    });
  });
});

test("the global switch is set before the flags, and nothing else moves", () => {
  const off = textOf(setEnabled(TEXT, false));
  expect(off).toBe(TEXT.replace('{\n  "$schema"', '{\n  "enabled": false,\n  "$schema"'));
  expect(textOf(setEnabled(off, true))).toBe(off.replace("false", "true"));
  expect(setEnabled(TEXT, true)).toEqual({ ok: true, text: TEXT, changed: false });
});

/** RFC 7396, as it is written there. */
function mergePatch(target: Value | undefined, with_: Value): Value {
  if (typeof with_ !== "object" || with_ === null || Array.isArray(with_)) return with_;
  const isObject = typeof target === "object" && target !== null && !Array.isArray(target);
  const result: Members = isObject ? { ...(target as Members) } : {};
  for (const [key, value] of Object.entries(with_ as Members)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** An edit of the parsed document. */
function applied(flags: Record<string, Members>, name: string, order: FlagEdit): void {
  const flag = flags[name];
  if (order.kind === "put" || (order.kind === "create" && !flag)) flags[name] = order.value;
  else if (order.kind === "delete") delete flags[name];
  else if (order.kind === "patch" && flag) flags[name] = mergePatch(flag, order.value) as Members;
  else if (order.kind === "override" && flag && order.override !== null)
    flags[name] = mergePatch(flag, { overrides: { [order.of]: { [order.id]: order.override } } }) as Members;
}

test("any sequence of edits gives what editing the object gives, and leaves other flags' text byte for byte", () => {
  const key = fc.constantFrom("a", "b", "c", 'q"\\\n', "overrides", "x");
  const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<Value>(null, 1, 2.5, true, "", "two\nlines", [], [1, { a: null }]),
      fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));
  const members = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });
  const order: fc.Arbitrary<FlagEdit> = fc.oneof(
    fc.record({ kind: fc.constantFrom("create" as const, "put" as const, "patch" as const), value: members }),
    fc.constant<FlagEdit>({ kind: "delete" }),
  );
  const layout = fc.constantFrom(undefined, 2, 3, "\t");
  fc.assert(
    fc.property(
      fc.dictionary(key, members, { maxKeys: 3, noNullPrototype: true }),
      layout,
      fc.array(fc.tuple(key, order), { maxLength: 6 }),
      (before, space, orders) => {
        let text = JSON.stringify({ flags: before, last: 1 }, null, space);
        const flags = { ...before };
        for (const [name, one] of orders) {
          const others = Object.entries(flags).filter(([other]) => other !== name);
          const pieces = (now: string) => others.map(([other]) => pieceOf(now, other));
          const were = pieces(text);
          const edited = editFlag(text, name, one);
          if (edited.ok) applied(flags, name, one);
          if (edited.ok) expect(edited.changed).toBe(edited.text !== text);
          text = edited.ok ? edited.text : text;
          expect(pieces(text)).toEqual(were);
          expect(JSON.parse(text)).toEqual({ flags, last: 1 });
        }
      },
    ),
    { numRuns: 300 },
  );
});

/** A flag as it is written, its key included. */
function pieceOf(text: string, name: string): string {
  const flags = findNodeAtLocation(parseTree(text)!, ["flags", name])!.parent!;
  return text.slice(flags.offset, flags.offset + flags.length);
}
