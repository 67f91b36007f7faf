/** Promises of places: a fault is found in the text where an editor would put the cursor. */
import { expect, test } from "vitest";
import { parseDocument } from "../../../src/core/flag/parse.ts";
import { placeFaults } from "../../../src/core/flag/places.ts";

function places(text: string): [string, number, number][] {
  return placeFaults(text, parseDocument(text).faults).map(({ path, line, column }) => [path, line, column]);
}

test("a wrong value, a missing key, an unknown key and a wrong item of a list, each at its place", () => {
  const text = `{
  "flags": {
    "shop": {
      "state": "sideways",
      "percent": 5,
      "route": { "blue": "https://b.example", "paths": ["/ok", "no"] }
    },
    "cart": {}
  }
}`;
  expect(places(text)).toEqual([
    ["flags.shop.state", 4, 16],
    ["flags.shop.percent", 5, 18],
    ["flags.shop.route.green", 6, 7],
    ["flags.shop.route.paths[1]", 6, 64],
    ["flags.cart.state", 8, 5],
  ]);
});

test("a slip of the pen is where it is, and of a key that stands twice the second one counts", () => {
  expect(places('{\n  "flags": {,}\n}')).toEqual([["", 2, 13]]);
  expect(places('{ "flags": {},\n  "enabled": true, "enabled": false }')).toEqual([["enabled", 2, 31]]);
});

test("any name of a flag, in any line ending, after a byte order mark", () => {
  const text = '\ufeff{\r\n "flags": {\r\n  "a b.c[0]": { "state": "on" } } }';
  expect(places(text)).toEqual([['flags["a b.c[0]"]', 3, 3]]);
  expect(places("")).toHaveLength(1);
});
