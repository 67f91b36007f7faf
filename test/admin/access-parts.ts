/** A Cloudflare Access team of our own: its keys, made here, served by the real receivers, and what it signs. */
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { inject } from "vitest";
import { type Behaviour, DOOR, type Received } from "../support/receivers.ts";

const RECEIVERS = inject("receivers");
export const AUDIENCE = "a1b2c3d4e5f6";

export interface SigningKey {
  kid: string;
  alg: string;
  privateKey: CryptoKey;
  jwk: object;
}

export async function signingKey(kid: string, alg = "RS256"): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** A team with a path of its own; it serves what `serve` was told last. */
export class Team {
  readonly url = `${RECEIVERS}/${crypto.randomUUID()}`;
  readonly #path = `${new URL(this.url).pathname}/cdn-cgi/access/certs`;

  /** Serves these keys. */
  async keys(...keys: SigningKey[]): Promise<void> {
    await this.serve({ status: 200, body: JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }) });
  }

  async serve(behaviour: Behaviour): Promise<void> {
    await fetch(this.#door("path"), { method: "PUT", body: JSON.stringify([behaviour]) });
  }

  /** How often it was asked for its keys. */
  async asked(): Promise<number> {
    return ((await (await fetch(this.#door("prefix"))).json()) as Received[]).length;
  }

  /** An assertion as Access makes it; `claims` and what is undefined in them come on top. */
  async assertion(key: SigningKey, claims: JWTPayload = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const usual = {
      aud: [AUDIENCE],
      email: "alice@example.com",
      exp: now + 60,
      iat: now,
      nbf: now,
      iss: this.url,
      type: "app",
      sub: "7335d417",
      country: "DE",
    };
    return await new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "JWT" })
      .sign(key.privateKey);
  }

  #door(by: "path" | "prefix"): string {
    return `${RECEIVERS}${DOOR}?${by}=${encodeURIComponent(this.#path)}`;
  }
}
