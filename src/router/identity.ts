/** Who a request comes from: the targeting key by a flag's `stickBy`, in order, the first that is there. */
import type { Route } from "../core/flag/schema.ts";
import type { CompiledFlag, Source } from "../core/flag/table.ts";
import { anchorFor, anchorOf, cookieIn, visitorIn } from "./visitor.ts";

/** An identity, as the decision takes it. */
export interface Identity {
  /** What is hashed. */
  key: string;
  /** `address` stays out of comparisons. */
  placement: "hash" | "address";
  /** May the key match members of cohorts? */
  trusted: boolean;
  /** What tells visitors apart in counts; finer than the key where the key is an anchor. */
  visitor: string;
  /** The visitor has no cookie yet and may be given one with this anchor. */
  anchor: string | undefined;
}

/** Who vouches for ids in headers and tokens. */
type Trusted = Route["trusted"];

/** Longest targeting key; more of it is not looked at. The longest member of a cohort. */
const MAX_KEY = 256;
/** Longest token that is decoded, characters. */
const MAX_TOKEN = 8192;

/**
 * The identity of a request for a flag. Headers, cookies and tokens that a client sends can be forged: they match
 * members of cohorts only where the route says who vouches for them, and headers and tokens stay out of comparisons
 * without that.
 */
export function identify(flag: CompiledFlag, headers: Headers): Identity {
  const trusted = flag.spec.route?.trusted;
  const vouched = trusted !== undefined;
  for (const source of flag.sources) {
    if (source.kind === "visitor") return visitorOf(headers, true);
    const found = keyFrom(source, headers, trusted);
    if (found === undefined || found === "") continue;
    const key = found.length > MAX_KEY ? found.slice(0, MAX_KEY) : found;
    const forged = !vouched && (source.kind === "header" || source.kind === "jwt");
    return {
      key,
      placement: forged ? "address" : "hash",
      trusted: source.kind === "ip" || (vouched && source.kind !== "cookie"),
      visitor: key,
      anchor: undefined,
    };
  }
  return visitorOf(headers, false);
}

/** By the cookie, else by client address and user agent. `wanted`: the flag places by the cookie. */
function visitorOf(headers: Headers, wanted: boolean): Identity {
  if (wanted) {
    const cookies = headers.get("cookie");
    const visitor = cookies === null ? undefined : visitorIn(cookies);
    if (visitor !== undefined) {
      return { key: anchorOf(visitor), placement: "hash", trusted: false, visitor, anchor: undefined };
    }
  }
  const anchor = anchorFor(headers.get("cf-connecting-ip"), headers.get("user-agent"));
  return {
    key: anchor,
    placement: "address",
    trusted: false,
    visitor: anchor,
    anchor: wanted ? anchor : undefined,
  };
}

function keyFrom(
  source: Exclude<Source, { kind: "visitor" }>,
  headers: Headers,
  trusted: Trusted,
): string | undefined {
  switch (source.kind) {
    case "ip":
      return headers.get("cf-connecting-ip") ?? undefined;
    case "header":
      return headers.get(source.name)?.trim();
    case "cookie": {
      const cookies = headers.get("cookie");
      return cookies === null ? undefined : cookieIn(cookies, source.name, (value) => value !== "");
    }
    case "jwt":
      return claimOf(tokenOf(headers, trusted), source.name);
  }
}

/** The token that holds the id: where Access vouches, its own assertion alone, which it puts over any that came. */
function tokenOf(headers: Headers, trusted: Trusted): string {
  const assertion = headers.get("cf-access-jwt-assertion") ?? "";
  if (trusted === "access") return assertion;
  return /^Bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? assertion;
}

/** A claim of a token, read without verifying it. */
function claimOf(token: string, claim: string): string | undefined {
  if (token.length > MAX_TOKEN) return undefined;
  const payload = token.split(".")[1];
  if (!payload) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
      c.charCodeAt(0),
    );
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof claims !== "object" || claims === null || !Object.hasOwn(claims, claim)) return undefined;
    const value = (claims as Record<string, unknown>)[claim];
    return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
  } catch {
    return undefined;
  }
}
