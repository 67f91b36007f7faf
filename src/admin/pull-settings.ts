/** What the variables say about the scheduled pull, checked. */
import { secretOf } from "../control/outbox/ask.ts";
import { hashText } from "../core/hashing/text.ts";
import { FORMATS, type Format } from "../core/import/imported.ts";
import { parseQuery } from "../core/notify/number-at.ts";
import "../edge/env.ts";

/** Default of PULL_INTERVAL_SECONDS, its least (the clock ticks once a minute) and its most. */
const INTERVAL_SECONDS = 60;
const MAX_INTERVAL_SECONDS = 86_400;

/** How a source is pulled. */
export interface PullSettings {
  url: string;
  format: Format | "auto";
  /** Query of the part that is taken. */
  path: string;
  /** Headers beside our own: what lets us in. With any of them redirects are not followed. */
  headers: Record<string, string>;
  allowEmpty: boolean;
  /** Of what decides how an answer is understood: with another one an answer as before has to be read again. */
  id: string;
}

/** Between two pulls, milliseconds. What is out of range counts as not set. */
export function pullIntervalMs(env: Env): number {
  const seconds = Number(env.PULL_INTERVAL_SECONDS);
  const sane = seconds >= INTERVAL_SECONDS && seconds <= MAX_INTERVAL_SECONDS;
  return (sane ? seconds : INTERVAL_SECONDS) * 1000;
}

/** Host and path of the source, without its query: that may hold a key. Undefined where nothing is pulled. */
export function pullPlace(env: Env): string | undefined {
  if (!env.PULL_URL) return undefined;
  if (!URL.canParse(env.PULL_URL)) return "PULL_URL";
  const { host, pathname } = new URL(env.PULL_URL);
  return host + pathname;
}

/** The settings, or what is wrong with them. No sentence tells a value that may be a secret. */
export function pullSettings(env: Env): PullSettings | { fault: string } {
  const { PULL_URL: url = "", PULL_PATH: path = "$", PULL_FORMAT: format = "auto" } = env;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) return { fault: "PULL_URL is not an http(s) URL" };
  const { username, password } = new URL(url);
  if (username !== "" || password !== "")
    return { fault: "PULL_URL holds a user or password: put them into the secret PULL_AUTHORIZATION" };
  if (!isFormat(format)) return { fault: `PULL_FORMAT is none of auto, ${FORMATS.join(", ")}` };
  if (parseQuery(path) === undefined)
    return { fault: "PULL_PATH is no query that names one value, such as $.data.flags" };
  const headers = headersOf(env);
  if ("fault" in headers) return headers;
  const id = hashText(JSON.stringify([url, format, path]));
  return { url, format, path, headers: headers.headers, allowEmpty: env.PULL_ALLOW_EMPTY === "true", id };
}

function isFormat(word: string): word is Format | "auto" {
  return word === "auto" || (FORMATS as readonly string[]).includes(word);
}

function headersOf(env: Env): { headers: Record<string, string> } | { fault: string } {
  const fault = { fault: "PULL_HEADERS is not a JSON object of texts" };
  let given: unknown = {};
  try {
    // A variable may be JSON itself in wrangler.toml.
    given = typeof env.PULL_HEADERS === "string" ? JSON.parse(env.PULL_HEADERS || "{}") : env.PULL_HEADERS;
  } catch {
    return fault;
  }
  if (typeof (given ?? {}) !== "object" || Array.isArray(given)) return fault;
  const headers = new Headers();
  for (const [name, value] of Object.entries(given ?? {})) {
    if (typeof value !== "string") return fault;
    const text = value.startsWith("secret:") ? secretOf(env, value) : value;
    if (text === undefined) return { fault: `${value} of PULL_HEADERS is not set` };
    if (!setHeader(headers, name, text)) return { fault: "PULL_HEADERS has something that is no header" };
  }
  const authorization = env.PULL_AUTHORIZATION;
  if (authorization && !setHeader(headers, "authorization", authorization))
    return { fault: "PULL_AUTHORIZATION is not the text of a header" };
  return { headers: Object.fromEntries(headers) };
}

/** False for what no header can be; the runtime would say so with the value in its words. */
function setHeader(headers: Headers, name: string, value: string): boolean {
  try {
    headers.set(name, value);
    return true;
  } catch {
    return false;
  }
}
