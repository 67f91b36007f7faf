/** Signs what goes to webhooks, so that a receiver knows it is ours and not an old one played again. */

export const TIMESTAMP_HEADER = "x-greenlight-timestamp";
export const SIGNATURE_HEADER = "x-greenlight-signature";

/** The two headers: HMAC-SHA256 over `TIMESTAMP.BODY`, the timestamp in seconds since the epoch. */
export async function signatureHeaders(
  body: string,
  secret: string,
  nowMs: number,
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const utf8 = new TextEncoder();
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), hmac, false, ["sign"]);
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(`${timestamp}.${body}`)));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { [TIMESTAMP_HEADER]: timestamp, [SIGNATURE_HEADER]: `sha256=${hex}` };
}
