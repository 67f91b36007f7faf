/** Promises about what passes a hop, and about what names an origin. */
import { expect, test } from "vitest";
import { outgoingHeaders, setForwarded } from "../../src/router/headers.ts";
import { respond } from "../../src/router/respond.ts";
import { targetOf } from "../../src/router/target.ts";

const target = targetOf("https://shop.example.com/cart");
const hidden = { authorities: new Set(["blue.internal:8080"]), hosts: new Set(["blue.internal"]) };

test("headers of one hop, forged ones and version overrides do not reach an origin; others do", () => {
  const headers = outgoingHeaders(
    new Headers({
      connection: "keep-alive, X-Hop, upgrade",
      "x-hop": "1",
      "keep-alive": "timeout=5",
      "proxy-authorization": "Basic x",
      "x-greenlight-variant": "green",
      "x-greenlight-anything": "1",
      "cloudflare-workers-version-overrides": "router=1",
      upgrade: "websocket",
      cookie: "a=1; b=2",
      accept: "text/html",
    }),
  );
  headers.delete("connection");
  expect([...headers]).toEqual([
    ["accept", "text/html"],
    ["cookie", "a=1; b=2"],
    ["upgrade", "websocket"],
  ]);
});

test("who asked is what Cloudflare says, or nobody", () => {
  const forged = {
    "x-forwarded-for": "6.6.6.6",
    "x-forwarded-host": "evil.example",
    "x-forwarded-port": "1",
  };
  const headers = outgoingHeaders(new Headers({ ...forged, forwarded: "for=6.6.6.6" }));
  setForwarded(headers, "203.0.113.7", "shop.example.com", "https");
  expect([...headers]).toEqual([
    ["x-forwarded-for", "203.0.113.7"],
    ["x-forwarded-host", "shop.example.com"],
    ["x-forwarded-proto", "https"],
  ]);
  const nobody = outgoingHeaders(new Headers(forged));
  setForwarded(nobody, null, "shop.example.com", "https");
  expect(nobody.has("x-forwarded-for")).toBe(false);
});

test("a response with nothing to change goes out as it is", () => {
  const response = new Response("x", { headers: { "set-cookie": "a=1; Path=/", connection: "keep-alive" } });
  expect(respond(response, target, hidden, undefined)).toBe(response);
});

test("what a response's Connection names, and what an origin forged of ours, is dropped", () => {
  const response = new Response("x", {
    headers: { connection: "x-hop", "x-hop": "1", "x-greenlight-variant": "green", "x-end": "1" },
  });
  const { headers } = respond(response, target, hidden, undefined);
  expect([headers.get("x-hop"), headers.get("x-greenlight-variant"), headers.get("x-end")]).toEqual([
    null,
    null,
    "1",
  ]);
});

test.each([
  ["http://blue.internal:8080/next?a=b#c", "https://shop.example.com/next?a=b#c"],
  ["https://BLUE.internal:8080", "https://shop.example.com"],
  ["//blue.internal:8080/next", "https://shop.example.com/next"],
  ["/relative", "/relative"],
  ["https://elsewhere.example/blue.internal:8080", "https://elsewhere.example/blue.internal:8080"],
  ["http://blue.internal:8080.evil.example/", "http://blue.internal:8080.evil.example/"],
])("Location %s becomes %s", (location, expected) => {
  const response = respond(
    new Response(null, { status: 302, headers: { location } }),
    target,
    hidden,
    undefined,
  );
  expect(response.status).toBe(302);
  expect(response.headers.get("location")).toBe(expected);
});

test("cookie domains that name the origin name the public host; the other cookies stay, in order", () => {
  const response = new Response("x");
  for (const cookie of ["a=1; Domain=blue.internal; Path=/", "b=2; path=/", "c=3; domain=.BLUE.internal"]) {
    response.headers.append("set-cookie", cookie);
  }
  expect(respond(response, target, hidden, undefined).headers.getSetCookie()).toEqual([
    "a=1; Domain=shop.example.com; Path=/",
    "b=2; path=/",
    "c=3; Domain=shop.example.com",
  ]);
});
