/** What origins and their monitoring push: custom events, gauges and alerts. Mounted below `/_greenlight/api`. */
import { Hono } from "hono";
import type { Ingest } from "../control/telemetry-api.ts";
import { alertsBody } from "./alertmanager.ts";
import { badRequest, bodyOf } from "./answers.ts";
import { controllerStub } from "./controller.ts";
import { eventsBody, gaugeBody, gaugesBody } from "./pushed.ts";

export const ingest = new Hono<{ Bindings: Env }>();

ingest.post("/events", async (c) => {
  const body = eventsBody.safeParse(await bodyOf(c));
  if (!body.success) return badRequest(body.error);
  const { id, events } = body.data;
  const push: Ingest = { kind: "events", events, ...(id === undefined ? {} : { id }) };
  return c.json(await controllerStub(c.env).ingest(push));
});

ingest.post("/gauges", async (c) => {
  const given = await bodyOf(c);
  const body = (Array.isArray(given) ? gaugesBody : gaugeBody).safeParse(given);
  if (!body.success) return badRequest(body.error);
  return c.json(await controllerStub(c.env).ingest({ kind: "gauges", gauges: body.data }));
});

ingest.post("/alerts", async (c) => {
  const body = alertsBody.safeParse(await bodyOf(c));
  if (!body.success) return badRequest(body.error);
  return c.json(await controllerStub(c.env).ingest({ kind: "alerts", alerts: body.data.alerts }));
});
