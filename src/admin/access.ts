/** Identities that Cloudflare Access vouches for: its signed assertion checked, and the role that they have here. */
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import { type AccessIdentity, accessRole, type Grant, parseAccessRoles } from "../core/auth/access-roles.ts";
import type { Role } from "../core/auth/tokens.ts";
import { AccessKeys, ALGORITHMS } from "./access-keys.ts";

/** Seconds that clocks may differ. */
const SKEW_SECONDS = 30;
/** Longer than any assertion of Access, which has to fit into a cookie. */
const MAX_LENGTH = 8_192;
/** Longest name that goes into the audit log: that of an e-mail address. */
const MAX_NAME = 254;
const CERTS_HOST = "cloudflareaccess.com";

/** How Access is set up. */
export interface AccessConfig {
  /** `https://TEAM.cloudflareaccess.com`: issuer of the assertions. */
  team: string;
  audiences: string[];
  grants: Grant[];
  keys: AccessKeys;
}

export type AccessResult =
  | { ok: true; name: string; role: Role }
  | { ok: false; reason: "unauthorized" | "unreachable" }
  | { ok: false; reason: "expired" | "forbidden"; name: string };

/** Reads the variables; undefined without any of them, or with a fault that makes them useless. */
export function readAccess(env: Env): { config: AccessConfig | undefined; faults: string[] } {
  const { ACCESS_TEAM = "", ACCESS_AUD = "", ACCESS_ROLES = "" } = env;
  if (!ACCESS_TEAM.trim() && !ACCESS_AUD.trim()) return { config: undefined, faults: [] };
  const team = teamOf(ACCESS_TEAM.trim());
  const audiences = ACCESS_AUD.split(/[\s,]+/).filter(Boolean);
  const { grants, faults } = parseAccessRoles(ACCESS_ROLES);
  if (team === undefined)
    faults.unshift("ACCESS_TEAM: TEAM or https://TEAM.cloudflareaccess.com was expected");
  if (audiences.length === 0) faults.unshift("ACCESS_AUD: the application's audience tag was expected");
  if (grants.length === 0) faults.push("ACCESS_ROLES: nobody has a role; *@example.com:viewer gives one");
  const usable = team !== undefined && audiences.length > 0;
  return { config: usable ? { team, audiences, grants, keys: new AccessKeys(team) } : undefined, faults };
}

/** The assertion of a request: its header, which Access sets, and for reads the cookie that it is made from. */
export function assertionOf({ method, headers }: Request): string | undefined {
  const header = headers.get("cf-access-jwt-assertion");
  if (header) return header;
  if (method !== "GET" && method !== "HEAD") return undefined;
  return /(?:^|;\s*)CF_Authorization=([^;\s]+)/.exec(headers.get("cookie") ?? "")?.[1];
}

/** Who the assertion says that it is, where it is genuine, for us, and not over. */
export async function identify(assertion: string, config: AccessConfig): Promise<AccessResult> {
  const { team, audiences, grants, keys } = config;
  const kid = keyIdOf(assertion);
  if (kid === undefined) return { ok: false, reason: "unauthorized" };
  const found = await keys.find(kid);
  if (!found.ok) return { ok: false, reason: found.reason === "unknown" ? "unauthorized" : "unreachable" };
  const checks = {
    issuer: team,
    audience: audiences,
    algorithms: ALGORITHMS,
    clockTolerance: SKEW_SECONDS,
    requiredClaims: ["exp"],
  };
  try {
    const { payload } = await jwtVerify(assertion, found.key, checks);
    const identity = identityOf(payload);
    const name = nameOf(identity);
    if (name === undefined) return { ok: false, reason: "unauthorized" };
    const role = accessRole(identity, grants);
    return role === undefined ? { ok: false, reason: "forbidden", name } : { ok: true, name, role };
  } catch (error) {
    // Signature, issuer and audience were right: that is someone whom we know.
    const name = error instanceof errors.JWTExpired ? nameOf(identityOf(error.payload)) : undefined;
    return name === undefined
      ? { ok: false, reason: "unauthorized" }
      : { ok: false, reason: "expired", name };
  }
}

/** `TEAM` or the whole address; http on this machine only. */
function teamOf(text: string): string | undefined {
  if (/^[a-z0-9-]+$/i.test(text)) return `https://${text.toLowerCase()}.${CERTS_HOST}`;
  const written = /^[a-z0-9-]+\.cloudflareaccess\.com$/i.test(text) ? `https://${text.toLowerCase()}` : text;
  if (!/^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1)[:/])/.test(written) || !URL.canParse(written))
    return undefined;
  return written.replace(/\/+$/, "");
}

/** Id of the key that it says it is signed with; undefined for what no key of ours can have signed. */
function keyIdOf(assertion: string): string | undefined {
  if (assertion.length > MAX_LENGTH) return undefined;
  try {
    const { alg, kid } = decodeProtectedHeader(assertion);
    return alg !== undefined && ALGORITHMS.includes(alg) && typeof kid === "string" ? kid : undefined;
  } catch {
    return undefined;
  }
}

function identityOf(payload: JWTPayload): AccessIdentity {
  const custom = payload.custom as { groups?: unknown } | null | undefined;
  return {
    email: textOf(payload.email),
    commonName: textOf(payload.common_name),
    groups: [payload.groups, custom?.groups].flat().filter((group) => typeof group === "string"),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= MAX_NAME ? value : undefined;
}

function nameOf({ email, commonName }: AccessIdentity): string | undefined {
  return email ?? commonName;
}
