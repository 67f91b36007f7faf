/** What a rollout waits for, as it stands at a moment: its gates and counts, for the state machine and for people. */
import { type GateMemory, gatesOf } from "../core/analysis/gates.ts";
import type { Judgement } from "../core/analysis/judge.ts";
import type { Sources } from "../core/analysis/reading.ts";
import { failures } from "../core/analysis/tally.ts";
import type { Telemetry } from "../core/analysis/telemetry.ts";
import { type Gate, gate, type Stage } from "../core/flag/plan.ts";
import type { Look, Progress } from "../core/rollout/progress.ts";
import { nextStage, stageOf } from "../core/rollout/stages.ts";

const MINUTE_MS = 60_000;
/** Requests of a stage from which on evidence that green is healthy is one of this stage. */
const MIN_COMPARED = 20;

export interface LookInput {
  progress: Progress;
  judgement: Judgement;
  sources: Sources & { telemetry: Telemetry };
  /** What the last look gave back. */
  memory: GatesMemory | undefined;
}

/** What the gates of a stage, and those before the next, remember. JSON as it is. */
export interface GatesMemory {
  /** When the stage began (ms since the epoch): another one begins anew. */
  stageAt: number;
  exit: GateMemory;
  entry: GateMemory;
}

/** Has a clock of the same stage been set back since? */
export function isSetBack(former: GatesMemory, { stageAt, exit, entry }: GatesMemory): boolean {
  if (former.stageAt !== stageAt) return false;
  const lists = [
    [former.exit.timers, exit.timers],
    [former.entry.timers, entry.timers],
  ] as const;
  return lists.some(([was, is]) =>
    Object.entries(was).some(([key, { heldMs }]) => heldMs > (is[key]?.heldMs ?? 0)),
  );
}

/** A look, and what its gates want to remember of it. */
export interface Looked {
  look: Look;
  memory: GatesMemory;
}

/** Looks at what a rollout waits for. Changes nothing. */
export function lookOf({ progress, judgement, sources, memory }: LookInput): Looked {
  const { stageAt, plan } = progress;
  const known = memory?.stageAt === stageAt ? memory : undefined;
  const stage = stageOf(progress);
  const next = nextStage(progress);
  // What would halt a dry run does not hold it either: that it goes on is what it is for.
  const { dryRun } = sources.flag;
  const limit = dryRun ? [] : limitOf(stage);
  const exit = gatesOf([...(stage?.exit ?? []), ...limit], sources, known?.exit);
  const entry = gatesOf(next === undefined ? [] : (plan?.stages[next]?.entry ?? []), sources, known?.entry);
  const tolerated = dryRun && judgement.verdict === "unhealthy";
  const found = tolerated ? "healthy" : judgement.verdict;
  const down = progress.phase === "rollingBack";
  const unseen = found === "healthy" && down && !isUsed(sources.telemetry);
  const { requests } = stageCounts(sources.telemetry);
  const enough = !down && isEnough(stage, requests, judgement);
  const many = `Green had ${requests} requests in this stage, and nothing speaks against it`;
  const look: Look = {
    verdict: unseen ? "insufficient" : enough ? "healthy" : found,
    sentence: unseen ? "Green has had no request for a minute" : enough ? many : judgement.sentence,
    requests,
    exit: exit.findings,
    entry: entry.findings,
  };
  return { look, memory: { stageAt, exit: exit.memory, entry: entry.memory } };
}

/** The stage's own limit of errors, as a gate. */
function limitOf(stage: Stage | undefined): Gate[] {
  if (stage?.maxErrorRate === undefined) return [];
  const { maxErrorRate, minRequests } = stage;
  return [gate.parse({ metric: "error_rate", atMost: maxErrorRate, window: "stage", minRequests })];
}

/**
 * Are the stage's requests enough, where a rule over the last minute has too few to say anything? They are where the
 * stage itself says how many it needs and what may fail of them, or where evidence has seen enough: otherwise a flag
 * with little traffic would wait for the minimum of a rule for ever.
 */
function isEnough(
  stage: Stage | undefined,
  requests: number,
  { verdict, few, compared }: Judgement,
): boolean {
  if (verdict !== "insufficient" || !few || !stage || requests < stage.minRequests) return false;
  const { minRequests, maxErrorRate } = stage;
  return (minRequests > 0 && maxErrorRate !== undefined) || (compared && requests >= MIN_COMPARED);
}

/** Has green had requests in the last minute? On its way down what was well before says nothing of now. */
function isUsed(telemetry: Telemetry): boolean {
  return requestsSince(telemetry, telemetry.now - MINUTE_MS).requests > 0;
}

/**
 * Is there anything that a look can lead to, or that gates must not miss? What breaks while a rollout is paused breaks
 * what has to hold for some time, too.
 */
export function needsLook({ phase, plan }: Progress): boolean {
  if (phase === "rollingBack") return true;
  const going = phase === "progressing" || phase === "awaitingApproval" || phase === "paused";
  return plan !== undefined && going;
}

/** Requests meant for green since its stage began, and those of them that failed. */
export function stageCounts(telemetry: Telemetry): { requests: number; failures: number } {
  return requestsSince(telemetry, telemetry.stageAt);
}

function requestsSince(telemetry: Telemetry, from: number): { requests: number; failures: number } {
  const all = { variant: "green", placement: "all", cohort: undefined, event: undefined } as const;
  // What began at this very millisecond is in it; and a span that ends where the stage begins would be one before it.
  const counts = telemetry.counts({ ...all, from, to: telemetry.now + 1 });
  if (!counts) return { requests: 0, failures: 0 };
  return { requests: counts.requests + counts.diverted, failures: failures(counts) + counts.diverted };
}
