/** Promises about what is matched against routes: it is what the origin will get. */
import { expect, test } from "vitest";
import { targetOf } from "../../src/router/target.ts";

test.each([
  ["/shop/a?x=../b", "/shop/a"],
  ["/other/../shop/a", "/shop/a"],
  ["/./shop/a", "/shop/a"],
  ["/shop/%2e%2E/secret", "/secret"],
  ["/shop%2Fa", "/shop%2Fa"],
  ["/shop/.well-known/x", "/shop/.well-known/x"],
])("dot segments do not lead around a flag: %s is %s", (tail, path) => {
  const target = targetOf(`https://shop.example.com${tail}`);
  expect(target.path).toBe(path);
  expect(target.tail).toBe(tail);
  expect(new URL(`https://origin.example${target.tail}`).pathname).toBe(path);
});
