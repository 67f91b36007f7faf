/** Figures of flags within a window: `metrics` of one with quantiles, `usage` of one or of all. */
import { createRoute, z } from "@hono/zod-openapi";
import { answer, refused } from "../answers.ts";
import { controllerStub } from "../controller.ts";
import { needs, newApi } from "../routing.ts";
import { flagParam } from "../schemas/common.ts";
import { metrics, usage } from "../schemas/measured.ts";
import { json, problems } from "../schemas/problem.ts";
import { secondsOf } from "../window.ts";

export const figures = newApi();

const WORDS = "a time from 1m to 30d, such as 90s, 5m or 24h, or a number of seconds";

const windowQuery = (usual: string) =>
  z.object({
    window: z
      .string()
      .max(40)
      .default(usual)
      .transform((text, issues) => {
        const seconds = secondsOf(text);
        if (seconds === undefined) issues.addIssue({ code: "custom", message: WORDS });
        return seconds ?? z.NEVER;
      })
      .openapi({ type: "string", description: `${WORDS}.`, example: usual }),
  });

figures.openapi(
  createRoute({
    method: "get",
    path: "/flags/{name}/metrics",
    operationId: "getMetrics",
    tags: ["figures"],
    summary: "What was counted of both sides of a flag within a window.",
    ...needs("viewer"),
    request: { params: flagParam, query: windowQuery("5m") },
    responses: { 200: json(metrics, "The figures"), ...problems("unknown-flag") },
  }),
  async (c) => {
    const { name: flag } = c.req.valid("param");
    const view = await controllerStub(c.env).metrics({ flag, seconds: c.req.valid("query").window });
    return view ? answer(c, view) : refused("unknown-flag", `The document has no flag ${flag}.`);
  },
);

figures.openapi(
  createRoute({
    method: "get",
    path: "/flags/{name}/usage",
    operationId: "getFlagUsage",
    tags: ["figures"],
    summary: "How much a flag was used: keys, tenants, operations, mean latency, success rate.",
    ...needs("viewer"),
    request: { params: flagParam, query: windowQuery("24h") },
    responses: { 200: json(usage, "Its usage"), ...problems("unknown-flag") },
  }),
  async (c) => {
    const { name: flag } = c.req.valid("param");
    const [view] = await controllerStub(c.env).usage({ flag, seconds: c.req.valid("query").window });
    return view ? answer(c, view) : refused("unknown-flag", `The document has no flag ${flag}.`);
  },
);

figures.openapi(
  createRoute({
    method: "get",
    path: "/usage",
    operationId: "getUsage",
    tags: ["figures"],
    summary: "How much each flag was used, most used first.",
    ...needs("viewer"),
    request: { query: windowQuery("24h") },
    responses: { 200: json(z.object({ usage: z.array(usage) }).openapi("AllUsage"), "Usage"), ...problems() },
  }),
  async (c) =>
    answer(c, { usage: await controllerStub(c.env).usage({ seconds: c.req.valid("query").window }) }),
);
