/** What origins and their monitoring push: custom events, gauges and alerts. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Ingest, IngestResult } from "../../control/telemetry-api.ts";
import { alertsBody } from "../alertmanager.ts";
import { answer } from "../answers.ts";
import { controllerStub } from "../controller.ts";
import { ownKey } from "../orders.ts";
import { eventsBody, gaugeBody, gaugesBody } from "../pushed.ts";
import { needsJson, newApi } from "../routing.ts";
import { onceHeaders, viewed } from "../schemas/common.ts";
import { json, jsonBody, problems } from "../schemas/problem.ts";

export const ingest = newApi();

const taken = viewed<IngestResult>()(
  z.object({
    taken: z.number(),
    duplicate: z.boolean(),
    unknown: z.array(z.string()),
    tooOld: z.number(),
  }),
).openapi("Taken");

const RESPONSES = { 200: json(taken, "Taken"), ...problems("unsupported-media-type") };

ingest.openapi(
  createRoute({
    method: "post",
    path: "/events",
    operationId: "pushEvents",
    tags: ["telemetry"],
    summary:
      "Takes events of origins. A batch with an `id` (or an Idempotency-Key) counts once in 15 minutes.",
    ...needsJson("reporter"),
    request: { headers: onceHeaders, body: jsonBody(eventsBody) },
    responses: RESPONSES,
  }),
  async (c) => {
    const { events, ...given } = c.req.valid("json");
    const id = given.id ?? (await ownKey(c));
    const push: Ingest = { kind: "events", events, ...(id !== undefined && { id }) };
    return answer(c, await controllerStub(c.env).ingest(push));
  },
);

ingest.openapi(
  createRoute({
    method: "post",
    path: "/gauges",
    operationId: "pushGauges",
    tags: ["telemetry"],
    summary: "Takes a number that an origin measures, or a list of them. Only the newest of a name counts.",
    ...needsJson("reporter"),
    request: { headers: onceHeaders, body: jsonBody(z.union([gaugesBody, gaugeBody])) },
    responses: RESPONSES,
  }),
  async (c) => {
    const gauges = c.req.valid("json");
    return answer(c, await controllerStub(c.env).ingest({ kind: "gauges", gauges }));
  },
);

ingest.openapi(
  createRoute({
    method: "post",
    path: "/alerts",
    operationId: "pushAlerts",
    tags: ["telemetry"],
    summary: "Takes the webhook of Prometheus Alertmanager. The same again changes nothing.",
    ...needsJson("reporter"),
    request: { headers: onceHeaders, body: jsonBody(alertsBody) },
    responses: RESPONSES,
  }),
  async (c) => {
    const { alerts } = c.req.valid("json");
    return answer(c, await controllerStub(c.env).ingest({ kind: "alerts", alerts }));
  },
);
