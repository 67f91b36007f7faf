/** Rollouts, their history and halts, as the API answers them. */
import { z } from "@hono/zod-openapi";
import type { GateView, RolloutView } from "../../core/api/views.ts";
import type { PastRolloutView } from "../../core/rollout/history.ts";
import type { Halt } from "../../core/rollout/snapshot.ts";
import { at, figures, next, viewed } from "./common.ts";
import { written } from "./written.ts";

export const verdict = z.enum(["healthy", "unhealthy", "insufficient", "unmeasured"]);

export const halt = viewed<Halt>()(
  z.object({
    flag: z.string(),
    release: z.string().openapi({ description: "`*` of a kill." }),
    action: z.enum(["pause", "reduce", "rollback", "kill"]),
    cohort: z.string().optional(),
    cap: z.number().optional().openapi({ description: "Thousandths of a percent." }),
    at,
    rule: z.string(),
    reason: z.string(),
    figures,
  }),
).openapi("Halt");

const gate = viewed<GateView>()(
  z.object({ what: z.string(), verdict, sentence: z.string(), figures }),
).openapi("Gate");

const phase = z.enum([
  "idle",
  "progressing",
  "awaitingApproval",
  "paused",
  "rollingBack",
  "halted",
  "completed",
]);

/** Where a rollout is. */
export const rollout = viewed<RolloutView>()(
  z.object({
    flag: z.string(),
    revision: z.number(),
    phase,
    release: z.string(),
    plan: z.string().nullable(),
    stage: z.number().openapi({ description: "From 0; -1 before the first." }),
    stages: z.array(
      z.object({
        name: z.string().nullable(),
        cohort: z.string().nullable(),
        percentage: z.number().nullable(),
      }),
    ),
    percentage: z.number().openapi({ description: "Percent of visitors on green as progress allows." }),
    served: z.number().openapi({ description: "The same as it is served, after halts, kill and switches." }),
    cohorts: z.array(z.string()).nullable(),
    startedAt: at,
    stageAt: at,
    elapsed: z.number().openapi({ description: "Measured seconds of the stage." }),
    duration: z.number(),
    baked: z.number().nullable(),
    bake: z.number(),
    requests: z.number(),
    minRequests: z.number(),
    exit: z.array(gate),
    entry: z.array(gate),
    validation: z.enum(["none", "waiting", "passed", "failed"]),
    approval: z.enum(["auto", "manual"]),
    signOffs: z.array(z.object({ role: z.string(), who: z.string(), at })),
    waitsFor: z.array(z.string()),
    why: z.string().nullable(),
    rollback: z
      .object({
        at,
        lastGreenAt: at.optional(),
        tookMs: z.number().optional(),
        overdue: z.boolean(),
      })
      .nullable(),
    halts: z.array(halt),
    selected: z.record(z.string(), z.number()),
    wanting: z.array(z.string()),
  }),
).openapi("Rollout");

/** What is answered to a command: the rollout as it is then. */
export const commanded = rollout
  .extend({
    changed: written.shape.changed,
    replayed: written.shape.replayed,
    sentence: written.shape.sentence,
  })
  .openapi("Commanded");
export type Commanded = z.output<typeof commanded>;

const past = viewed<PastRolloutView>()(
  z.object({
    flag: z.string(),
    rollout: z.number(),
    release: z.string().nullable(),
    plan: z.string().nullable(),
    who: z.string().nullable(),
    startedAt: at,
    endedAt: at.nullable(),
    outcome: z.enum(["completed", "halted", "rolledBack", "killed", "superseded", "removed"]).nullable(),
    reason: z.string().nullable(),
    stages: z.array(
      z.object({
        stage: z.number(),
        name: z.string().nullable(),
        percentage: z.number(),
        enteredAt: at,
        leftAt: at.nullable(),
        requests: z.number().nullable(),
        failures: z.number().nullable(),
      }),
    ),
  }),
).openapi("PastRollout");

/** A page of the history, the newest first. */
export const history = z.object({ rollouts: z.array(past), next }).openapi("History");
