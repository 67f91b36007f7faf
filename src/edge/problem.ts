/** The one place that turns an expected failure into an HTTP answer: problem+json (RFC 9457). */

/** Stable names of problems; each is documented under docs/problems.md. */
export type ProblemType =
  | "bad-gateway"
  | "gateway-timeout"
  | "no-flag-document"
  | "no-route"
  | "not-found"
  | "unauthorized"
  | "forbidden"
  | "cross-origin"
  | "too-many-attempts"
  | "access-unavailable"
  | "admin-api-shut"
  | "too-large"
  | "invalid-document"
  | "precondition-required"
  | "precondition-failed"
  | "not-halted"
  | "unknown-flag"
  | "rollout-refused"
  | "bad-request"
  | "method-not-allowed"
  | "unsupported-media-type"
  | "flag-exists"
  | "flag-killed"
  | "key-reused"
  | "no-document"
  | "nothing-earlier"
  | "unknown-revision"
  | "no-pull"
  | "too-many-streams"
  | "controller-unavailable";

const TITLES: Record<ProblemType, [status: number, title: string]> = {
  "bad-gateway": [502, "The origin could not be reached"],
  "gateway-timeout": [504, "The origin did not answer in time"],
  "no-flag-document": [503, "No flag document is known yet"],
  "no-route": [404, "No route matches this host and path"],
  "not-found": [404, "Nothing is here"],
  unauthorized: [401, "A valid bearer token is needed"],
  forbidden: [403, "Your role may not do that"],
  "cross-origin": [403, "A page of another origin may not write"],
  "too-many-attempts": [429, "Too many failed attempts"],
  "access-unavailable": [503, "The keys of Cloudflare Access cannot be had"],
  "admin-api-shut": [403, "The admin API is shut until ADMIN_TOKENS is set"],
  "too-large": [413, "The body is too large"],
  "invalid-document": [422, "The flag document has faults"],
  "precondition-required": [428, "If-Match with the current revision is needed"],
  "precondition-failed": [412, "The spec has changed since"],
  "not-halted": [409, "Nothing is halted there"],
  "unknown-flag": [404, "The spec has no such flag"],
  "rollout-refused": [409, "The rollout cannot do that now"],
  "bad-request": [400, "The request is not of the expected form"],
  "method-not-allowed": [405, "There is something here, but not for this method"],
  "unsupported-media-type": [415, "The body is of a kind that is not read here"],
  "flag-exists": [409, "There is a flag of this name already"],
  "flag-killed": [409, "The flag is killed in the document"],
  "key-reused": [422, "The idempotency key was used for another write"],
  "no-document": [404, "No flag document is kept"],
  "nothing-earlier": [409, "There is nothing earlier to go back to"],
  "unknown-revision": [404, "No document of that revision is kept"],
  "no-pull": [409, "No scheduled pull is set up"],
  "too-many-streams": [503, "Too many streams are open"],
  "controller-unavailable": [503, "The controller did not answer"],
};

/** All types, in the order of the table. */
export const PROBLEM_TYPES = Object.keys(TITLES) as ProblemType[];

/** HTTP status of a problem. */
export function statusOfProblem(type: ProblemType): number {
  return TITLES[type][0];
}

/** A problem+json answer. `detail` is for a person; `more` are further members (`faults`, `revision`). */
export function problem(
  type: ProblemType,
  detail?: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Response {
  const [status, title] = TITLES[type];
  return new Response(
    JSON.stringify({ type: `urn:greenlight:problem:${type}`, title, status, detail, ...more }),
    {
      status,
      headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
    },
  );
}
