/** Asks the admin API: one host, no redirects, tried again where the network fails, and every write happens once. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "../../core/rollout/snapshot.ts";
import { EXIT, type Exit } from "./exit.ts";
import { type Failure, stop } from "./failure.ts";
import type { Profile } from "./profile.ts";

/** Tries in all, where nothing came back. */
const TRIES = 3;
/** Milliseconds before the second try; four times as long before the next. */
const BACKOFF_MS = 200;
const BACKOFF_FACTOR = 4;

/** What is asked. */
export interface Ask {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Record<string, string | number | undefined>;
  /** Sent as JSON; a string as it is. */
  body?: unknown;
  /** Etag in quotes, or `*`. */
  ifMatch?: string | undefined;
  headers?: Record<string, string>;
  /** The answer's text as it is, though it is JSON: a document is edited to the last space. */
  asText?: boolean;
  /** The most that one try may take, milliseconds; less where `--timeout` says so. */
  timeoutMs?: number;
}

/** A good answer. */
export interface Told<T> {
  ok: true;
  value: T;
  status: number;
  etag: string | null;
}
export type Answer<T> = Told<T> | { ok: false; failure: Failure };

/** A problem+json of the API. */
interface Problem {
  type?: string;
  title?: string;
  detail?: string;
  faults?: Fault[];
}

/** The API of one router. */
export class Api {
  readonly profile: Profile;
  readonly #timeoutMs: number;
  readonly #until: AbortSignal;

  /** `timeoutMs`: of one try. `until` ends everything, as Ctrl-C does. */
  constructor(profile: Profile, timeoutMs: number, until: AbortSignal) {
    this.profile = profile;
    this.#timeoutMs = timeoutMs;
    this.#until = until;
  }

  /** Asks below `/_greenlight/api` (`/flags`); the command ends where there is no good answer. */
  async ask<T>(path: string, ask: Ask = {}): Promise<T> {
    return (await this.tell<T>(path, ask)).value;
  }

  /** The same with the answer's etag. */
  async tell<T>(path: string, ask: Ask = {}): Promise<Told<T>> {
    const answer = await this.try<T>(path, ask);
    return answer.ok ? answer : stop(answer.failure);
  }

  /** The same where a failure is one of the answers. */
  async try<T>(path: string, ask: Ask = {}): Promise<Answer<T>> {
    const got = await this.fetch(`/_greenlight/api${path}`, ask);
    if (!("response" in got)) return { ok: false, failure: got };
    const { response } = got;
    const text = await response.text().catch(() => undefined);
    if (text === undefined) return { ok: false, failure: this.#lost("the answer broke off") };
    if (!response.ok) return { ok: false, failure: refusal(response, text, this.profile) };
    if (ask.asText)
      return { ok: true, value: text as T, status: response.status, etag: response.headers.get("etag") };
    const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "");
    const value = isJson ? (parsed(text) as T | undefined) : undefined;
    if (value === undefined) return { ok: false, failure: stranger(response.status, this.profile) };
    return { ok: true, value, status: response.status, etag: response.headers.get("etag") };
  }

  /** The answer itself, whatever its status, for streams and for paths outside of the API; or what failed. */
  async fetch(path: string, ask: Ask = {}, signal?: AbortSignal): Promise<{ response: Response } | Failure> {
    const { profile } = this;
    const url = new URL(path, profile.url);
    for (const [name, value] of Object.entries(ask.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const method = ask.method ?? "GET";
    const headers: Record<string, string> = { "x-greenlight-client": "cli", ...ask.headers };
    if (profile.token !== undefined) headers.authorization = `Bearer ${profile.token}`;
    if (ask.ifMatch !== undefined) headers["if-match"] = ask.ifMatch;
    if (method !== "GET") headers["idempotency-key"] = randomUUID();
    if (ask.body !== undefined) headers["content-type"] ??= "application/json";
    const body = typeof ask.body === "string" || ask.body === undefined ? ask.body : JSON.stringify(ask.body);
    let wait = BACKOFF_MS;
    for (let tries = 1; ; tries++) {
      try {
        const once = signal ?? AbortSignal.timeout(Math.min(this.#timeoutMs, ask.timeoutMs ?? Infinity));
        const response = await fetch(url, {
          method,
          headers,
          ...(body !== undefined && { body }),
          // The token is for this host alone.
          redirect: "manual",
          signal: AbortSignal.any([once, this.#until]),
        });
        return { response };
      } catch (error) {
        if (this.#until.aborted) return { exit: EXIT.interrupted, sentence: "Interrupted." };
        // What hangs hangs the next time too, and somebody waits.
        const isOver = tries === TRIES || (error as Error).name === "TimeoutError";
        if (isOver || signal?.aborted) return this.#lost(reason(error));
      }
      await sleep(wait);
      wait *= BACKOFF_FACTOR;
    }
  }

  #lost(why: string): Failure {
    return {
      exit: EXIT.unreachable,
      sentence: `${this.profile.url} cannot be reached: ${why}.`,
      where: `profile ${this.profile.name ?? "of the call"} (${this.profile.source})`,
      hint:
        this.profile.name === "local"
          ? "Is npm start still running? Without a router: --kv."
          : "Traffic does not need it. greenlight doctor looks further; kill and edits work with --kv.",
    };
  }
}

/** Why a fetch failed, without its address. */
function reason(error: unknown): string {
  const { name, cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === "TimeoutError") return "no answer in time";
  return cause?.code ?? cause?.message ?? message;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function exitOf(status: number): Exit {
  if (status === 401 || status === 403) return EXIT.forbidden;
  if (status === 400 || status === 428) return EXIT.usage;
  return status >= 500 || status < 400 ? EXIT.unreachable : EXIT.refused;
}

function refusal(response: Response, text: string, profile: Profile): Failure {
  const { status } = response;
  const body = (parsed(text) ?? {}) as Problem;
  const exit = exitOf(status);
  if (status >= 300 && status < 400)
    return {
      exit,
      status,
      sentence: `${profile.url} answered with a redirect, which is not followed.`,
      hint: HOST,
    };
  const known = typeof body.type === "string" && body.type.startsWith("urn:greenlight:");
  if (!known) return stranger(status, profile);
  const hint =
    status === 401
      ? profile.token === undefined
        ? "No token was given: greenlight login, GREENLIGHT_TOKEN or --token-file."
        : `The token of ${profile.source} is not known there: greenlight login.`
      : body.type === "urn:greenlight:problem:unknown-flag"
        ? "greenlight list has the names."
        : undefined;
  const sentence = body.detail ?? `${body.title ?? status}.`;
  return {
    exit,
    status,
    type: body.type,
    sentence,
    faults: body.faults,
    ...(hint !== undefined && { hint }),
  };
}

/** What answered is no Greenlight, or not its API. */
function stranger(status: number, { url }: Profile): Failure {
  const exit = status < 400 ? EXIT.unreachable : exitOf(status);
  return { exit, status, sentence: `${url} answered ${status}, and not as Greenlight does.`, hint: HOST };
}

const HOST = "Does the URL name a host that is in ADMIN_HOSTS?";
