/** A fresh bearer token, and what becomes of it. */
import { randomBytes } from "node:crypto";
import { TOKEN_PREFIX } from "../core/auth/tokens.ts";

/** Bytes of chance in a token: nobody guesses 192 bits. */
const TOKEN_BYTES = 24;

/** A token as `greenlight token create` gives it: a prefix that scanners know, and 48 hex digits. */
export function newToken(): string {
  return TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString("hex");
}
