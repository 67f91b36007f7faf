/**
 * Headers on their way through: what a hop must not pass on, what only Greenlight may set, and what tells the origin
 * who asked.
 */

/** Prefix of the headers that only Greenlight sets. */
const OWN_PREFIX = "x-greenlight-";
const VERSION_OVERRIDES = "cloudflare-workers-version-overrides";

const C = 99;
const K = 107;
const P = 112;
const R = 114;
const T = 116;
const U = 117;
const X = 120;

/** Headers for an origin, and what was seen on the way about the request. */
export interface Outgoing {
  headers: Headers;
  /** An upgrade to another protocol was asked for. */
  upgrade: boolean;
  /** A part of a resource was asked for. */
  range: boolean;
}

/**
 * Copies the request's headers without hop-by-hop ones (those that `Connection` names included), forged
 * `x-greenlight-*` and version overrides. The copy is made by the runtime and one pass over the names finds what
 * must go: building headers from pairs costs ten times as much.
 */
export function outgoingHeaders(from: Headers): Outgoing {
  const headers = new Headers(from);
  let upgrade = false;
  let range = false;
  for (const name of from.keys()) {
    switch (name.charCodeAt(0)) {
      case X:
        if (name.startsWith(OWN_PREFIX)) headers.delete(name);
        break;
      case C:
        if (name === "connection") dropNamed(headers, from.get(name) ?? "");
        else if (name === VERSION_OVERRIDES) headers.delete(name);
        break;
      case U:
        if (name === "upgrade") upgrade = true;
        break;
      case R:
        if (name === "range") range = true;
        break;
      case K:
      case P:
      case T:
        if (isHopByHop(name)) headers.delete(name);
        break;
    }
  }
  return { headers, upgrade, range };
}

/**
 * Says who asked: `x-forwarded-for` is the address that Cloudflare saw, whatever the client claimed.
 */
export function setForwarded(
  headers: Headers,
  address: string | null,
  authority: string,
  scheme: string,
): void {
  if (address === null) headers.delete("x-forwarded-for");
  else headers.set("x-forwarded-for", address);
  headers.set("x-forwarded-host", authority);
  headers.set("x-forwarded-proto", scheme);
}

/** Must this response be copied, because it holds headers that may not be passed on? */
export function holdsForbidden(headers: Headers): boolean {
  for (const name of headers.keys()) {
    switch (name.charCodeAt(0)) {
      case X:
        if (name.startsWith(OWN_PREFIX)) return true;
        break;
      case C:
        if (name === "connection" && namesOthers(headers.get(name) ?? "")) return true;
        break;
      case K:
      case P:
        if (isHopByHop(name)) return true;
        break;
    }
  }
  return false;
}

/** Takes out of a response's (mutable) headers what may not be passed on. */
export function dropForbidden(headers: Headers): void {
  for (const name of [...headers.keys()]) {
    if (name === "connection") dropNamed(headers, headers.get(name) ?? "");
    else if (name.startsWith(OWN_PREFIX) || isHopByHop(name)) headers.delete(name);
  }
}

/** `Connection`, `TE` and `Transfer-Encoding` themselves are taken care of by the runtime, `Upgrade` is needed. */
function isHopByHop(name: string): boolean {
  return (
    name === "keep-alive" ||
    name === "proxy-connection" ||
    name === "proxy-authorization" ||
    name === "proxy-authenticate" ||
    name === "te" ||
    name === "trailer"
  );
}

function namesOthers(connection: string): boolean {
  return connection.split(",").some((name) => !isOption(name.trim().toLowerCase()));
}

/** Deletes the headers that a `Connection` header names. */
function dropNamed(headers: Headers, connection: string): void {
  for (const part of connection.split(",")) {
    const name = part.trim().toLowerCase();
    if (isOption(name) || !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) continue;
    headers.delete(name);
  }
}

/** Words in `Connection` that are no names of headers to drop. */
function isOption(name: string): boolean {
  return name === "" || name === "close" || name === "upgrade";
}
