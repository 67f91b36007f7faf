/** Asks the source of a pull: with an end, a largest size, and no secret in any word about what went wrong. */
import type { PullSettings } from "./pull-settings.ts";

/** Until the whole answer is there, milliseconds. */
const TIMEOUT_MS = 10_000;

/** Largest answer, bytes: that of a flag document. */
const MAX_BYTES = 1_048_576;

const OK = 200;
const NOT_MODIFIED = 304;

/** What a source answered. */
export type Answered =
  | { kind: "text"; text: string; etag: string | null }
  /** As before, by its ETag. */
  | { kind: "same" }
  | { kind: "fault"; fault: string };

/** Asks the source; `etag` of its last good answer, or null. Never throws. */
export async function askSource(
  settings: PullSettings,
  etag: string | null,
  timeoutMs = TIMEOUT_MS,
): Promise<Answered> {
  const headers = {
    accept: "application/json",
    "user-agent": "greenlight",
    ...settings.headers,
    ...(etag !== null && { "if-none-match": etag }),
  };
  // Elsewhere nobody has a right to what lets us in here.
  const redirect = Object.keys(settings.headers).length > 0 ? "manual" : "follow";
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(settings.url, { headers, redirect, signal });
    const { status } = response;
    if (status === NOT_MODIFIED && etag !== null) return { kind: "same" };
    if (status !== OK) {
      await response.body?.cancel();
      return fault(`it answered ${status}${isRedirect(status) ? ": redirects are not followed" : ""}`);
    }
    const bytes = await bytesOf(response);
    if (bytes === undefined) return fault(`its answer has more than ${MAX_BYTES} bytes (1 MB)`);
    const text = decoded(bytes);
    if (text === undefined) return fault("its answer is not UTF-8");
    return { kind: "text", text, etag: response.headers.get("etag") };
  } catch {
    // The words of the runtime can hold the URL, and a URL can be a secret.
    return fault(signal.aborted ? `no whole answer within ${timeoutMs / 1000} s` : "no connection");
  }
}

function fault(sentence: string): Answered {
  return { kind: "fault", fault: sentence };
}

function isRedirect(status: number): boolean {
  return status > 300 && status < 400 && status !== NOT_MODIFIED;
}

/** The body; undefined where it is too large. */
async function bytesOf(response: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    // Leaving the loop gives the rest of the body up.
    if (length > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return undefined;
  }
}
