/** What a visitor gets, and every step that led to it, by the routing table of this isolate. */
import { createRoute, z } from "@hono/zod-openapi";
import type { EvaluationView } from "../../core/api/views.ts";
import {
  bucketFrom,
  type Evaluation,
  type EvaluationContext,
  evaluateAll,
  evaluateFlag,
} from "../../core/flag/answer.ts";
import type { Knowing } from "../../edge/knowing.ts";
import { answer, ctxOf, refused } from "../answers.ts";
import { freshKnowing } from "../fresh.ts";
import { needsJson, newApi } from "../routing.ts";
import { flagParam } from "../schemas/common.ts";
import { evaluation } from "../schemas/measured.ts";
import { json, jsonBody, problems } from "../schemas/problem.ts";

export const evaluations = newApi();

/** Attributes, values of one and characters of each: more than any request brings. */
const MAX_ATTRIBUTES = 64;
const MAX_VALUES = 256;
const MAX_LENGTH = 1_024;

const scalar = z.union([z.string().max(MAX_LENGTH), z.number(), z.boolean()]);

const asked = z
  .strictObject({
    targetingKey: z.string().max(MAX_LENGTH).default("").openapi({
      description: "The id that is hashed. It is looked at and not kept.",
    }),
    attributes: z
      .record(z.string().min(1).max(64), z.union([scalar, z.array(scalar).max(MAX_VALUES)]))
      .default({})
      .refine((all) => Object.keys(all).length <= MAX_ATTRIBUTES, `at most ${MAX_ATTRIBUTES} attributes`)
      .openapi({ description: "Vouched for by you: they match cohorts and overrides." }),
    bucket: z.number().min(0).lt(1).optional().openapi({
      description: "In the place of the key's own, as a fraction: with 0.27 a share of 45 % is enabled.",
    }),
  })
  .openapi("Asked", { example: { bucket: 0.27, attributes: { tenant: "tenant-456" } } });

evaluations.openapi(
  createRoute({
    method: "post",
    path: "/flags/{name}/evaluate",
    operationId: "evaluateFlag",
    tags: ["evaluation"],
    summary: "What a visitor gets of a flag, and every step that led to it.",
    ...needsJson("viewer"),
    request: { params: flagParam, body: jsonBody(asked, false) },
    responses: {
      200: json(evaluation, "The answer, as traffic at this isolate gets it"),
      ...problems("unknown-flag", "unsupported-media-type"),
    },
  }),
  async (c) => {
    const { name } = c.req.valid("param");
    const knowing = await freshKnowing(c.env, ctxOf(c));
    const { table } = knowing;
    if (!table.flags.has(name)) return refused("unknown-flag", `No flag ${name} is served here.`);
    const found = evaluateFlag(table, name, contextOf(c.req.valid("json")), Date.now());
    return answer(c, viewOf(found, knowing));
  },
);

evaluations.openapi(
  createRoute({
    method: "post",
    path: "/evaluate",
    operationId: "evaluateAll",
    tags: ["evaluation"],
    summary: "What a visitor gets of all flags.",
    ...needsJson("viewer"),
    request: { body: jsonBody(asked, false) },
    responses: {
      200: json(z.object({ evaluations: z.array(evaluation) }).openapi("Evaluations"), "The answers"),
      ...problems("unsupported-media-type"),
    },
  }),
  async (c) => {
    const knowing = await freshKnowing(c.env, ctxOf(c));
    const found = evaluateAll(knowing.table, contextOf(c.req.valid("json")), Date.now());
    return answer(c, { evaluations: found.map((one) => viewOf(one, knowing)) });
  },
);

function contextOf({ targetingKey, attributes, bucket }: z.output<typeof asked>): EvaluationContext {
  const texts = Object.entries(attributes).map(
    ([name, value]) => [name, [value].flat().map(String)] as const,
  );
  return {
    targetingKey,
    attributes: Object.fromEntries(texts),
    bucket: bucket === undefined ? undefined : bucketFrom(String(bucket)),
  };
}

function viewOf(found: Evaluation, knowing: Knowing): EvaluationView {
  return { ...found, source: knowing.sourceOf(found.flag), revision: knowing.revision };
}
