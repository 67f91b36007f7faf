/** What turns traffic by one number or switch: a flag's percentage, a cohort's switch, the switch of everything. */
import { createRoute, z } from "@hono/zod-openapi";
import type { WriteResult } from "../../control/controller-api.ts";
import { cohortSwitch } from "../../core/flag/switches.ts";
import { refused } from "../answers.ts";
import { controllerStub } from "../controller.ts";
import { flagAnswer, ifMatchOf, orderOf, writeAnswer } from "../orders.ts";
import { needsJson, newApi } from "../routing.ts";
import { flagParam, name, said, writeHeaders } from "../schemas/common.ts";
import { json, jsonBody, ON_WRITES, problems } from "../schemas/problem.ts";
import { flagWritten, written } from "../schemas/written.ts";

export const switches = newApi();

/** Between reading a flag and changing it somebody else may have: so often it is looked at again. */
const TRIES = 5;

const FAILS = [...ON_WRITES, "invalid-document", "no-document"] as const;
const enabledBody = z.strictObject({ enabled: z.boolean(), ...said });

switches.openapi(
  createRoute({
    method: "put",
    path: "/flags/{name}/percentage",
    operationId: "setPercentage",
    tags: ["rollouts"],
    summary: "Sets the share of green, by hand; the flag is in canary then.",
    description: "A flag that is killed in the document stays so: 409. Set its state first.",
    ...needsJson("operator"),
    request: {
      params: flagParam,
      headers: writeHeaders,
      body: jsonBody(
        z
          .strictObject({ percentage: z.number().min(0).max(100), ...said })
          .openapi("Percentage", { example: { percentage: 25, reason: "Gradual canary rollout" } }),
      ),
    },
    responses: { 200: json(flagWritten, "Set"), ...problems(...FAILS, "unknown-flag", "flag-killed") },
  }),
  async (c) => {
    const { name: flag } = c.req.valid("param");
    const { percentage, ...saying } = c.req.valid("json");
    const controller = controllerStub(c.env);
    const order = await orderOf(c, saying);
    const given = ifMatchOf(c);
    for (let tries = 1; ; tries++) {
      const view = await controller.spec(flag);
      if (!view) return refused("unknown-flag", `The document has no flag ${flag}.`);
      if (view.flag?.state === "kill")
        return refused(
          "flag-killed",
          `${flag} is killed in the document. PATCH its state first, if that is over.`,
        );
      // What was looked at is what is changed: a kill that comes in between is not lifted by a percentage.
      const edit = { kind: "patch" as const, value: { state: "canary", percentage } };
      const result = await controller.editFlag({ ...order, flag, edit, ifMatch: given ?? view.etag });
      const isOvertaken = !result.ok && result.reason === "conflict" && given === undefined;
      if (!isOvertaken || tries === TRIES) return flagAnswer(c, flag, result);
    }
  },
);

switches.openapi(
  createRoute({
    method: "put",
    path: "/cohorts/{name}",
    operationId: "switchCohort",
    tags: ["cohorts"],
    summary: "Switches a cohort off or on, for all flags that have one of this name.",
    description: "Sets the flag `canary.cohort.NAME.enabled`, and makes it where it is not there.",
    ...needsJson("operator"),
    request: { params: z.object({ name }), headers: writeHeaders, body: jsonBody(enabledBody) },
    responses: { 200: json(flagWritten, "Set"), ...problems(...FAILS) },
  }),
  async (c) => {
    const flag = cohortSwitch(c.req.valid("param").name);
    const { enabled, ...saying } = c.req.valid("json");
    const order = { ...(await orderOf(c, saying)), flag, ifMatch: ifMatchOf(c) };
    const value = { state: enabled ? "on" : "off" };
    const controller = controllerStub(c.env);
    const patch = () => controller.editFlag({ ...order, edit: { kind: "patch", value } });
    let result: WriteResult = await patch();
    if (isRefused(result, "unknown-flag"))
      result = await controller.editFlag({ ...order, edit: { kind: "create", value } });
    // Somebody else has just made it.
    if (isRefused(result, "exists")) result = await patch();
    return flagAnswer(c, flag, result);
  },
);

switches.openapi(
  createRoute({
    method: "put",
    path: "/enabled",
    operationId: "switchAll",
    tags: ["document"],
    summary: "The global switch: false sends everything to blue.",
    ...needsJson("operator"),
    request: { headers: writeHeaders, body: jsonBody(enabledBody) },
    responses: { 200: json(written, "Set"), ...problems(...FAILS) },
  }),
  async (c) => {
    const { enabled, ...saying } = c.req.valid("json");
    const order = await orderOf(c, saying);
    return writeAnswer(
      c,
      await controllerStub(c.env).setEnabled({ ...order, enabled, ifMatch: ifMatchOf(c) }),
    );
  },
);

function isRefused(result: WriteResult, reason: string): boolean {
  return !result.ok && result.reason === reason;
}
