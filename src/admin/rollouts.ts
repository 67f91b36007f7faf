/** The commands of a rollout and its history: `/flags/NAME/COMMAND`, `/flags/NAME/rollout`, `/flags/NAME/history`. */
import { type Context, Hono } from "hono";
import * as z from "zod";
import type { CommandResult } from "../control/controller-api.ts";
import { isName } from "../core/flag/schema.ts";
import { inPercent } from "../core/rollout/history.ts";
import type { Command } from "../core/rollout/progress.ts";
import { problem } from "../edge/problem.ts";
import { badRequest, bodyOf, etagged, howOf } from "./answers.ts";
import { controllerStub } from "./controller.ts";

/** Rollouts of one page of the history. */
const MAX_HISTORY = 100;

const said = {
  reason: z.string().max(500).default("").describe("Goes into the audit log."),
  by: z
    .string()
    .max(100)
    .optional()
    .describe("Who says so, where a token is shared; goes into the audit log."),
};
const plain = z.strictObject(said);

/** What the body of each command holds, and the command that it makes. */
const COMMANDS = {
  start: [plain, () => ({ name: "start" })],
  pause: [plain, () => ({ name: "pause" })],
  approve: [plain, () => ({ name: "approve" })],
  advance: [plain, () => ({ name: "advance" })],
  instant: [plain, () => ({ name: "instant" })],
  restart: [plain, () => ({ name: "restart" })],
  promote: [
    z.strictObject({ ...said, force: z.boolean().default(false) }),
    ({ force }) => ({ name: "promote", force: force === true }),
  ],
  rollback: [
    z.strictObject({ ...said, mode: z.enum(["gradual", "immediate", "kill"]).default("immediate") }),
    ({ mode }) => ({ name: "rollback", mode: mode as "gradual" | "immediate" | "kill" }),
  ],
  "sign-off": [
    z.strictObject({ ...said, role: z.string().min(1).max(64) }),
    ({ role }) => ({ name: "signOff", role: String(role) }),
  ],
} satisfies Record<string, [z.ZodType, (body: Record<string, unknown>) => Command]>;

const isCommand = (name: string): name is keyof typeof COMMANDS => Object.hasOwn(COMMANDS, name);

const historyQuery = z.object({ limit: z.coerce.number().int().min(1).max(MAX_HISTORY).default(20) });

/** Mounted by the admin API, below its path and behind its token. */
export const rollouts = new Hono<{ Bindings: Env }>();

rollouts.get("/flags/:name/rollout", async (c) => {
  const flag = c.req.param("name");
  if (!isName(flag)) return problem("bad-request", "That is no name of a flag.");
  const view = await controllerStub(c.env).rollout(flag);
  if (!view) return problem("unknown-flag", `The spec has no flag ${flag}.`);
  c.header("etag", `"${view.revision}"`);
  return c.json(view);
});

rollouts.get("/flags/:name/history", async (c) => {
  const flag = c.req.param("name");
  if (!isName(flag)) return problem("bad-request", "That is no name of a flag.");
  const query = historyQuery.safeParse(c.req.query());
  if (!query.success) return badRequest(query.error);
  const past = await controllerStub(c.env).history({ flag, limit: query.data.limit });
  return c.json({ rollouts: past.map(inPercent) });
});

rollouts.post("/flags/:name/:command", async (c, next) => {
  const { name: flag, command } = c.req.param();
  if (!isCommand(command)) return next();
  if (!isName(flag)) return problem("bad-request", "That is no name of a flag.");
  const [schema, make] = COMMANDS[command];
  const body = schema.safeParse(await bodyOf(c));
  if (!body.success) return badRequest(body.error);
  const { reason, by } = body.data;
  const result = await controllerStub(c.env).command({
    flag,
    command: make(body.data),
    who: by ?? "api",
    how: howOf(c),
    reason,
  });
  return answer(c, result);
});

function answer(c: Context, result: CommandResult): Response {
  if (result.ok) return etagged(c, result.revision, result.rollout);
  if (result.reason === "unknown-flag") return problem("unknown-flag", result.sentence);
  return problem("rollout-refused", result.sentence, { refusal: result.reason });
}
