/** Who orders a write, why, under which condition, and what comes of it as an answer. */
import type { IfMatch, Once, Ordered, WriteRefusal, WriteResult } from "../control/controller-api.ts";
import type { ProblemType } from "../edge/problem.ts";
import { type AdminContext, type AsIs, answer, ofWritten, refused, sha256, strong } from "./answers.ts";
import { whoOf } from "./auth.ts";
import { controllerStub } from "./controller.ts";
import { MAX_BY, MAX_REASON } from "./schemas/common.ts";
import type { FlagWritten, Written } from "./schemas/written.ts";

/** What a caller says about a write: in the body, or where that is something else in the query. */
export interface Said {
  reason?: string | undefined;
  by?: string | undefined;
}

/** The order as the controller takes it. */
export async function orderOf(c: AdminContext, { reason, by }: Said): Promise<Ordered> {
  const once = await onceOf(c);
  return {
    who: whoOf(c.get("principal"), by ?? c.req.query("by")?.slice(0, MAX_BY)),
    how: c.req.header("x-greenlight-client") === "cli" ? "cli" : "api",
    reason: (reason ?? c.req.query("reason") ?? "").slice(0, MAX_REASON),
    ...(once && { once }),
  };
}

/** Headers that decide what a write does. */
const FINGERPRINTED = ["if-match", "if-none-match", "x-tenant-id"];

/** The caller's `Idempotency-Key` as no other caller can have it; undefined without one. */
export async function ownKey(c: AdminContext): Promise<string | undefined> {
  const key = c.req.header("idempotency-key");
  const { by, name } = c.get("principal");
  return key === undefined ? undefined : await sha256(JSON.stringify([by, name, key]));
}

async function onceOf(c: AdminContext): Promise<Once | undefined> {
  const key = await ownKey(c);
  if (key === undefined) return undefined;
  const { pathname, search } = new URL(c.req.url);
  // Whatever of a request says what is to be done, headers included: else another write would count as done.
  const headers = FINGERPRINTED.map((header) => c.req.header(header) ?? "");
  const asked = [c.req.method, `${pathname}${search}`, ...headers, c.get("body") ?? ""];
  return {
    key,
    fingerprint: await sha256(JSON.stringify(asked)),
  };
}

/** `If-Match` as the controller takes it. */
export function ifMatchOf(c: AdminContext): IfMatch {
  const header = c.req.header("if-match");
  return header === undefined ? undefined : ofWritten(strong(header));
}

/** Refuses a write that says nothing of what it is a change of. */
export function withoutIfMatch(c: AdminContext): AsIs | undefined {
  if (c.req.header("if-match") !== undefined) return undefined;
  return refused(
    "precondition-required",
    "Send If-Match with the ETag of what you have read, so that nobody's change is lost; * for whatever it is.",
  );
}

/** The answer to a write. */
export function writeAnswer(c: AdminContext, result: WriteResult) {
  return result.ok ? answer(c, writtenOf(result), { etag: result.etag }) : writeRefused(c, result);
}

/** The answer to a write of one flag, with the flag as it is then. */
export async function flagAnswer<S extends 200 | 201 = 200>(
  c: AdminContext,
  name: string,
  result: WriteResult,
  status?: S,
) {
  if (!result.ok) return writeRefused(c, result);
  const flag = (await controllerStub(c.env).spec(name)) ?? null;
  const body: FlagWritten = { ...writtenOf(result), flag };
  return answer(c, body, { ...(status !== undefined && { status }), etag: result.etag });
}

export function writtenOf({ revision, changed, replayed, sentence }: Written): Written {
  return { revision, changed, replayed, sentence };
}

const PROBLEMS: Record<WriteRefusal["reason"], ProblemType> = {
  conflict: "precondition-failed",
  invalid: "invalid-document",
  "unknown-flag": "unknown-flag",
  exists: "flag-exists",
  "no-document": "no-document",
  "nothing-earlier": "nothing-earlier",
  "unknown-revision": "unknown-revision",
  "key-reused": "key-reused",
};

/** Why a write was not done. */
export function writeRefused(
  c: AdminContext,
  { reason, sentence, revision, etag, faults }: WriteRefusal,
): AsIs {
  // "Only if there is none" is a condition; without it a second flag of a name is a conflict.
  const unmet = reason === "exists" && c.req.header("if-none-match") !== undefined;
  const type = unmet ? "precondition-failed" : PROBLEMS[reason];
  return refused(
    type,
    sentence,
    { revision, ...(faults.length > 0 && { faults }) },
    etag === "" ? {} : { etag },
  );
}
