/** Figures of a flag within a window, evaluations and audit entries, as the API answers them. */
import { z } from "@hono/zod-openapi";
import type { EvaluationView, MetricsView, UsageView, WindowView } from "../../core/api/views.ts";
import type { Value } from "../../core/flag/schema.ts";
import type { AuditEntry } from "../../core/rollout/audit-chain.ts";
import { at, next, viewed } from "./common.ts";

const ms = z.number().nullable();

const row = viewed<WindowView>()(
  z.object({
    variant: z.enum(["blue", "green"]),
    cohort: z.string().nullable(),
    requests: z.number(),
    errors: z.number(),
    errorRate: z.number().nullable(),
    timeouts: z.number(),
    diverted: z.number(),
    rescued: z.number(),
    mean: ms,
    p50: ms,
    p75: ms,
    p95: ms,
    p99: ms,
    visitors: z.number(),
  }),
).openapi("WindowRow");

/** A flag's counts within a window. */
export const metrics = viewed<MetricsView>()(
  z.object({
    flag: z.string(),
    release: z.string(),
    from: at,
    to: at,
    complete: z.boolean(),
    rows: z.array(row),
  }),
).openapi("Metrics");

/** How much a flag was used within a window. */
export const usage = viewed<UsageView>()(
  z.object({
    flag: z.string(),
    from: at,
    to: at,
    complete: z.boolean(),
    keys: z.number(),
    tenants: z.number().nullable(),
    operations: z.number(),
    meanLatency: ms,
    successRate: z.number().nullable(),
  }),
).openapi("Usage");

const STEPS = [
  "kill",
  "switch",
  "halt",
  "environment",
  "override",
  "state",
  "dependencies",
  "cohort",
  "percentage",
  "default",
] as const;

/** The answer about one flag, with every step that led to it. */
export const evaluation = viewed<EvaluationView>()(
  z.object({
    flag: z.string(),
    variant: z.string().nullable(),
    value: z.custom<Value>().openapi({ type: ["string", "number", "boolean", "object", "array", "null"] }),
    enabled: z.boolean(),
    reason: z.enum(["SPLIT", "TARGETING_MATCH", "DEFAULT", "DISABLED", "STALE", "ERROR"]),
    cohort: z.string().nullable(),
    bucket: z.number().nullable(),
    threshold: z.number().openapi({ example: 45 }),
    release: z.string().nullable(),
    dependency: z.string().nullable(),
    steps: z.array(z.object({ step: z.enum(STEPS), decided: z.boolean(), sentence: z.string() })),
    source: z.enum(["kv", "bundle", "default", "env"]),
    revision: z.number(),
  }),
).openapi("Evaluation");

const audited = viewed<AuditEntry>()(
  z.object({
    id: z.number(),
    hash: z.string(),
    at,
    who: z.string(),
    how: z.enum(["api", "cli", "kv", "controller"]),
    action: z.string(),
    flag: z.string().nullable(),
    release: z.string().nullable(),
    previous: z.string().nullable(),
    next: z.string().nullable(),
    percentage: z.number().nullable(),
    reason: z.string(),
    figures: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())])),
  }),
).openapi("AuditEntry");

/** A page of the audit log, the newest first. */
export const auditPage = z.object({ entries: z.array(audited), next }).openapi("AuditPage");
