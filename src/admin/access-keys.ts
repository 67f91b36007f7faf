/** The public keys of a Cloudflare Access team, kept as data for an hour: a request never waits for another's fetch. */
import { importJWK, type JWK } from "jose";
import { log } from "../edge/log.ts";

/** Keys are asked for again after so long, milliseconds: Access rotates them every six weeks and shows new ones before. */
const FRESH_MS = 3_600_000;
/** Between two tries while keys are known: an unknown key id costs one request a minute, whoever makes it up. */
const RETRY_MS = 60_000;
/** Between two tries while none are known. */
const FIRST_RETRY_MS = 5_000;
/** Until the answer is there, milliseconds. */
const FETCH_MS = 3_000;
/** Between two looks whether the fetch of another request is over. */
const POLL_MS = 20;

/** Signatures that are accepted. No symmetric one: its secret would be the public key. */
export const ALGORITHMS = ["RS256", "ES256"];

export type FoundKey = { ok: true; key: CryptoKey } | { ok: false; reason: "unknown" | "unreachable" };

export class AccessKeys {
  readonly #url: string;
  #keys = new Map<string, CryptoKey>();
  #fetchedAt = 0;
  #triedAt = 0;
  /** A fetch is under way until then at most; 0: none is. */
  #loadingUntil = 0;

  /** `team` is the issuer of the tokens, without a slash at its end. */
  constructor(team: string) {
    this.#url = `${team}/cdn-cgi/access/certs`;
  }

  /** The key of this id. `clock` gives milliseconds since the epoch. */
  async find(kid: string, clock: () => number = Date.now): Promise<FoundKey> {
    const known = this.#keys.get(kid);
    const now = clock();
    if (known && (now - this.#fetchedAt < FRESH_MS || now < this.#loadingUntil))
      return { ok: true, key: known };
    if (now < this.#loadingUntil) await this.#loaded(clock);
    else if (now - this.#triedAt >= (this.#keys.size > 0 ? RETRY_MS : FIRST_RETRY_MS))
      await this.#load(clock);
    const key = this.#keys.get(kid);
    if (key) return { ok: true, key };
    return { ok: false, reason: this.#keys.size > 0 ? "unknown" : "unreachable" };
  }

  /** Waits for what another request fetches by looking: a promise belongs to the request that made it. */
  async #loaded(clock: () => number): Promise<void> {
    while (clock() < this.#loadingUntil) await scheduler.wait(POLL_MS);
  }

  async #load(clock: () => number): Promise<void> {
    this.#triedAt = clock();
    this.#loadingUntil = clock() + FETCH_MS;
    const keys = await fetchKeys(this.#url);
    this.#loadingUntil = 0;
    if (keys.size > 0) {
      this.#keys = keys;
      this.#fetchedAt = clock();
    } else log("warn", "access-keys-unreachable", { kept: this.#keys.size });
  }
}

/** Keys by id; none where they cannot be had. */
async function fetchKeys(url: string): Promise<Map<string, CryptoKey>> {
  const keys = new Map<string, CryptoKey>();
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(FETCH_MS) });
    const body = response.ok ? ((await response.json()) as { keys?: unknown } | null) : null;
    for (const jwk of Array.isArray(body?.keys) ? (body.keys as (JWK | null)[]) : []) {
      const key = jwk && (await keyOf(jwk));
      if (key && typeof jwk.kid === "string") keys.set(jwk.kid, key);
    }
  } catch {
    // Whatever it was, there are no keys; the caller says so.
  }
  return keys;
}

/** A public key for signatures that are accepted; undefined for any other. */
async function keyOf(jwk: JWK): Promise<CryptoKey | undefined> {
  const algorithm = jwk.alg ?? (jwk.kty === "RSA" ? "RS256" : "ES256");
  if (!ALGORITHMS.includes(algorithm) || (jwk.use !== undefined && jwk.use !== "sig")) return undefined;
  const key = await importJWK(jwk, algorithm).catch(() => undefined);
  return key instanceof CryptoKey && key.type === "public" ? key : undefined;
}
