/** Tokens of the Worker under test, one of each role. */
import { hashToken, ROLES, type Role, tokenLine } from "../../src/core/auth/tokens.ts";

/** By role; the names in the audit log are `test-ROLE`. */
export const TOKENS: Record<Role, string> = {
  admin: "test-token-0123456789abcdef",
  operator: "operator-token-0123456789abcdef",
  viewer: "viewer-token-0123456789abcdef",
  reporter: "reporter-token-0123456789abcdef",
};

/** An admin's that is over. */
export const EXPIRED = "expired-token-0123456789abcdef";

/** The variable that holds them. */
export const ADMIN_TOKENS = [
  ...ROLES.map((role) => ({ name: `test-${role}`, role, token: TOKENS[role], expires: undefined })),
  { name: "test-expired", role: "admin" as const, token: EXPIRED, expires: Date.UTC(2020, 0, 1) },
]
  .map(({ token, ...rest }) => tokenLine({ ...rest, sha256: hashToken(token) }))
  .join(" ");
