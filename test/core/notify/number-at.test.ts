import { expect, test } from "vitest";
import { numberAt, parseQuery } from "../../../src/core/notify/number-at.ts";

test.each([
  ["$", []],
  ["$.data", ["data"]],
  ["$.data[0].score", ["data", 0, "score"]],
  ["$[-1]", [-1]],
  ["$['p 95']", ["p 95"]],
  ['$["p 95"][2]', ["p 95", 2]],
  ["$ .a [ 'b' ]", ["a", "b"]],
  ["$['it\\'s']", ["it's"]],
  ["$['say \"x\"']", ['say "x"']],
  ['$["\\u00fc"]', ["ü"]],
  ["$.größe", ["größe"]],
  ["data", undefined],
  ["", undefined],
  ["$.", undefined],
  ["$data", undefined],
  ["$.a..b", undefined],
  ["$.*", undefined],
  ["$[*]", undefined],
  ["$[0:2]", undefined],
  ["$[?(@.a)]", undefined],
  ["$[01]", undefined],
  ["$[-0]", undefined],
  ["$['a'", undefined],
  ["$.0", undefined],
])("the query %s names %j", (query, parts) => {
  expect(parseQuery(query)).toEqual(parts);
});

test.each([
  [{ data: [{ score: 79.5 }] }, "$.data[0].score", 79.5],
  [{ result: [{ value: [1700000000, "0.25"] }] }, "$.result[0].value[1]", 0.25],
  [[1, 2, 3], "$[-1]", 3],
  [42, "$", 42],
  ["1e3", "$", 1000],
  ["", "$", undefined],
  ["0x10", "$", undefined],
  [" 1", "$", undefined],
  ["NaN", "$", undefined],
  ["1e999", "$", undefined],
  [true, "$", undefined],
  [null, "$", undefined],
  [[1], "$.length", undefined],
  [{}, "$.toString", undefined],
  [{ a: 1 }, "$[0]", undefined],
  [[1], "$[1]", undefined],
  [{ a: 1 }, "$.b.c", undefined],
])("in %j the number at %s is %j", (value, query, number) => {
  expect(numberAt(value, query)).toBe(number);
});
