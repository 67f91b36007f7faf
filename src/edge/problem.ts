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
  | "admin-api-shut"
  | "too-large"
  | "invalid-document"
  | "precondition-required"
  | "precondition-failed"
  | "not-halted"
  | "unknown-flag"
  | "rollout-refused"
  | "bad-request"
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
  "admin-api-shut": [403, "The admin API is shut until ADMIN_TOKENS is set"],
  "too-large": [413, "The body is too large"],
  "invalid-document": [422, "The flag document has faults"],
  "precondition-required": [428, "If-Match with the current revision is needed"],
  "precondition-failed": [412, "The spec has changed since"],
  "not-halted": [409, "Nothing is halted there"],
  "unknown-flag": [404, "The spec has no such flag"],
  "rollout-refused": [409, "The rollout cannot do that now"],
  "bad-request": [400, "The request is not of the expected form"],
  "controller-unavailable": [503, "The controller did not answer"],
};

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
