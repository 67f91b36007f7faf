/** The document as a text: read, checked, put, and its earlier revisions. */
import { createRoute, z } from "@hono/zod-openapi";
import type { RevisionView } from "../../core/api/views.ts";
import { diffDocuments } from "../../core/flag/difference.ts";
import { parseDocument } from "../../core/flag/parse.ts";
import { type AdminContext, answer, asIs, isKnown, nextPage, notModified, refused } from "../answers.ts";
import { controllerStub } from "../controller.ts";
import { ifMatchOf, orderOf, withoutIfMatch, writeAnswer } from "../orders.ts";
import { needs, needsText, newApi } from "../routing.ts";
import {
  at,
  faultSchema,
  next,
  pageQuery,
  readHeaders,
  saidQuery,
  viewed,
  writeHeaders,
} from "../schemas/common.ts";
import { json, NOT_MODIFIED, ON_WRITES, problems } from "../schemas/problem.ts";
import { written } from "../schemas/written.ts";

export const documents = newApi();

/** Revisions of one page. */
const MAX_REVISIONS = 100;

/** Component whose content is the document's JSON Schema (`openapi.ts` puts it in). */
const documentText = z.record(z.string(), z.unknown()).openapi("FlagDocument", { type: "object" });

/** Read as it comes, byte for byte: nothing is checked before the controller does. */
const documentBody = {
  required: true,
  content: { "application/json": { schema: { $ref: "#/components/schemas/FlagDocument" } } },
};

const validation = z
  .object({
    valid: z.boolean(),
    faults: z.array(faultSchema),
    added: z.array(z.string()),
    changed: z.array(z.string()),
    removed: z.array(z.string()),
  })
  .openapi("Validation");

const revision = viewed<RevisionView>()(
  z.object({
    revision: z.number(),
    at,
    who: z.string(),
    how: z.enum(["api", "cli", "kv", "controller"]),
    reason: z.string(),
    hash: z.string(),
    bytes: z.number(),
  }),
).openapi("Revision");

documents.openapi(
  createRoute({
    method: "get",
    path: "/document",
    operationId: "getDocument",
    tags: ["document"],
    summary: "The flag document, to the last space as it was written.",
    ...needs("viewer"),
    request: { headers: readHeaders },
    responses: {
      200: json(documentText, "The text; its ETag is for If-Match"),
      ...NOT_MODIFIED,
      ...problems("no-document"),
    },
  }),
  async (c) => {
    const document = await controllerStub(c.env).document();
    if (!document) return noDocument();
    const { etag, text } = document;
    return isKnown(c, etag) ? notModified(etag) : textAnswer(c, text, etag);
  },
);

documents.openapi(
  createRoute({
    method: "put",
    path: "/document",
    operationId: "putDocument",
    tags: ["document"],
    summary: "Writes the whole document: all of it, or nothing where it has a fault.",
    ...needsText("admin"),
    request: { query: saidQuery, headers: writeHeaders, body: documentBody },
    responses: {
      200: json(written, "Written"),
      ...problems(...ON_WRITES, "precondition-required", "invalid-document"),
    },
  }),
  async (c) => {
    const missing = withoutIfMatch(c);
    if (missing) return missing;
    const order = await orderOf(c, c.req.valid("query"));
    const put = { ...order, text: c.get("body"), ifMatch: ifMatchOf(c) };
    return writeAnswer(c, await controllerStub(c.env).putDocument(put));
  },
);

documents.openapi(
  createRoute({
    method: "post",
    path: "/validate",
    operationId: "validateDocument",
    tags: ["document"],
    summary: "Finds all faults of a document, and which flags it would change. Stores nothing.",
    ...needsText("viewer"),
    request: { body: documentBody },
    responses: { 200: json(validation, "What was found"), ...problems("unsupported-media-type") },
  }),
  async (c) => {
    const parsed = parseDocument(c.get("body"));
    const { faults } = parsed;
    const present = await controllerStub(c.env).document();
    const { added, changed, removed } = diffDocuments(parseDocument(present?.text ?? '{"flags":{}}'), parsed);
    const names = changed.map(({ flag }) => flag);
    return answer(c, { valid: faults.length === 0, faults, added, changed: names, removed });
  },
);

documents.openapi(
  createRoute({
    method: "get",
    path: "/revisions",
    operationId: "listRevisions",
    tags: ["document"],
    summary: "Documents of earlier that are kept, the newest first.",
    ...needs("viewer"),
    request: { query: pageQuery(50, MAX_REVISIONS) },
    responses: {
      200: json(z.object({ revisions: z.array(revision), next }).openapi("Revisions"), "A page of them"),
      ...problems(),
    },
  }),
  async (c) => {
    const { limit, before } = c.req.valid("query");
    const page = { limit, ...(before !== undefined && { before }) };
    const revisions = await controllerStub(c.env).revisions(page);
    const last = revisions.at(-1)?.revision;
    return answer(c, { revisions, next: nextPage(c, { found: revisions.length, limit, last }) });
  },
);

const revisionParam = z.object({
  revision: z
    .string()
    .regex(/^\d{1,15}$/, "the number of a revision")
    .transform(Number)
    .openapi({ type: "string", pattern: "^[0-9]{1,15}$", example: "12" }),
});

documents.openapi(
  createRoute({
    method: "get",
    path: "/revisions/{revision}",
    operationId: "getRevision",
    tags: ["document"],
    summary: "The text of a document of earlier.",
    ...needs("viewer"),
    request: { params: revisionParam },
    responses: { 200: json(documentText, "The text"), ...problems("unknown-revision") },
  }),
  async (c) => {
    const { revision } = c.req.valid("param");
    const text = await controllerStub(c.env).revision(revision);
    if (text !== undefined) return textAnswer(c, text);
    return refused("unknown-revision", `No document of revision ${revision} is kept; see GET /revisions.`);
  },
);

function textAnswer(c: AdminContext, text: string, etag?: string) {
  const headers = { "content-type": "application/json", ...(etag !== undefined && { etag }) };
  return asIs(c.body(text, 200, headers));
}

function noDocument() {
  const sentence = "No document was put yet, or it is too long for its text to be kept (1.9 MB).";
  return refused("no-document", sentence);
}
