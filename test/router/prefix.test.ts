/** Promises about Greenlight's own paths. */
import { expect, test } from "vitest";
import { prefixOf } from "../../src/router/prefix.ts";
import { targetOf } from "../../src/router/target.ts";

test.each(["/_greenlight", "/_greenlight/", "/_greenlight/health", "/_greenlight/api/../status"])(
  "%s is ours",
  (path) => expect(prefixOf(path)).toBe("control"),
);

test.each([
  "/%5fgreenlight/health",
  "/%5Fgreen%6Cight/api",
  "/_greenlight%2fapi",
  "/%255fgreenlight/api",
  "//_greenlight/api",
  "/\\_greenlight/api",
  "/.//_greenlight/api",
  "/shop/../_greenlight/api",
  "/shop/%2e%2e/_greenlight/api",
  "/_GreenLight/api",
  "/_greenlight;v=1/api",
  "/%2f_greenlight/api",
])("%s only pretends not to be, and goes nowhere", (path) => expect(prefixOf(path)).toBe("disguised"));

test.each([
  "/",
  "/shop",
  "/_greenlights",
  "/_next/static",
  "/shop/_greenlight",
  "/a%20b",
  "/a//b",
  "/.well-known/x",
  "/%",
  "/%zz",
])("%s is traffic", (path) => expect(prefixOf(path)).toBe("none"));

test.each([
  ["https://Shop.Example.com/a/b?c=d", "https", "Shop.Example.com", "shop.example.com", "/a/b", "/a/b?c=d"],
  ["http://localhost:8787/?x=/y", "http", "localhost:8787", "localhost", "/", "/?x=/y"],
  [
    "https://shop.example.com.:443/%2F//",
    "https",
    "shop.example.com.:443",
    "shop.example.com",
    "/%2F//",
    "/%2F//",
  ],
  ["http://[::1]:80/x", "http", "[::1]:80", "[::1]", "/x", "/x"],
  ["http://[::1]/x", "http", "[::1]", "[::1]", "/x", "/x"],
])("%s is cut into its parts", (url, scheme, authority, host, path, tail) => {
  expect(targetOf(url)).toEqual({ scheme, authority, host, path, rawPath: path, tail });
});
