/** Who asks the admin API, and what they may do: a bearer token, or an identity that Cloudflare Access vouches for. */
import { hashToken, isStrong, type KnownToken, parseTokens, type Role } from "../core/auth/tokens.ts";
import { problem } from "../edge/problem.ts";

/** Who asks. */
export interface Principal {
  /** The token's name, or the e-mail (of a service: the client id) of the Access identity. */
  name: string;
  role: Role;
  by: "token" | "access";
}

/** Why nobody is let in; `detail` is for a person and holds nothing of what was given. */
export interface AuthFailure {
  ok: false;
  reason: "shut" | "unauthorized" | "expired" | "throttled" | "cross-origin" | "forbidden";
  detail: string;
  /** Seconds until it is worth trying again; of `throttled`. */
  retryAfter?: number;
}
export type AuthResult = { ok: true; principal: Principal } | AuthFailure;

/** Finds out who asks. A failed attempt is answered late. */
export async function authenticate(request: Request, env: Env, _ctx: ExecutionContext): Promise<AuthResult> {
  const { tokens } = parseTokens(env.ADMIN_TOKENS ?? "");
  if (tokens.length === 0)
    return { ok: false, reason: "shut", detail: "Set the secret ADMIN_TOKENS: `greenlight token create`." };
  const given = request.headers.get("authorization")?.match(/^Bearer +(\S+)$/i)?.[1] ?? "";
  const known = sameToken(given, tokens);
  if (!known) return { ok: false, reason: "unauthorized", detail: "Send `authorization: Bearer TOKEN`." };
  return { ok: true, principal: { name: known.name, role: known.role, by: "token" } };
}

function sameToken(given: string, tokens: KnownToken[]): KnownToken | undefined {
  const hash = hashToken(given);
  const same = tokens.filter((token) => token.sha256 === hash);
  return isStrong(given) ? same[0] : undefined;
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

/** `who` of the audit log: the name, and in brackets on whose behalf they say that it is. */
export function whoOf({ name }: Principal, by?: string): string {
  return by === undefined || by === "" ? name : `${name} (${by})`;
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
    case "throttled":
      return problem("too-many-attempts", detail, {}, { "retry-after": String(retryAfter ?? 1) });
    case "unauthorized":
    case "expired":
      return problem("unauthorized", detail, {}, { "www-authenticate": 'Bearer realm="greenlight"' });
  }
}
