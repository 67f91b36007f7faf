/** One request to the world with an end: a time limit, no redirects, and at most 64 kB of the answer read. */

/** Read of an answer's body at most, bytes. */
export const BODY_BYTES = 65_536;

/** Host that a service binding is asked under: its Worker sees a URL, but no network is behind it. */
const SERVICE_HOST = "https://service.internal";

/** What came of a request. `text` only where it was asked for. */
export type Reply =
  | { ok: true; status: number; retryAfter: string | null; text: string; isWhole: boolean }
  | { ok: false; sentence: string };

export interface Question {
  /** Whole URL; for a service binding its path. */
  url: string;
  /** Asked through this binding of the Worker instead of the network. */
  service?: Fetcher | undefined;
  method?: string | undefined;
  headers?: Record<string, string> | undefined;
  body?: string | undefined;
  /** Until the headers and what is read of the body are there, milliseconds. */
  timeoutMs: number;
  /** Is the body wanted? */
  read: boolean;
}

/**
 * Asks, and never throws. A sentence says what went wrong without the words of the runtime, for these can hold the URL,
 * and a URL can be a secret.
 */
export async function ask(question: Question): Promise<Reply> {
  const { url, service, method = "GET", headers = {}, body, timeoutMs, read } = question;
  const abort = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    abort.abort();
  }, timeoutMs);
  try {
    const init: RequestInit = { method, headers, redirect: "manual", signal: abort.signal };
    if (body !== undefined) init.body = body;
    const response = await (service ? service.fetch(SERVICE_HOST + url, init) : fetch(url, init));
    const { status } = response;
    const retryAfter = response.headers.get("retry-after");
    const { text, isWhole } = await bodyOf(response, read);
    return { ok: true, status, retryAfter, text, isWhole };
  } catch {
    return { ok: false, sentence: isLate ? `no answer within ${timeoutMs / 1000} s` : "no connection" };
  } finally {
    clearTimeout(timer);
  }
}

async function bodyOf(response: Response, read: boolean): Promise<{ text: string; isWhole: boolean }> {
  if (!response.body) return { text: "", isWhole: true };
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  let isWhole = false;
  // One byte more than is kept shows that there is more.
  while (read && bytes <= BODY_BYTES) {
    const { done, value } = await reader.read();
    if (done) {
      isWhole = true;
      break;
    }
    const left = BODY_BYTES - bytes;
    text += decoder.decode(value.subarray(0, left), { stream: true });
    bytes += value.byteLength;
  }
  // What is left must not keep the connection; whether it can still be told does not matter.
  if (!isWhole) reader.cancel().catch(() => undefined);
  return { text, isWhole };
}

/** Never told to anybody, whatever a flag document asks for: they are about who opens the admin API. */
const OWN_SECRETS: readonly string[] = ["secret:ADMIN_TOKENS", "secret:ADMIN_TOKEN"];

/** Value of a secret named `secret:NAME`, or undefined if the Worker has none. */
export function secretOf(env: Env, name: string): string | undefined {
  if (OWN_SECRETS.includes(name)) return undefined;
  const value = (env as unknown as Record<string, unknown>)[name.slice("secret:".length)];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** URL or service of a path of an origin as in a route; undefined where the Worker has no such binding. */
export function placeOf(
  env: Env,
  origin: string,
  path: string,
): Pick<Question, "url" | "service"> | undefined {
  if (!origin.startsWith("service:")) return { url: origin.replace(/\/$/, "") + path };
  const service = (env as unknown as Record<string, unknown>)[origin.slice("service:".length)];
  return isFetcher(service) ? { url: path, service } : undefined;
}

function isFetcher(value: unknown): value is Fetcher {
  return typeof value === "object" && value !== null && "fetch" in value && typeof value.fetch === "function";
}
