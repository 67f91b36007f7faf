/** Writing a flag: POST, PUT, PATCH and DELETE. What is in it is checked with the whole document, by the controller. */
import { createRoute } from "@hono/zod-openapi";
import type { FlagEdit } from "../../core/flag/edit.ts";
import { isName, NAME_WORDS } from "../../core/flag/schema.ts";
import { type AdminContext, asIs, refused } from "../answers.ts";
import { controllerStub } from "../controller.ts";
import { flagAnswer, ifMatchOf, orderOf, type Said, withoutIfMatch, writeAnswer } from "../orders.ts";
import { faulty, mayNot, needs, needsJson, newApi } from "../routing.ts";
import { flagParam, onceHeaders, putHeaders, saidQuery, writeHeaders } from "../schemas/common.ts";
import { newFlagBody, patchBody, putBody, thorbisChange } from "../schemas/flag.ts";
import { json, jsonBody, ON_WRITES, problems } from "../schemas/problem.ts";
import { flagWritten, written } from "../schemas/written.ts";
import { patchOf } from "../thorbis.ts";

export const flagWrites = newApi();

/** Members of a patch that move traffic and nothing else: an operator may set them. */
const MOVES = new Set(["state", "percentage"]);

const FAILS = [...ON_WRITES, "invalid-document", "no-document"] as const;

flagWrites.openapi(
  createRoute({
    method: "post",
    path: "/flags",
    operationId: "createFlag",
    tags: ["flags"],
    summary: "Makes a flag. The body is the flag with its name.",
    ...needsJson("admin"),
    request: { query: saidQuery, headers: onceHeaders, body: jsonBody(newFlagBody) },
    responses: { 201: json(flagWritten, "Made"), ...problems(...FAILS, "flag-exists") },
  }),
  async (c) => {
    const { name, ...value } = c.req.valid("json");
    if (typeof name !== "string" || !isName(name)) {
      const fault = { path: "name", message: "no name of a flag", expected: NAME_WORDS };
      return refused("bad-request", `name: ${NAME_WORDS} was expected.`, { faults: [fault] });
    }
    const result = await edit(c, name, { kind: "create", value }, c.req.valid("query"));
    if (result.ok) c.header("location", `/_greenlight/api/flags/${encodeURIComponent(name)}`);
    return flagAnswer(c, name, result, 201);
  },
);

flagWrites.openapi(
  createRoute({
    method: "put",
    path: "/flags/{name}",
    operationId: "putFlag",
    tags: ["flags"],
    summary: "Replaces a flag, or makes it; or changes its state, in Thorbis's form.",
    description:
      "A whole flag needs the role admin and If-Match (or `If-None-Match: *` to make it). The form with `current_state` needs the role operator, and no If-Match.",
    ...needsJson("operator"),
    request: { params: flagParam, query: saidQuery, headers: putHeaders, body: jsonBody(putBody) },
    responses: {
      200: json(flagWritten, "Written"),
      ...problems(...FAILS, "precondition-required", "unknown-flag"),
    },
  }),
  async (c) => {
    const { name } = c.req.valid("param");
    const body = c.req.valid("json");
    if ("current_state" in body) return changeState(c, name, body);
    const forbidden = mayNot(c.get("principal"), "admin");
    if (forbidden) return asIs(forbidden);
    const onlyNew = c.req.header("if-none-match") !== undefined;
    const missing = onlyNew ? undefined : withoutIfMatch(c);
    if (missing) return missing;
    const kind = onlyNew ? "create" : "put";
    return flagAnswer(c, name, await edit(c, name, { kind, value: body }, c.req.valid("query")));
  },
);

flagWrites.openapi(
  createRoute({
    method: "patch",
    path: "/flags/{name}",
    operationId: "patchFlag",
    tags: ["flags"],
    summary: "Changes members of a flag by a JSON merge patch.",
    description: "Needs the role admin; operator where nothing but state and percentage is in it.",
    ...needsJson("operator"),
    request: {
      params: flagParam,
      query: saidQuery,
      headers: writeHeaders,
      body: {
        required: true,
        content: {
          "application/merge-patch+json": { schema: patchBody },
          "application/json": { schema: patchBody },
        },
      },
    },
    responses: {
      200: json(flagWritten, "Changed"),
      ...problems(...FAILS, "precondition-required", "unknown-flag"),
    },
  }),
  async (c) => {
    const { name } = c.req.valid("param");
    const value = c.req.valid("json");
    const forbidden = Object.keys(value).every((member) => MOVES.has(member))
      ? undefined
      : mayNot(c.get("principal"), "admin");
    const missing = forbidden ? asIs(forbidden) : withoutIfMatch(c);
    if (missing) return missing;
    return flagAnswer(c, name, await edit(c, name, { kind: "patch", value }, c.req.valid("query")));
  },
);

flagWrites.openapi(
  createRoute({
    method: "delete",
    path: "/flags/{name}",
    operationId: "deleteFlag",
    tags: ["flags"],
    summary: "Takes a flag out of the document.",
    ...needs("admin"),
    request: { params: flagParam, query: saidQuery, headers: writeHeaders },
    responses: {
      200: json(written, "Deleted"),
      ...problems(...FAILS, "precondition-required", "unknown-flag"),
    },
  }),
  async (c) => {
    const { name } = c.req.valid("param");
    const missing = withoutIfMatch(c);
    if (missing) return missing;
    return writeAnswer(c, await edit(c, name, { kind: "delete" }, c.req.valid("query")));
  },
);

/** Thorbis's body: a command about what is there, which needs no etag. */
async function changeState(c: AdminContext, name: string, body: Record<string, unknown>) {
  const change = thorbisChange.safeParse(body);
  if (!change.success) return asIs(faulty(change.error.issues, "body"));
  const { change_reason: reason, by } = change.data;
  const value = patchOf(change.data);
  return flagAnswer(c, name, await edit(c, name, { kind: "patch", value }, { reason, by }));
}

async function edit(c: AdminContext, flag: string, change: FlagEdit, said: Said) {
  const order = await orderOf(c, said);
  return controllerStub(c.env).editFlag({ ...order, flag, edit: change, ifMatch: ifMatchOf(c) });
}
