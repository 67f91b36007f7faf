/** The audit log, by pages and filters. */
import { createRoute, z } from "@hono/zod-openapi";
import type { AuditPage } from "../../control/controller-api.ts";
import { answer, nextPage } from "../answers.ts";
import { controllerStub } from "../controller.ts";
import { needs, newApi } from "../routing.ts";
import { MAX_BY, moment, pageQuery } from "../schemas/common.ts";
import { auditPage } from "../schemas/measured.ts";
import { json, problems } from "../schemas/problem.ts";

/** Entries of one page. */
const MAX_PAGE = 200;

export const audit = newApi();

const query = pageQuery(50, MAX_PAGE).extend({
  flag: z.string().max(64).optional(),
  who: z
    .string()
    .max(2 * MAX_BY)
    .optional(),
  action: z.string().max(64).optional().openapi({ example: "halt" }),
  since: moment.optional(),
  until: moment.optional(),
});

audit.openapi(
  createRoute({
    method: "get",
    path: "/audit",
    operationId: "listAudit",
    tags: ["audit"],
    summary:
      "Who changed what, when, by which way and why; the newest first. Each entry is chained to the one before.",
    ...needs("viewer"),
    request: { query },
    responses: { 200: json(auditPage, "A page of the log"), ...problems() },
  }),
  async (c) => {
    const page = asked(c.req.valid("query"));
    const entries = await controllerStub(c.env).audit(page);
    const next = nextPage(c, { found: entries.length, limit: page.limit, last: entries.at(-1)?.id });
    return answer(c, { entries, next });
  },
);

/** What is asked for, without what is not. */
function asked({ limit, ...filters }: z.output<typeof query>): AuditPage {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  return { limit, ...(Object.fromEntries(given) as Omit<AuditPage, "limit">) };
}
