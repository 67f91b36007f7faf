/** Reading flags: `GET /flags` and `GET /flags/NAME`, by our names and by Thorbis's. */
import { createRoute, type z } from "@hono/zod-openapi";
import type { FlagSpecView } from "../../core/api/views.ts";
import { type AdminContext, ctxOf, refused, unlessKnown } from "../answers.ts";
import { type Asking, stateFor } from "../asking.ts";
import { controllerStub } from "../controller.ts";
import { freshKnowing } from "../fresh.ts";
import { needs, newApi } from "../routing.ts";
import { flagParam, readHeaders } from "../schemas/common.ts";
import { flagItem as flagItemSchema, flagList, listQuery } from "../schemas/flag.ts";
import { json, NOT_MODIFIED, problems } from "../schemas/problem.ts";
import { flagItem } from "../thorbis.ts";

export const flags = newApi();

flags.openapi(
  createRoute({
    method: "get",
    path: "/flags",
    operationId: "listFlags",
    tags: ["flags"],
    summary: "All flags, in the order of the document, with what each is now, or is for a tenant or key.",
    ...needs("viewer"),
    request: { query: listQuery, headers: readHeaders },
    responses: { 200: json(flagList, "The flags"), ...NOT_MODIFIED, ...problems() },
  }),
  async (c) => {
    const query = c.req.valid("query");
    const { flags: all, revision, etag, enabled, faults } = await controllerStub(c.env).specs();
    const found = all.filter((flag) => isMeant(flag, query));
    const asking = await askingOf(c, query);
    const now = Date.now();
    const states = found.map((flag) => [flag.name, stateFor(flag, asking, now)] as const);
    const body = {
      revision,
      etag,
      enabled,
      faults,
      flags: found.map(flagItem),
      effective_states: Object.fromEntries(states),
    };
    return unlessKnown(c, etag, body);
  },
);

flags.openapi(
  createRoute({
    method: "get",
    path: "/flags/{name}",
    operationId: "getFlag",
    tags: ["flags"],
    summary: "One flag: as it is written, with its defaults, and as it is served.",
    ...needs("viewer"),
    request: { params: flagParam, headers: readHeaders },
    responses: {
      200: json(flagItemSchema, "The flag; its ETag is for If-Match"),
      ...NOT_MODIFIED,
      ...problems("unknown-flag"),
    },
  }),
  async (c) => {
    const { name } = c.req.valid("param");
    const flag = await controllerStub(c.env).spec(name);
    if (!flag)
      return refused("unknown-flag", `The document has no flag ${name}; GET /flags lists those it has.`);
    return unlessKnown(c, flag.etag, flagItem(flag));
  },
);

type Query = z.output<typeof listQuery>;

function isMeant(view: FlagSpecView, { state, kind, q }: Query): boolean {
  if (state !== undefined && view.effective !== state) return false;
  if (kind !== undefined && view.flag?.kind !== kind) return false;
  if (q === undefined) return true;
  const words = [view.name, view.flag?.description ?? "", view.flag?.owner ?? ""].join("\n");
  return words.toLowerCase().includes(q.toLowerCase());
}

async function askingOf(c: AdminContext, { tenant, key }: Query): Promise<Asking | undefined> {
  if (tenant === undefined && key === undefined) return undefined;
  const { table } = await freshKnowing(c.env, ctxOf(c));
  return { table, tenant, key };
}
