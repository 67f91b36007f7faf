/** Maps what names an origin in a response back to the public host: `Location` and the `Domain` of cookies. */
import type { Target } from "./target.ts";

/** Splits an absolute or protocol-relative URL into scheme, authority and the rest. */
const ABSOLUTE = /^(?:(https?):)?\/\/([^/?#\\]*)(.*)$/is;

/** `Location` for the public, or undefined where it names none of the origins (authorities in lower case). */
export function publicLocation(
  location: string,
  origins: ReadonlySet<string>,
  target: Target,
): string | undefined {
  const parts = ABSOLUTE.exec(location.trim());
  if (!parts) return undefined;
  const [, scheme, authority = "", rest = ""] = parts;
  if (!origins.has(bareAuthority(authority.toLowerCase(), scheme?.toLowerCase()))) return undefined;
  return `${target.scheme}://${target.authority}${rest}`;
}

/** `Set-Cookie` for the public, or undefined where its domain is none of the origins' host names. */
export function publicCookie(
  cookie: string,
  originHosts: ReadonlySet<string>,
  target: Target,
): string | undefined {
  // Browsers take no Domain for addresses and single labels; without one the cookie is the host's own.
  const named = target.host.includes(".") && !/^[\d.]+$/.test(target.host);
  let changed = false;
  const parts = cookie.split(";").flatMap((part, i) => {
    const domain = i === 0 ? undefined : /^\s*domain\s*=\s*"?\.?([^"\s]*)"?\s*$/i.exec(part)?.[1];
    if (domain === undefined || !originHosts.has(domain.toLowerCase())) return [part];
    changed = true;
    return named ? [` Domain=${target.host}`] : [];
  });
  return changed ? parts.join(";") : undefined;
}

/** An authority without the port that its scheme has anyway. */
export function bareAuthority(authority: string, scheme: string | undefined): string {
  if (scheme !== "https" && authority.endsWith(":80")) return authority.slice(0, -3);
  if (scheme !== "http" && authority.endsWith(":443")) return authority.slice(0, -4);
  return authority;
}
