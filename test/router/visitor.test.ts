/** Promises about the visitor cookie. */
import { expect, test } from "vitest";
import { respond } from "../../src/router/respond.ts";
import { targetOf } from "../../src/router/target.ts";
import { anchorFor, isNavigation, mintVisitor, visitorCookie, visitorIn } from "../../src/router/visitor.ts";

const GOOD = "0123456789abcdef0123456789abcdef.01234567";

test("a minted cookie holds 128 random bits and the anchor that cookieless requests are placed by", () => {
  const anchor = anchorFor("203.0.113.7", "Browser/1");
  const values = new Set(Array.from({ length: 100 }, () => mintVisitor(anchor)));
  expect(values.size).toBe(100);
  for (const value of values) expect(value).toMatch(new RegExp(`^[0-9a-f]{32}\\.${anchor}$`));
  expect(anchorFor("203.0.113.8", "Browser/1")).not.toBe(anchor);
});

test.each([
  [`gl_visitor=${GOOD}`, GOOD],
  [`a=1; gl_visitor=${GOOD}; b=2`, GOOD],
  [`a=1;gl_visitor=${GOOD}`, GOOD],
  [`gl_visitor=forged; gl_visitor=${GOOD}`, GOOD],
  [`xgl_visitor=${GOOD}`, undefined],
  [`a=gl_visitor=${GOOD}`, undefined],
  [`gl_visitor=${GOOD.toUpperCase()}`, undefined],
  [`gl_visitor=${GOOD}0`, undefined],
  ["gl_visitor=", undefined],
  ["gl_visitor", undefined],
])("in %s the visitor is %s", (cookies, expected) => expect(visitorIn(cookies)).toBe(expected));

test.each([
  [{ scheme: "https", host: "shop.example.com" }, "; HttpOnly; SameSite=Lax; Secure"],
  [{ scheme: "http", host: "shop.example.com" }, "; HttpOnly; SameSite=Lax; Secure"],
  [{ scheme: "http", host: "localhost" }, "; HttpOnly; SameSite=Lax"],
  [{ scheme: "http", host: "127.0.0.1" }, "; HttpOnly; SameSite=Lax"],
  [
    { scheme: "https", host: "a.example.com", cookieDomain: "example.com" },
    "; Domain=example.com; HttpOnly; SameSite=Lax; Secure",
  ],
])("on %o it is set for a year with %s", (site, attributes) => {
  expect(visitorCookie(GOOD, { cookieDomain: undefined, ...site })).toBe(
    `gl_visitor=${GOOD}; Path=/; Max-Age=31536000${attributes}`,
  );
});

test.each([
  [{ "sec-fetch-dest": "document" }, "GET", true],
  [{ "sec-fetch-dest": "script", accept: "text/html" }, "GET", false],
  [{ accept: "text/html,*/*" }, "GET", true],
  [{ accept: "text/html" }, "POST", false],
  [{ accept: "*/*" }, "GET", false],
  [{}, "GET", false],
])("a request with %o by %s is a navigation: %s", (headers, method, expected) => {
  expect(isNavigation(new Request("https://shop.example.com/", { method, headers }))).toBe(expected);
});

const target = targetOf("https://shop.example.com/");
const nothing = { authorities: new Set<string>(), hosts: new Set<string>() };
const future = new Date(Date.now() + 60_000).toUTCString();

test.each<[Record<string, string>, boolean, string | null]>([
  [{}, true, "private"],
  [{ "cache-control": "private, max-age=60" }, true, "private, max-age=60"],
  [{ "cache-control": "no-store" }, true, "no-store"],
  [{ "cache-control": "no-cache" }, true, "no-cache, private"],
  [{ "cache-control": "max-age=0, must-revalidate" }, true, "max-age=0, must-revalidate, private"],
  [{ expires: "0" }, true, "private"],
  [{ "cache-control": "public" }, false, "public"],
  [{ "cache-control": "max-age=60" }, false, "max-age=60"],
  [{ "cache-control": "Max-Age=60, S-MaxAge=0" }, false, "Max-Age=60, S-MaxAge=0"],
  [{ "cache-control": "private", "cdn-cache-control": "max-age=60" }, false, "private"],
  [{ "cache-control": "private", "surrogate-control": "max-age=60" }, false, "private"],
  [{ expires: future }, false, null],
])("a response with %o is given a cookie: %s", (headers, expected, control) => {
  const answer = respond(new Response("x", { headers }), target, nothing, () => "gl_visitor=x");
  expect(answer.headers.getSetCookie()).toEqual(expected ? ["gl_visitor=x"] : []);
  expect(answer.headers.get("cache-control")).toBe(control);
});

test("a 304 is given none, for the page that it confirms may be another visitor's", () => {
  const answer = respond(new Response(null, { status: 304 }), target, nothing, () => "gl_visitor=x");
  expect(answer.headers.has("set-cookie")).toBe(false);
});
