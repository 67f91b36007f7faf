/** How routes of the admin API answer: JSON with its etag, problems, pages of lists. */
import type { Context, TypedResponse } from "hono";
import type { JSONParsed } from "hono/utils/types";
import { type ProblemType, problem } from "../edge/problem.ts";
import type { AdminEnv } from "./routing.ts";

/** The context of a route. */
export type AdminContext = Context<AdminEnv>;

/** What the platform gives with a request. */
export function ctxOf(c: AdminContext): ExecutionContext {
  return c.executionCtx as ExecutionContext;
}

/** An answer that is of no route's own form: a problem, a text, a stream. */
export type AsIs = Response & TypedResponse<never, never, "json">;

/** A problem, as the answer of a route. */
export function refused(
  type: ProblemType,
  detail: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): AsIs {
  return asIs(problem(type, detail, more, headers));
}

/** A response that the route's schema does not describe. */
export function asIs(response: Response): AsIs {
  return response as AsIs;
}

/** A JSON answer of exactly this form. */
export function answer<T, S extends 200 | 201 = 200>(
  c: AdminContext,
  body: T,
  { status, etag, headers = {} }: { status?: S; etag?: string; headers?: Record<string, string> } = {},
): Response & TypedResponse<JSONParsed<T>, S, "json"> {
  if (etag !== undefined) c.header("etag", etag);
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  c.header("content-type", "application/json");
  return c.body(JSON.stringify(body), status ?? 200) as unknown as Response &
    TypedResponse<JSONParsed<T>, S, "json">;
}

/**
 * The same with an etag of all that is in it, or 304 where the caller has just that already. `of`: the etag of what can
 * be written, which the answer's own begins with, so that it is good for If-Match; what is served moves without it.
 */
export async function unlessKnown<T>(c: AdminContext, of: string, body: T) {
  const etag = `${of.slice(0, -1)}${SERVED}${(await sha256(JSON.stringify(body))).slice(0, ETAG_DIGITS)}"`;
  return isKnown(c, etag) ? notModified(etag) : answer(c, body, { etag });
}

/** Between the etag of what is written and that of what is served. */
const SERVED = "~";
/** Hex digits of an etag: enough for two versions never to be mistaken. */
const ETAG_DIGITS = 16;

/** What an etag says of what is written. */
export function ofWritten(etag: string): string {
  const at = etag.indexOf(SERVED);
  return at < 0 ? etag : `${etag.slice(0, at)}"`;
}

/** Has the caller this version already, as `If-None-Match` says? */
export function isKnown(c: AdminContext, etag: string): boolean {
  const known = c.req.header("if-none-match");
  return (
    known !== undefined && (known.trim() === "*" || known.split(",").some((one) => strong(one) === etag))
  );
}

/** 304: the caller's copy is as it is. */
export function notModified(etag: string): AsIs {
  return asIs(new Response(null, { status: 304, headers: { etag } }));
}

/** An etag without the `W/` that a proxy which compresses answers puts before it: ours are of the content. */
export function strong(etag: string): string {
  return etag.trim().replace(/^W\//, "");
}

/** SHA-256 in hex. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A page of a list: what `before` has to be for the next one, null at the end, and the same as `Link` header. */
export function nextPage(
  c: AdminContext,
  { found, limit, last }: { found: number; limit: number; last: number | undefined },
): number | null {
  if (found < limit || last === undefined) return null;
  const url = new URL(c.req.url);
  url.searchParams.set("before", String(last));
  url.searchParams.set("limit", String(limit));
  c.header("link", `<${url.pathname}${url.search}>; rel="next"`);
  return last;
}
