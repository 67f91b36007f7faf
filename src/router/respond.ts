/** Makes an origin's response fit for the public. Most go out as they came; copying one costs more than deciding. */
import { dropForbidden, holdsForbidden } from "./headers.ts";
import { publicCookie, publicLocation } from "./rewrite.ts";
import type { Target } from "./target.ts";
import { sharedCaching } from "./visitor.ts";

const CREATED = 201;
const NOT_MODIFIED = 304;
const SWITCHING_PROTOCOLS = 101;
const LAST_STATUS = 599;

/** Names of the origins that must not show; empty where nothing is mapped. */
export interface Hidden {
  authorities: ReadonlySet<string>;
  hosts: ReadonlySet<string>;
}

/**
 * The response for the public. `cookie` makes the visitor cookie for those that may be given one; it is not called for
 * a response that shared caches may store.
 */
export function respond(
  response: Response,
  target: Target,
  hidden: Hidden,
  cookie: (() => string) | undefined,
): Response {
  const { status, headers } = response;
  // A response of no known status cannot be copied; it goes out as it came.
  if (status === SWITCHING_PROTOCOLS || status > LAST_STATUS) return response;
  const location = locationOf(status, headers, target, hidden);
  const cookies =
    hidden.hosts.size > 0 && headers.has("set-cookie") ? cookiesOf(headers, target, hidden) : undefined;
  const caching = cookie && status !== NOT_MODIFIED ? sharedCaching(headers, Date.now()) : "shared";
  const forbidden = holdsForbidden(headers);
  if (location === undefined && cookies === undefined && caching === "shared" && !forbidden) return response;

  const copy = new Response(response.body, response);
  if (forbidden) dropForbidden(copy.headers);
  if (location !== undefined) copy.headers.set("location", location);
  if (cookies) {
    copy.headers.delete("set-cookie");
    for (const value of cookies) copy.headers.append("set-cookie", value);
  }
  if (cookie && caching !== "shared") {
    copy.headers.append("set-cookie", cookie());
    if (caching === "open") copy.headers.append("cache-control", "private");
  }
  return copy;
}

function locationOf(status: number, headers: Headers, target: Target, hidden: Hidden): string | undefined {
  if (hidden.authorities.size === 0 || (status !== CREATED && (status < 300 || status >= 400)))
    return undefined;
  const location = headers.get("location");
  return location === null ? undefined : publicLocation(location, hidden.authorities, target);
}

/** All cookies, if at least one of them had to be changed. */
function cookiesOf(headers: Headers, target: Target, hidden: Hidden): string[] | undefined {
  let changed = false;
  const cookies = headers.getSetCookie().map((cookie) => {
    const mapped = publicCookie(cookie, hidden.hosts, target);
    if (mapped !== undefined) changed = true;
    return mapped ?? cookie;
  });
  return changed ? cookies : undefined;
}
