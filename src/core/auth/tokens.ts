/** Bearer tokens of the API as they are kept: by name, role and SHA-256, never in the clear. */

/**
 * What a caller may do, each more than the one before but `reporter`, which only pushes events, gauges and alerts:
 * `viewer` reads, `operator` moves traffic (rollouts, percentages, overrides, kill), `admin` edits flags.
 */
export type Role = "reporter" | "viewer" | "operator" | "admin";

/** One token. `ADMIN_TOKENS` holds any number of `NAME:ROLE:SHA256HEX` or `NAME:ROLE:SHA256HEX:EXPIRES`, by spaces or lines. */
export interface KnownToken {
  name: string;
  role: Role;
  /** SHA-256 of the token, 64 hex digits. */
  sha256: string;
  /** Milliseconds since the epoch; undefined: never. */
  expires: number | undefined;
}
