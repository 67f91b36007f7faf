/** Who may use the admin API: one bearer token, compared in constant time; shut while none is set. */

/** A shorter token is treated as none: it could be guessed. */
export const MIN_TOKEN_LENGTH = 16;

export type AuthResult = { ok: true } | { ok: false; reason: "shut" | "unauthorized" };

/** Checks the `Authorization` header against the token. Takes the same time whatever the header holds. */
export async function authorize(header: string | null, token: string | undefined): Promise<AuthResult> {
  if (token === undefined || token.length < MIN_TOKEN_LENGTH) return { ok: false, reason: "shut" };
  const given = header?.match(/^Bearer +(\S+)$/i)?.[1] ?? "";
  return (await sameText(given, token)) ? { ok: true } : { ok: false, reason: "unauthorized" };
}

/** Compares digests, so that neither content nor length shows in the time taken. */
async function sameText(a: string, b: string): Promise<boolean> {
  const encoder = new TextEncoder();
  const [x, y] = await Promise.all([a, b].map((s) => crypto.subtle.digest("SHA-256", encoder.encode(s))));
  return crypto.subtle.timingSafeEqual(x!, y!);
}
