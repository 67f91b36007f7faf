/** Who asks the admin API, and what they may do: a bearer token, or an identity that Cloudflare Access vouches for. */
import { hashToken, isStrong, type KnownToken, type Role } from "../core/auth/tokens.ts";
import { problem } from "../edge/problem.ts";
import { type AccessConfig, assertionOf, identify } from "./access.ts";
import { authSettings } from "./auth-settings.ts";
import { networkOf, Throttle } from "./throttle.ts";

/** Who asks. */
export interface Principal {
  /** The token's name, or the e-mail (of a service: the client id) of the Access identity. */
  name: string;
  role: Role;
  by: "token" | "access";
  /** When the token ends, milliseconds since the epoch; absent: never. */
  expires?: number;
}

/** Why nobody is let in; `detail` is for a person and holds nothing of what was given. */
export interface AuthFailure {
  ok: false;
  reason:
    | "shut"
    | "unauthorized"
    | "expired"
    | "throttled"
    | "cross-origin"
    | "forbidden"
    /** The keys of Access cannot be had. */
    | "unavailable";
  detail: string;
  /** Seconds until it is worth trying again; of `throttled`. */
  retryAfter?: number;
  /** Of one who is known and yet not let in; for the log. */
  name?: string;
}
export type AuthResult = { ok: true; principal: Principal } | AuthFailure;

/** Longer than any token: what is given is hashed, and that should cost the same for all. */
const MAX_TOKEN_LENGTH = 512;
/** Of a path, characters in the log. */
const MAX_PATH = 200;

const NOTHING_GIVEN = "Send `authorization: Bearer TOKEN`, or come by Cloudflare Access.";
const WRONG = "That token or identity is not known here. `greenlight token create` makes a token.";
const EXPIRED = "It has expired. Make a new token (`greenlight token create`), or log in to Access again.";

/** Failed attempts that this isolate has seen; tests put a fresh one in its place. */
export const guard = { attempts: new Throttle() };

/**
 * Finds out who asks. A wrong token or identity is answered late, then with `throttled`; a right one always gets in at
 * once, also from an address that others guess from. To have given nothing is no attempt.
 */
export async function authenticate(request: Request, env: Env, _ctx: ExecutionContext): Promise<AuthResult> {
  const { tokens, access, faults } = authSettings(env);
  if (tokens.length === 0 && !access) return shut(faults);
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const assertion = access && bearer === undefined ? assertionOf(request) : undefined;
  if (bearer === undefined && assertion === undefined)
    return { ok: false, reason: "unauthorized", detail: NOTHING_GIVEN };
  const result =
    access && assertion !== undefined
      ? await byAccess(request, assertion, access)
      : byToken(bearer ?? "", tokens, Date.now());
  return result.ok || result.reason === "unavailable" ? result : await slowed(request, result);
}

function shut(faults: readonly string[]): AuthFailure {
  const detail = [
    "Set the secret ADMIN_TOKENS; `greenlight token create` makes a token and its line",
    ...faults,
  ];
  return { ok: false, reason: "shut", detail: `${detail.join(". ")}.` };
}

/** Compares with every token, so that the time taken does not tell which one is near. */
function byToken(given: string, tokens: readonly KnownToken[], now: number): AuthResult {
  const encoder = new TextEncoder();
  const hash = encoder.encode(hashToken(given.slice(0, MAX_TOKEN_LENGTH)));
  const same = tokens.filter(({ sha256 }) => crypto.subtle.timingSafeEqual(hash, encoder.encode(sha256)));
  const isToken = isStrong(given) && given.length <= MAX_TOKEN_LENGTH;
  const found = same.find(({ expires = Number.POSITIVE_INFINITY }) => now < expires) ?? same[0];
  if (!isToken || !found) return { ok: false, reason: "unauthorized", detail: WRONG };
  const { name, role, expires } = found;
  if (expires !== undefined && now >= expires) return { ok: false, reason: "expired", detail: EXPIRED, name };
  return { ok: true, principal: { name, role, by: "token", ...(expires !== undefined && { expires }) } };
}

