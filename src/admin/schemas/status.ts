/** The whole status, as the API answers it. */
import { z } from "@hono/zod-openapi";
import type { FlagView, RowView, StatusView, WhoView } from "../../core/api/views.ts";
import { at, faultSchema, figures, viewed } from "./common.ts";
import { halt, rollout, verdict } from "./rollout.ts";

const row = viewed<RowView>()(
  z.object({
    release: z.string(),
    cohort: z.string(),
    variant: z.enum(["blue", "green"]),
    placement: z.enum(["hash", "address", "match"]),
    requests: z.number(),
    errors: z.number(),
    refused: z.number(),
    connect: z.number(),
    timeouts: z.number(),
    censored: z.number(),
    diverted: z.number(),
    rescued: z.number(),
    units: z.number(),
    unitErrors: z.number(),
    p50: z.number().nullable(),
    p95: z.number().nullable(),
    p99: z.number().nullable(),
    inFlight: z.number(),
    oldestMs: z.number(),
  }),
).openapi("Row");

const side = z.object({ requests: z.number(), errors: z.number() });
const comparison = z
  .object({
    evidence: z.number(),
    errors: z.number(),
    latency: z.number(),
    threshold: z.number(),
    unhealthy: z.boolean(),
    leading: z.enum(["errors", "latency"]),
    peer: z.enum(["blue", "own", "none"]),
    blue: side,
    green: side,
    slower: z.object({ quantile: z.number(), blueMs: z.number(), greenMs: z.number() }).optional(),
    knownMs: z.number(),
    strength: z.number(),
  })
  .openapi("Comparison");

const health = z.object({ failedInARow: z.number(), at, sentence: z.string() }).openapi("HealthReading");

const flagStatus = viewed<FlagView>()(
  z.object({
    name: z.string(),
    state: z.enum(["off", "shadow", "canary", "on", "kill", "removed"]),
    release: z.string().nullable(),
    percentage: z.number(),
    share: z.number().openapi({ description: "Thousandths of a percent." }),
    generation: z.string().nullable(),
    killed: z.boolean(),
    halt: halt.or(z.null()),
    verdict: z.object({ verdict, rule: z.string(), sentence: z.string(), figures }).nullable(),
    wouldHalt: halt.or(z.null()),
    comparison: comparison.or(z.null()),
    trace: z.array(
      z.object({ at, evidence: z.number(), errors: z.number(), latency: z.number(), share: z.number() }),
    ),
    rows: z.array(row),
    rollout: rollout.or(z.null()),
    health: z.object({ blue: health.or(z.null()), green: health.or(z.null()) }),
  }),
).openapi("FlagStatus");

/** The whole status. */
export const status = viewed<StatusView>()(
  z.object({
    revision: z.number(),
    at,
    enabled: z.boolean(),
    specHash: z.string(),
    spec: z.string().nullable(),
    kill: z.string(),
    kvReadAt: at,
    faults: z.array(faultSchema),
    halts: z.array(halt),
    flags: z.array(flagStatus),
    isolates: z.number(),
    lost: z.number(),
    sampling: z.number(),
    shards: z.array(
      z.object({
        shard: z.string(),
        version: z.number(),
        seenAt: at,
        isolates: z.number(),
        lost: z.number(),
      }),
    ),
    pull: z
      .object({ failingSince: at.nullable() })
      .nullable()
      .openapi({ description: "How the scheduled pull does; null where none is set up." }),
  }),
).openapi("Status");

/** Who asks. */
export const who = viewed<WhoView>()(
  z.object({
    name: z.string().openapi({ example: "ann" }),
    role: z.enum(["reporter", "viewer", "operator", "admin"]),
    by: z.enum(["token", "access"]),
    expires: at.optional().openapi({ description: "When the token ends; absent: never, or not known." }),
  }),
).openapi("Who");
