/**
 * Headers on their way through: what a hop must not pass on, what only Greenlight may set, and what tells the origin
 * who asked.
 */

/** Prefix of the headers that only Greenlight sets. */
const OWN_PREFIX = "x-greenlight-";
const VERSION_OVERRIDES = "cloudflare-workers-version-overrides";

/** What only we may say of where a request comes from; `forwarded` says the same in one header. */
const FORWARDED_PREFIX = "x-forwarded-";
const FORWARDED = "forwarded";

/** First letters of the names that are looked at closer. */
const X = 120;
const C = 99;
const F = 102;
const P = 112;

/** A header's name. */
const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** Headers of one hop only, besides those that `Connection` names and those that the runtime takes care of. */
const HOP_BY_HOP = ["keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer"] as const;

/** The headers that Greenlight sets. */
export const OWN = {
  flag: "x-greenlight-flag",
  variant: "x-greenlight-variant",
  cohort: "x-greenlight-cohort",
  release: "x-greenlight-release",
} as const;

const OWN_NAMES = Object.values(OWN);

/**
 * A copy of the request's headers without hop-by-hop ones (those that `Connection` names included), version overrides
 * and anything that a client forged under our prefix. The runtime makes the copy and one pass over the names finds
 * what must go: building headers from pairs would cost several times as much.
 */
export function outgoingHeaders(from: Headers): Headers {
  const headers = new Headers(from);
  for (const name of from.keys()) {
    switch (name.charCodeAt(0)) {
      case X:
        if (name.startsWith(OWN_PREFIX) || name.startsWith(FORWARDED_PREFIX)) headers.delete(name);
        break;
      case F:
        if (name === FORWARDED) headers.delete(name);
        break;
      case P:
        if (name === "proxy-authorization" || name === "proxy-connection") headers.delete(name);
        break;
      case C:
        if (name === "connection") dropHop(headers, from.get(name) ?? "");
        else if (name === VERSION_OVERRIDES) headers.delete(name);
        break;
    }
  }
  return headers;
}

/** Drops everything under our prefix. */
function dropOwn(headers: Headers): void {
  for (const name of [...headers.keys()]) if (name.startsWith(OWN_PREFIX)) headers.delete(name);
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
  if (address !== null) headers.set("x-forwarded-for", address);
  headers.set("x-forwarded-host", authority);
  headers.set("x-forwarded-proto", scheme);
}

/** Must this response be copied, because it holds headers that may not be passed on? */
export function holdsForbidden(headers: Headers): boolean {
  const connection = headers.get("connection");
  return (connection !== null && namesOthers(connection)) || OWN_NAMES.some((name) => headers.has(name));
}

/** Takes out of a response's (mutable) headers what may not be passed on. */
export function dropForbidden(headers: Headers): void {
  const connection = headers.get("connection");
  if (connection !== null) dropHop(headers, connection);
  dropOwn(headers);
}

function namesOthers(connection: string): boolean {
  return connection.split(",").some((name) => !isOption(name.trim().toLowerCase()));
}

/** Deletes the headers that a `Connection` header names, and those that it should have named. */
function dropHop(headers: Headers, connection: string): void {
  for (const name of HOP_BY_HOP) headers.delete(name);
  for (const part of connection.split(",")) {
    const name = part.trim().toLowerCase();
    if (!isOption(name) && TOKEN.test(name)) headers.delete(name);
  }
}

/** Words in `Connection` that name no header of the other side: the runtime takes care of these itself. */
function isOption(name: string): boolean {
  return name === "" || name === "close" || name === "keep-alive" || name === "upgrade";
}
