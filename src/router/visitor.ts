/**
 * The visitor cookie `gl_visitor`: 128 random bits that tell visitors apart, and an anchor that places them. The
 * anchor is the hash of client address and user agent at the time of minting, so that a visitor with the cookie
 * stays in the bucket that their cookieless requests got.
 */
import { murmur3 } from "../core/hashing/murmur3.ts";

/** Name of the cookie. */
export const VISITOR_COOKIE = "gl_visitor";

/** A year, in seconds. */
const MAX_AGE_SECONDS = 31_536_000;

const RANDOM_BYTES = 16;
const VALUE = /^[0-9a-f]{32}\.[0-9a-f]{8}$/;
const VALUE_LENGTH = 41;
const ANCHOR_START = 33;

/** Seed of the anchor's hash. */
const ANCHOR_SEED = 0x6c6e6472;

const SPACE = 32;
const SEMICOLON = 59;

/** Value of the first well-formed visitor cookie in a `Cookie` header. A malformed one is as none. */
export function visitorIn(cookies: string): string | undefined {
  return cookieIn(cookies, VISITOR_COOKIE, (value) => value.length === VALUE_LENGTH && VALUE.test(value));
}

/** Anchor of a visitor cookie. */
export function anchorOf(visitor: string): string {
  return visitor.slice(ANCHOR_START);
}

/** Anchor of a request without the cookie: 8 hex digits of the hash of client address and user agent. */
export function anchorFor(address: string | null, userAgent: string | null): string {
  return murmur3(`${address ?? ""} ${userAgent ?? ""}`, ANCHOR_SEED)
    .toString(16)
    .padStart(8, "0");
}

/** Value of the first cookie of that name which `accept` takes, in one pass and without splitting the header. */
export function cookieIn(
  cookies: string,
  name: string,
  accept: (value: string) => boolean,
): string | undefined {
  for (let at = cookies.indexOf(name); at >= 0; at = cookies.indexOf(name, at + 1)) {
    const end = at + name.length;
    if (cookies.charCodeAt(end) !== 61) continue;
    const before = at === 0 ? SEMICOLON : cookies.charCodeAt(at - 1);
    if (before !== SPACE && before !== SEMICOLON) continue;
    const stop = cookies.indexOf(";", end);
    const value = (stop < 0 ? cookies.slice(end + 1) : cookies.slice(end + 1, stop)).trim();
    if (accept(value)) return value;
  }
  return undefined;
}

/** A new visitor cookie's value. */
export function mintVisitor(anchor: string): string {
  let hex = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)))
    hex += byte.toString(16).padStart(2, "0");
  return `${hex}.${anchor}`;
}

/** The `Set-Cookie` of a visitor. `Secure` but on http://localhost, where browsers would refuse it. */
export function visitorCookie(
  value: string,
  site: { scheme: string; host: string; cookieDomain: string | undefined },
): string {
  const local = site.scheme === "http" && (site.host === "localhost" || site.host === "127.0.0.1");
  const domain = site.cookieDomain === undefined ? "" : `; Domain=${site.cookieDomain}`;
  return `${VISITOR_COOKIE}=${value}; Path=/; Max-Age=${MAX_AGE_SECONDS}${domain}; HttpOnly; SameSite=Lax${local ? "" : "; Secure"}`;
}

/** Is this request the navigation of a document? Only those are given a cookie. */
export function isNavigation(request: Request): boolean {
  const destination = request.headers.get("sec-fetch-dest");
  if (destination !== null) return destination === "document";
  return request.method === "GET" && (request.headers.get("accept") ?? "").includes("text/html");
}

/**
 * What shared caches may do with a response, for a cookie in a kept one would be handed to strangers.
 * - `shared`: keep it for a while, so it must not carry a cookie;
 * - `private`: nothing;
 * - `open`: keep it only to ask again (`no-cache`, `max-age=0`, or nothing said): nobody loses when it is made private.
 */
export function sharedCaching(headers: Headers, now: number): "shared" | "private" | "open" {
  if (
    headers.has("cdn-cache-control") ||
    headers.has("cloudflare-cdn-cache-control") ||
    headers.has("surrogate-control")
  ) {
    return "shared";
  }
  const control = headers.get("cache-control")?.toLowerCase();
  if (control === undefined) {
    const expires = headers.get("expires");
    return expires !== null && Date.parse(expires) > now ? "shared" : "open";
  }
  const directives = control.split(",").map((directive) => directive.trim().split("=")[0]!);
  if (directives.includes("private") || directives.includes("no-store")) return "private";
  if (directives.includes("public") || directives.includes("s-maxage")) return "shared";
  return directives.includes("max-age") && !/max-age\s*=\s*"?0+"?\s*(,|$)/.test(control) ? "shared" : "open";
}
