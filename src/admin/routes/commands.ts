/** The commands of a rollout: `POST /flags/NAME/COMMAND`. */
import { createRoute, type RouteConfig, z } from "@hono/zod-openapi";
import type { Command } from "../../core/rollout/progress.ts";
import type { ProblemType } from "../../edge/problem.ts";
import { type AdminContext, answer, refused } from "../answers.ts";
import { controllerStub } from "../controller.ts";
import { ifMatchOf, orderOf, type Said } from "../orders.ts";
import { needsJson, newApi } from "../routing.ts";
import { flagParam, MAX_REASON, said, writeHeaders } from "../schemas/common.ts";
import { json, jsonBody, ON_WRITES, problems } from "../schemas/problem.ts";
import { type Commanded, commanded } from "../schemas/rollout.ts";

export const commands = newApi();

const plain = z.strictObject(said);

/** Commands that say nothing but who and why, in the order of a rollout. */
const PLAIN = {
  start: ["startRollout", "Begins the plan at its first stage."],
  pause: ["pauseRollout", "Keeps the percentage and stops advancing."],
  approve: ["approveStage", "Approves the stage that waits for it."],
  advance: ["advanceStage", "Goes to the next stage now; entry gates still hold."],
  instant: ["instantRollout", "Everybody is on green at once: a hotfix."],
  restart: ["restartRollout", "Begins again at the first stage."],
} as const;

/** What all commands are answered with. */
export const COMMAND_RESPONSES = {
  200: json(commanded, "Done; the rollout as it is now"),
  ...problems(...ON_WRITES, "unknown-flag", "rollout-refused"),
};

/** The parts that all commands share. */
export function commandRoute<P extends string, S extends z.ZodType, R extends RouteConfig["responses"]>(
  path: P,
  {
    operationId,
    summary,
    body,
    required,
    responses,
  }: {
    operationId: string;
    summary: string;
    body: S;
    required?: boolean;
    responses: R;
  },
) {
  return createRoute({
    method: "post",
    path,
    operationId,
    tags: ["rollouts"],
    summary,
    ...needsJson("operator"),
    request: { params: flagParam, headers: writeHeaders, body: jsonBody(body, required ?? false) },
    responses,
  });
}

for (const [name, [operationId, summary]] of Object.entries(PLAIN) as [
  keyof typeof PLAIN,
  readonly [string, string],
][]) {
  commands.openapi(
    commandRoute(`/flags/{name}/${name}`, {
      operationId,
      summary,
      body: plain,
      responses: COMMAND_RESPONSES,
    }),
    async (c) => obey(c, c.req.valid("param").name, { name }, c.req.valid("json")),
  );
}

commands.openapi(
  commandRoute("/flags/{name}/promote", {
    operationId: "promoteRollout",
    summary: "To the end of the plan; without force only if every gate that is left holds.",
    body: z.strictObject({ ...said, force: z.boolean().default(false) }),
    responses: COMMAND_RESPONSES,
  }),
  async (c) => {
    const { force, ...saying } = c.req.valid("json");
    return obey(c, c.req.valid("param").name, { name: "promote", force }, saying);
  },
);

commands.openapi(
  commandRoute("/flags/{name}/sign-off", {
    operationId: "signOff",
    summary: "Gives the word of a role that a gate asks for.",
    body: z
      .strictObject({ ...said, role: z.string().min(1).max(64) })
      .openapi("SignOff", { example: { role: "owner", reason: "Read the figures" } }),
    required: true,
    responses: COMMAND_RESPONSES,
  }),
  async (c) => {
    const { role, ...saying } = c.req.valid("json");
    return obey(c, c.req.valid("param").name, { name: "signOff", role }, saying);
  },
);

commands.openapi(
  commandRoute("/flags/{name}/kill", {
    operationId: "killFlag",
    summary: "Takes green of every release out of traffic, until the command resume.",
    body: z
      .strictObject({ ...said, kill_reason: z.string().max(MAX_REASON).optional() })
      .openapi("Kill", { example: { kill_reason: "Critical error detected" } }),
    responses: COMMAND_RESPONSES,
  }),
  async (c) => {
    const { kill_reason, reason = kill_reason, by } = c.req.valid("json");
    return obey(c, c.req.valid("param").name, { name: "rollback", mode: "kill" }, { reason, by });
  },
);

/** Gives the command to the controller. */
export async function obey(c: AdminContext, flag: string, command: Command, saying: Said) {
  const order = await orderOf(c, saying);
  const ifMatch = ifMatchOf(c);
  const result = await controllerStub(c.env).command({ ...order, flag, command, ifMatch });
  if (!result.ok) return commandRefused(result);
  const { rollout, etag = await etagOfFlag(c, flag), replayed = false } = result;
  const body: Commanded = { ...rollout, changed: true, replayed, sentence: null };
  return answer(c, body, { etag });
}

/** Etag of a flag as it is now. */
export async function etagOfFlag(c: AdminContext, flag: string): Promise<string> {
  return (await controllerStub(c.env).spec(flag))?.etag ?? '""';
}

const PROBLEMS: Partial<Record<string, ProblemType>> = {
  "unknown-flag": "unknown-flag",
  conflict: "precondition-failed",
  "key-reused": "key-reused",
};

/** Why a command was not obeyed. */
export function commandRefused({ reason, sentence }: { reason: string; sentence: string }) {
  const type = PROBLEMS[reason];
  return type ? refused(type, sentence) : refused("rollout-refused", sentence, { refusal: reason });
}
