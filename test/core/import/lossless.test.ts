/** Promise of imports: nothing of a file is silently lost, whatever is in it, and the document has no faults. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pathText } from "../../../src/core/flag/faults.ts";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import { exportTo } from "../../../src/core/import/export.ts";
import { importFrom } from "../../../src/core/import/import.ts";
import type { Imported, Loss } from "../../../src/core/import/imported.ts";
import { FIXTURES, imported, leavesOf, objectsOf, type Step, valueAt, withValue } from "./fixtures.ts";

/** Another value of the same type. */
function otherThan(value: unknown): unknown {
  switch (typeof value) {
    case "string":
      return /^\d+(\.\d+)?$/.test(value) ? String(Number(value) + 1) : `${value}x`;
    case "number":
      return Math.abs(value) >= 99 ? value / 2 : value + 1;
    case "boolean":
      return !value;
    default:
      return "something";
  }
}

/** What is seen of an import: of losses their places and what stands there. */
function seen(result: Imported): string {
  if (!result.ok) return result.sentence;
  return JSON.stringify([result.document, result.losses, result.assumed, result.absent]);
}

function isListed(path: readonly Step[], losses: readonly Loss[]): boolean {
  return path.some((_, i) => losses.some((loss) => loss.path === pathText(path.slice(0, i + 1))));
}

describe.each(FIXTURES)("$file", ({ value }) => {
  const whole = imported(value);

  test("comes to a document without faults", () => {
    expect(parseDocument(JSON.stringify(whole.document)).faults).toEqual([]);
  });

  test("has every value in the document, or among what is said to be lost", () => {
    const silent = leavesOf(value).filter((path) => {
      if (isListed(path, whole.losses)) return false;
      const other = importFrom(whole.format, {
        value: withValue(value, path, otherThan(valueAt(value, path))),
      });
      return seen(other) === seen(whole);
    });
    expect(silent.map(pathText)).toEqual([]);
  });

  test("has what nobody knows listed, wherever it stands", () => {
    const silent = objectsOf(value).filter((path) => {
      const more = { ...(valueAt(value, path) as object), "quite-unknown": { to: ["anybody"] } };
      const result = importFrom(whole.format, { value: withValue(value, path, more) });
      if (!result.ok) return false;
      const here = [...path, "quite-unknown"];
      return (
        !isListed([...here, "to"], result.losses) && !JSON.stringify(result.document).includes("anybody")
      );
    });
    expect(silent.map(pathText)).toEqual([]);
  });
});

/** Values that stand where nobody expects them. */
const ANYTHING = fc.oneof(
  fc.constantFrom(null, "", -1, 1e9, 0.00001, true, [], {}, "__proto__", "ä b/c", "2025-13-45", [null], {
    a: 1,
  }),
  fc.json().map((text) => JSON.parse(text) as unknown),
);

test("whatever a file holds, nothing is thrown, and what is taken has no faults", () => {
  const place = fc
    .constantFrom(...FIXTURES)
    .chain(({ value }) =>
      fc.tuple(fc.constant(value), fc.constantFrom(...leavesOf(value), ...objectsOf(value)), ANYTHING),
    );
  fc.assert(
    fc.property(place, ([value, path, other]) => {
      const { format } = imported(value);
      const result = importFrom(format, { value: withValue(value, path, other) });
      if (!result.ok) return;
      expect(parseDocument(JSON.stringify(result.document)).faults).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("in a file with something odd in it all other values are still in the document or listed", () => {
  const places = FIXTURES.map(({ value }) => ({ value, ...imported(value), all: leavesOf(value) }));
  const odd = fc
    .constantFrom(...places)
    .chain((from) => fc.tuple(fc.constant(from), fc.constantFrom(...from.all), ANYTHING, fc.nat()));
  fc.assert(
    fc.property(odd, ([{ value, format }, path, other, n]) => {
      const strange = withValue(value, path, other);
      const result = importFrom(format, { value: strange });
      const leaves = leavesOf(strange).filter((leaf) => valueAt(strange, leaf) !== null);
      const leaf = leaves[n % leaves.length];
      if (!result.ok || leaf === undefined || isListed(leaf, result.losses)) return;
      const changed = withValue(strange, leaf, otherThan(valueAt(strange, leaf)));
      expect([pathText(leaf), seen(importFrom(format, { value: changed })) === seen(result)]).toEqual([
        pathText(leaf),
        false,
      ]);
    }),
    { numRuns: 300 },
  );
});

test("nobody's id is shown in what is said", () => {
  const ids = [
    "user-123",
    "user 9",
    "user-1",
    "admin-user",
    "ada@example.com",
    "0b6f5c8e-7a54-4a53-9c43-0a1d6a3f1c10",
  ];
  for (const { value, file } of FIXTURES) {
    const { document, losses } = imported(value);
    const broken = importFrom("auto", {
      value: JSON.parse(JSON.stringify(value).replaceAll('"on"', '"onn"')),
    });
    const said = [...losses, ...(broken.ok ? broken.losses : []), ...exportTo("ecotrips", document).losses];
    for (const id of ids) expect([file, JSON.stringify(said).includes(id)]).toEqual([file, false]);
  }
});

test("a file nested without end is refused, not run out of stack on", () => {
  const deep = JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`) as unknown;
  expect(
    importFrom("flagd", { value: { flags: { a: { state: "ENABLED", targeting: deep } } } }),
  ).toMatchObject({
    ok: false,
  });
});
