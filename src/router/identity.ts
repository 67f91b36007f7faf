/** Who a request comes from: the targeting key by a flag's `stickBy`, in order, the first that is there. */
import type { Attributes } from "../core/flag/members.ts";
import type { Route } from "../core/flag/schema.ts";
import type { CompiledFlag, ContextSource, Source } from "../core/flag/table.ts";
import { anchorFor, anchorOf, cookieIn, visitorIn } from "./visitor.ts";

/** An identity, as the decision takes it. */
export interface Identity {
  /** What is hashed. */
  key: string;
  /** `address` stays out of comparisons. */
  placement: "hash" | "address";
  /** May the key match members of cohorts? */
  trusted: boolean;
  /** Attributes that the flag's cohorts ask for. */
  attributes: Attributes | undefined;
  /** What tells visitors apart in counts; finer than the key where the key is an anchor. */
  visitor: string;
  /** The visitor has no cookie yet and may be given one with this anchor. */
  anchor: string | undefined;
}

/** Who vouches for ids in headers and tokens. */
type Trusted = Route["trusted"];

/** Longest targeting key or attribute; more of it is not looked at. The longest member of a cohort. */
const MAX_KEY = 256;
/** Longest token that is decoded, characters. */
const MAX_TOKEN = 8192;

/**
 * The identity of a request for a flag. Headers, cookies and tokens that a client sends can be forged: they match
 * members of cohorts only where the route says who vouches for them, and headers and tokens stay out of comparisons
 * without that.
 */
export function identify(flag: CompiledFlag, headers: Headers): Identity {
  const identity = whoIs(flag, headers);
  if (flag.context.length > 0)
    identity.attributes = attributesIn(headers, flag.context, flag.spec.route?.trusted);
  return identity;
}

function whoIs(flag: CompiledFlag, headers: Headers): Identity {
  const trusted = flag.spec.route?.trusted;
  const vouched = trusted !== undefined;
  for (const source of flag.sources) {
    if (source.kind === "visitor") return visitorOf(headers, true);
    const found = keyFrom(source, headers, trusted);
    if (found === undefined || found === "") continue;
    const key = short(found);
    const forged = !vouched && (source.kind === "header" || source.kind === "jwt");
    return {
      key,
      placement: forged ? "address" : "hash",
      trusted: source.kind === "ip" || (vouched && source.kind !== "cookie"),
      attributes: undefined,
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
      return {
        key: anchorOf(visitor),
        placement: "hash",
        trusted: false,
        attributes: undefined,
        visitor,
        anchor: undefined,
      };
    }
  }
  const key = anchorFor(headers.get("cf-connecting-ip"), headers.get("user-agent"));
  return {
    key,
    placement: "address",
    trusted: false,
    attributes: undefined,
    visitor: key,
    anchor: wanted ? key : undefined,
  };
}

/** Attributes by their sources, which the table has sifted: nobody vouches for others. A claim may be a list. */
function attributesIn(headers: Headers, context: readonly ContextSource[], trusted: Trusted): Attributes {
  const attributes = new Map<string, readonly string[]>();
  let claims: Claims | undefined;
  for (const { name, source } of context) {
    let values: string[];
    if (source.kind === "jwt") {
      claims ??= claimsOf(tokenOf(headers, trusted)) ?? {};
      values = claimIn(claims, source.name);
    } else values = [keyFrom(source, headers, trusted) ?? ""];
    attributes.set(name, values.filter((value) => value !== "").map(short));
  }
  return attributes;
}

function short(text: string): string {
  return text.length > MAX_KEY ? text.slice(0, MAX_KEY) : text;
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

type Claims = Record<string, unknown>;

/** The claim of a token that names one person: a text or a number. */
function claimOf(token: string, claim: string): string | undefined {
  const value = ownOf(claimsOf(token), claim);
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
}

/** The values of a claim, one or a list. */
function claimIn(claims: Claims, claim: string): string[] {
  const value = ownOf(claims, claim);
  return (Array.isArray(value) ? value : [value]).flatMap((v: unknown) =>
    typeof v === "string" || typeof v === "number" || typeof v === "boolean" ? [String(v)] : [],
  );
}

function ownOf(claims: Claims | undefined, claim: string): unknown {
  return claims !== undefined && Object.hasOwn(claims, claim) ? claims[claim] : undefined;
}

/** The claims of a token, read without verifying it. */
function claimsOf(token: string): Claims | undefined {
  if (token.length > MAX_TOKEN) return undefined;
  const payload = token.split(".")[1];
  if (!payload) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
      c.charCodeAt(0),
    );
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? (claims as Claims) : undefined;
  } catch {
    return undefined;
  }
}
