/**
 * Where a request wants to go, cut out of its URL text. No URL object: parsing one costs more than everything else
 * that is decided, and would change the bytes of the path.
 */

/** Parts of a request's URL. */
export interface Target {
  /** `https://shop.example.com`, as it came. */
  scheme: "http" | "https";
  /** Host with port as the client named it. */
  authority: string;
  /** Host in lower case, without port and without a trailing dot: what routes are matched against. */
  host: string;
  /** Path without the query, as an origin will get it: dot segments resolved. Routes are matched against it. */
  path: string;
  /** Path without the query, as it came. */
  rawPath: string;
  /** Path and query, byte for byte. */
  tail: string;
}

const COLON = 58;
const BRACKET = 93;
const DOT = 46;

/** Cuts an absolute http(s) URL. */
export function targetOf(url: string): Target {
  const scheme = url.charCodeAt(4) === COLON ? "http" : "https";
  const start = scheme.length + 3;
  const slash = url.indexOf("/", start);
  const authority = slash < 0 ? url.slice(start) : url.slice(start, slash);
  const tail = slash < 0 ? "/" : url.slice(slash);
  const query = tail.indexOf("?");
  const rawPath = query < 0 ? tail : tail.slice(0, query);
  // `fetch` resolves dot segments before it sends: what is matched has to be what the origin will see.
  const isPlain = !rawPath.includes("/.") && !rawPath.includes("%2") && !rawPath.includes("\\");
  const path = isPlain ? rawPath : new URL(url).pathname;
  return { scheme, authority, host: hostOf(authority), path, rawPath, tail };
}

/** Lower case, without port and trailing dot. */
function hostOf(authority: string): string {
  let end = authority.length;
  const colon = authority.lastIndexOf(":");
  // A colon inside brackets belongs to an IPv6 address.
  if (colon >= 0 && authority.charCodeAt(end - 1) !== BRACKET) end = colon;
  if (end > 0 && authority.charCodeAt(end - 1) === DOT) end--;
  return (end === authority.length ? authority : authority.slice(0, end)).toLowerCase();
}
