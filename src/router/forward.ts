/** Sends a request to an origin and waits for its headers. Bodies stream through in both directions. */

import type { Route } from "../core/flag/schema.ts";
import { type Answer, type Attempt, discard } from "./attempt.ts";
import { isUnreachableStatus, outcomeOfError } from "./failure.ts";
import type { Keeper } from "./keeper.ts";
import type { Origin } from "./lane.ts";
import type { Target } from "./target.ts";

/** An attempt that has less time than this cannot rely on the keeper's looks, milliseconds. */
const SHORT_MS = 1000;

/** A request on its way through, with all that is needed to send it. */
export interface Passage {
  readonly request: Request;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly target: Target;
  readonly headers: Headers;
  /**
   * Does something under `waitUntil` keep this context alive when the visitor leaves? Then the origin's request does
   * not end by itself.
   */
  held: boolean;
}

/** At the end of an attempt's time: undefined to give up, or so many milliseconds to wait on. */
export type Expire = () => number | undefined;

/** Can the keeper look after an attempt that begins now, or must it do so itself from the start? */
export function isLookedAfter(passage: Passage, timeoutMs: number, keeper: Keeper, now: number): boolean {
  return !passage.held && timeoutMs >= SHORT_MS && keeper.watches(now);
}

/** Sends a request and waits for its headers, looking after it from the start. */
export function ask(
  passage: Passage,
  attempt: Attempt,
  origin: Origin,
  timeoutMs: number,
  expire?: Expire,
): Promise<Answer> {
  const controller = new AbortController();
  send(passage, attempt, origin, controller.signal);
  return lookAfter(passage, attempt, timeoutMs, controller, expire);
}

/**
 * Waits for an attempt with a timer and an eye on the visitor. Without a controller the request to the origin ends
 * with this request's context, which is as soon as there is an answer to the visitor, or none is wanted any more.
 */
export async function lookAfter(
  passage: Passage,
  attempt: Attempt,
  timeoutMs: number,
  controller: AbortController | undefined,
  expire: Expire | undefined,
): Promise<Answer> {
  attempt.awake = true;
  passage.held = true;
  const { signal } = passage.request;
  const onLeave = () => attempt.settle("censored");
  if (signal.aborted) onLeave();
  else signal.addEventListener("abort", onLeave);
  let end = attempt.startedAt + timeoutMs;
  for (;;) {
    attempt.endsAt = end;
    attempt.goOn();
    passage.ctx.waitUntil(attempt.promise);
    const timer = setTimeout(() => attempt.interrupt("time-is-up"), Math.max(0, end - Date.now()));
    const answer = await attempt.promise;
    clearTimeout(timer);
    if (answer === "look-after-yourself") continue;
    if (answer === "time-is-up") {
      if (attempt.isUploading || attempt.uploadedAt + timeoutMs > end) {
        end = Math.max(attempt.uploadedAt, attempt.isUploading ? Date.now() : 0) + timeoutMs;
        continue;
      }
      const more = expire?.();
      if (more === undefined) attempt.settle("timeout");
      else end += more;
      continue;
    }
    signal.removeEventListener("abort", onLeave);
    if (typeof answer === "string") controller?.abort();
    return answer;
  }
}

/** Sends it; the attempt is settled by what comes of it. Never throws. */
export function send(passage: Passage, attempt: Attempt, origin: Origin, signal?: AbortSignal): void {
  const { request, target, env, headers } = passage;
  const { method } = request;
  // GET is the default, and what is not named the runtime need not read.
  const init: RequestInit =
    method === "GET" ? { headers, redirect: "manual" } : { method, headers, redirect: "manual" };
  if (method !== "GET" && method !== "HEAD" && request.body)
    init.body = upload(request, request.body, attempt);
  if (signal) init.signal = signal;
  let response: Promise<Response>;
  try {
    response =
      origin.kind === "url"
        ? fetch(origin.base + target.tail, init)
        : serviceOf(env, origin.binding).fetch(request.url, init);
  } catch {
    attempt.settle("connect");
    return;
  }
  response.then(
    (answer) => attempt.settle(answer),
    (error) => attempt.settle(outcomeOfError(error)),
  );
}

/**
 * The body on its way to the origin, such that its end is noticed: an origin has its time from then on, and is not
 * charged for a visitor who sends slowly. The runtime pumps it; nothing is buffered.
 */
function upload(request: Request, body: ReadableStream, attempt: Attempt): ReadableStream {
  const length = request.headers.get("content-length");
  const { readable, writable } =
    length === null ? new IdentityTransformStream() : new FixedLengthStream(BigInt(length));
  attempt.isUploading = true;
  const onEnd = () => {
    attempt.isUploading = false;
    attempt.uploadedAt = Date.now();
  };
  body.pipeTo(writable).then(onEnd, onEnd);
  return readable;
}

/** May the request be sent to the same origin again? A body that has been sent once is used up. */
export function isReplayable(request: Request): boolean {
  const { method } = request;
  return method === "GET" || method === "HEAD" || (method === "OPTIONS" && request.body === null);
}

/** As `ask`, with the route's tries on the same origin. Timeouts and a visitor's leaving are not tried again. */
export async function askAgain(
  passage: Passage,
  attempt: Attempt,
  origin: Origin,
  timeoutMs: number,
  retry: NonNullable<Route["retry"]>,
  expire?: Expire,
): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await ask(passage, attempt, origin, timeoutMs, expire);
    const failed = typeof answer === "string" ? answer === "connect" : isUnreachableStatus(answer.status);
    if (!failed || tries >= retry.attempts) return answer;
    const delayMs = (retry.baseDelay * 2 ** (tries - 1) + retry.jitter * Math.random()) * 1000;
    if (Date.now() + delayMs >= attempt.startedAt + timeoutMs) return answer;
    if (typeof answer !== "string") discard(answer);
    await scheduler.wait(delayMs);
    attempt.restart();
  }
}

function serviceOf(env: Env, binding: string): Fetcher {
  const service = (env as unknown as Record<string, unknown>)[binding];
  if (typeof service !== "object" || service === null || !("fetch" in service)) {
    throw new Error("no such service binding");
  }
  return service as Fetcher;
}