async function byAccess(request: Request, assertion: string, access: AccessConfig): Promise<AuthResult> {
  const result = await identify(assertion, access);
  if (!result.ok) {
    switch (result.reason) {
      case "unauthorized":
        return { ok: false, reason: "unauthorized", detail: WRONG };
      case "expired":
        return { ok: false, reason: "expired", detail: EXPIRED, name: result.name };
      case "forbidden": {
        const detail = "Cloudflare Access has let you in, but ACCESS_ROLES gives you no role here.";
        return { ok: false, reason: "forbidden", detail, name: result.name };
      }
      case "unreachable":
        return { ok: false, reason: "unavailable", detail: "Try again, or send a bearer token." };
    }
  }
  const { name, role } = result;
  if (!isOwnOrigin(request)) {
    const detail = "A browser sends what Access vouches for from any page: write from a page of this host.";
    return { ok: false, reason: "cross-origin", detail, name };
  }
  return { ok: true, principal: { name, role, by: "access" } };
}

/** A read, or a write that no page of another origin has made. */
function isOwnOrigin({ method, headers, url }: Request): boolean {
  const origin = headers.get("origin");
  return method === "GET" || method === "HEAD" || origin === null || origin === new URL(url).origin;
}

/** Logs a failed attempt, and holds back the answer to what may have been a guess. */
async function slowed(request: Request, failure: AuthFailure): Promise<AuthFailure> {
  const address = networkOf(request.headers.get("cf-connecting-ip"));
  const { waitMs, retryAfter, count, refused, isTold } = guard.attempts.failed(address, Date.now());
  if (isTold) {
    const path = new URL(request.url).pathname.slice(0, MAX_PATH);
    const { reason, name } = failure;
    const line = { level: "warn", event: "auth-failed", address, path, reason, name, count, refused };
    console.warn(JSON.stringify(line));
  }
  // Who is known has guessed nothing, and should read what is wrong.
  if (failure.reason !== "unauthorized") return failure;
  if (retryAfter !== null)
    return { ok: false, reason: "throttled", detail: `Try again in ${retryAfter} s.`, retryAfter };
  await scheduler.wait(waitMs);
  return failure;
}

/** Rank of the roles that include each other; a reporter is beside them. */
const RANK: Record<Exclude<Role, "reporter">, number> = { viewer: 0, operator: 1, admin: 2 };

/** May they do what needs this role? Operators and admins may report, a reporter may do nothing else. */
export function mayDo({ role }: Principal, needed: Role): boolean {
  if (role === "reporter" || needed === "reporter") return role === needed || mayReport(role);
  return RANK[role] >= RANK[needed];
}

function mayReport(role: Role): boolean {
  return role === "operator" || role === "admin";
}

/**
 * `who` of the audit log: the name, and in brackets on whose behalf they say that it is. On one line and without control
 * characters: it is read in terminals and messages.
 */
export function whoOf({ name }: Principal, by = ""): string {
  const said = by.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return said === "" ? name : `${name} (${said})`;
}

/** The answer to those who are not let in. */
export function refusal(failure: AuthFailure): Response {
  const { detail, retryAfter } = failure;
  switch (failure.reason) {
    case "shut":
      return problem("admin-api-shut", detail);
    case "cross-origin":
      return problem("cross-origin", detail);
    case "forbidden":
      return problem("forbidden", detail);
    case "unavailable":
      return problem("access-unavailable", detail);
    case "throttled":
      return problem("too-many-attempts", detail, {}, { "retry-after": String(retryAfter ?? 1) });
    case "unauthorized":
    case "expired":
      return problem("unauthorized", detail, {}, { "www-authenticate": 'Bearer realm="greenlight"' });
  }
}
