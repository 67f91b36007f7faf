/** What a failure of an origin is: one classification of errors and statuses, one way to tell the visitor. */
import type { Outcome } from "../core/analysis/tally.ts";
import { problem } from "../edge/problem.ts";

/** A failure to get headers from an origin, as an outcome. */
export type NoAnswer = "connect" | "timeout" | "censored";

/** Reason given to `abort` when the origin did not answer in time. */
export const TIMED_OUT = "greenlight: no headers in time";
/** Reason given to `abort` when the visitor went away. */
export const LEFT = "greenlight: the visitor went away";

/** Nginx's status for a client that went away; nobody is there to read it. */
const CLIENT_CLOSED_REQUEST = 499;

/** First and last status by which Cloudflare reports that an origin cannot be reached. */
const FIRST_CONNECT_STATUS = 520;
const LAST_CONNECT_STATUS = 530;

/**
 * Outcome of an error thrown by `fetch`. Our own aborts carry a known reason; all else (`Network connection lost.`,
 * `internal error` for DNS and TLS) is a connection that did not come about.
 */
export function outcomeOfError(error: unknown): NoAnswer {
  if (error === TIMED_OUT) return "timeout";
  if (error === LEFT) return "censored";
  const name = error instanceof Error ? error.name : "";
  return name === "TimeoutError" ? "timeout" : "connect";
}

/** Outcome of a response. `errorStatuses` are those below 500 that the flag lists as errors. */
export function outcomeOfStatus(status: number, errorStatuses: readonly number[]): Outcome {
  if (status < 400) return "success";
  if (status < 500) return errorStatuses.length > 0 && errorStatuses.includes(status) ? "error" : "success";
  return isConnectStatus(status) ? "connect" : "error";
}

/** 520 to 530: Cloudflare could not reach the origin. */
export function isConnectStatus(status: number): boolean {
  return status >= FIRST_CONNECT_STATUS && status <= LAST_CONNECT_STATUS;
}

/** Statuses that say that nobody able to answer was reached: 502, 503, 504, 52x, 530. */
export function isUnreachableStatus(status: number): boolean {
  return (status >= 502 && status <= 504) || isConnectStatus(status);
}

/** The answer to a visitor whose origin gave none. It says nothing about the origin. */
export function answerFor(outcome: NoAnswer): Response {
  switch (outcome) {
    case "connect":
      return problem("bad-gateway");
    case "timeout":
      return problem("gateway-timeout");
    case "censored":
      return new Response(null, { status: CLIENT_CLOSED_REQUEST });
  }
}
