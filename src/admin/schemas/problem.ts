/** Problems as the OpenAPI document shows them: for each route those that it may answer. */
import { z } from "@hono/zod-openapi";
import { type ProblemType, statusOfProblem } from "../../edge/problem.ts";
import { faultSchema } from "./common.ts";

const problemSchema = z
  .object({
    type: z.string().openapi({ example: "urn:greenlight:problem:unknown-flag" }),
    title: z.string(),
    status: z.number(),
    detail: z.string().optional().openapi({ description: "What to do." }),
    faults: z.array(faultSchema).optional(),
    revision: z.number().optional(),
    refusal: z.string().optional().openapi({ description: "Of rollout-refused: why, in one word." }),
  })
  .openapi("Problem");

/** What every route may answer. */
const EVERYWHERE: readonly ProblemType[] = [
  "bad-request",
  "unauthorized",
  "forbidden",
  "cross-origin",
  "admin-api-shut",
  "too-large",
  "too-many-attempts",
  "access-unavailable",
  "controller-unavailable",
];

/** What every write may answer besides. */
export const ON_WRITES: readonly ProblemType[] = [
  "unsupported-media-type",
  "precondition-failed",
  "key-reused",
];

interface ProblemResponse {
  description: string;
  content: { "application/problem+json": { schema: typeof problemSchema } };
}

/** The responses of a route that stand for problems: those named, and what all routes may answer. */
export function problems(...types: ProblemType[]): Record<400 | 401 | 403, ProblemResponse> {
  const all = [...new Set([...EVERYWHERE, ...types])];
  const byStatus = Object.groupBy(all, statusOfProblem);
  const responses = Object.entries(byStatus).map(([status, of = []]) => [
    Number(status),
    {
      description: of.map((type) => `\`${type}\``).join(", "),
      content: { "application/problem+json": { schema: problemSchema } },
    },
  ]);
  return Object.fromEntries(responses) as Record<400 | 401 | 403, ProblemResponse>;
}

/** A JSON answer of this form. */
export function json<S extends z.ZodType>(schema: S, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** 304 of a read. */
export const NOT_MODIFIED = { 304: { description: "As the caller has it already." } };

/** The JSON body of a write. */
export function jsonBody<S extends z.ZodType>(schema: S, required = true) {
  return { required, content: { "application/json": { schema } } };
}
