/** What may be asked of the controller, and the forms of its answers. */
import type { ComparisonView } from "../core/analysis/comparing.ts";
import type { Verdict } from "../core/analysis/rules.ts";
import type { RowId, Tally } from "../core/analysis/tally.ts";
import type { TracePoint } from "../core/analysis/trace.ts";
import type { State } from "../core/flag/schema.ts";
import type { How } from "../core/rollout/audit-chain.ts";
import type { Command, Phase, Progress, Refusal, RollbackTime, SignOff } from "../core/rollout/progress.ts";
import type { Fault, Halt, Snapshot } from "../core/rollout/snapshot.ts";
import type { EditOffer, ForwardAnswer } from "../core/wire/messages.ts";
import "../edge/env.ts";

export type { AuditEntry, AuditRecord } from "../core/rollout/audit-chain.ts";

/** Sums of one flag, release, cohort, variant and placement since counting began. Latencies in milliseconds. */
export interface RowView
  extends Omit<RowId, "flag">,
    Omit<Tally, "run" | "visitors" | "sketch" | "slices" | "latency" | "unitLatency"> {
  /** Null without a latency. */
  p50: number | null;
  p95: number | null;
  p99: number | null;
  /** Requests that wait for headers now. */
  inFlight: number;
  /** Age of the oldest of them, milliseconds. */
  oldestMs: number;
}

/** What was found about a flag's present release. */
export interface VerdictView {
  verdict: Verdict;
  rule: string;
  sentence: string;
  figures: Record<string, number>;
}

/** One flag: as it was asked for, as it was decided, and what was counted. */
export interface FlagView {
  name: string;
  /** `removed`: counted once, no longer in the spec. */
  state: State | "removed";
  release: string | null;
  /** As the spec says, 0 to 100. */
  percentage: number;
  /** Share of green in thousandths of a percent, after a halt and the kill key. */
  share: number;
  generation: string | null;
  /** Named by the kill key, as the controller last read it. */
  killed: boolean;
  /** The halt of the present release. */
  halt: Halt | null;
  verdict: VerdictView | null;
  /** What would have halted the present release first, were it not a dry run. */
  wouldHalt: Halt | null;
  /** The comparison of green with blue, of the present release; null before its first count. */
  comparison: ComparisonView | null;
  /** Its evidence over time, at most 240 points; empty before green had traffic. */
  trace: TracePoint[];
  rows: RowView[];
  /** Where its rollout is. */
  rollout: RolloutView | null;
}

/** The whole status. */
export interface StatusView {
  revision: number;
  /** Milliseconds since the epoch. */
  at: number;
  enabled: boolean;
  specHash: string;
  /** The spec as it was written; null when it is too long to be kept or not known after a loss of storage. */
  spec: string | null;
  /** Text of the kill key, and when it was read (0: never). */
  kill: string;
  kvReadAt: number;
  faults: Fault[];
  halts: Halt[];
  flags: FlagView[];
  /** Isolates heard from in the last minute. */
  isolates: number;
  /** Batches that isolates gave up on. */
  lost: number;
  /** Smallest share of isolates that a shard asks for counts; below 1 the sums are those of a sample. */
  sampling: number;
  shards: { shard: string; version: number; seenAt: number; isolates: number; lost: number }[];
}

/** Who orders something, by which way, and why: all of it goes into the audit log. */
export interface Ordered {
  who: string;
  how: How;
  reason: string;
}

export interface PutSpec extends Ordered {
  text: string;
  /** Refused unless this is the revision; absent: whatever it is. */
  ifMatch?: number;
}
export type PutSpecResult =
  | { ok: true; revision: number }
  | { ok: false; reason: "conflict" | "invalid"; revision: number; faults: Fault[] };

export interface Resume extends Ordered {
  flag: string;
  /** Absent: the release that the spec names. */
  release?: string;
}
export type ResumeResult = { ok: true; revision: number } | { ok: false; reason: "not-halted" };

/** A command to a flag's rollout. */
export interface CommandRequest extends Ordered {
  flag: string;
  command: Command;
}
export type CommandResult =
  | { ok: true; revision: number; rollout: RolloutView }
  | { ok: false; reason: Refusal | "unknown-flag"; sentence: string };

/** One gate, as it stands now. */
export interface GateView {
  /** The condition in words, or what is signed off by whom. */
  what: string;
  /** `healthy` opens; a sign-off that is not given is `insufficient`. */
  verdict: Verdict;
  sentence: string;
  figures: Record<string, number>;
}

/** Where a flag's rollout is, and what it waits for. */
export interface RolloutView {
  flag: string;
  revision: number;
  phase: Phase;
  release: string;
  /** Name of the plan; null without one, or without a name. */
  plan: string | null;
  /** Place of the present stage, -1 before the first, and the stages. */
  stage: number;
  stages: { name: string | null; cohort: string | null; percentage: number | null }[];
  /** Percent of visitors on green: as progress allows, and as it is served after halts, kill and switches. */
  percentage: number;
  served: number;
  /** Cohorts that are on green by the plan; null without one. */
  cohorts: string[] | null;
  /** Milliseconds since the epoch; 0 for never. */
  startedAt: number;
  stageAt: number;
  /** Measured seconds of the stage, and what it asks for. */
  elapsed: number;
  duration: number;
  /** Seconds of bake so far (null before gates and approval), and what the stage asks for. */
  baked: number | null;
  bake: number;
  /** Requests meant for green in this stage, and what it asks for. */
  requests: number;
  minRequests: number;
  /** What has to hold before the stage is left, and before the next one opens. */
  exit: GateView[];
  entry: GateView[];
  validation: Progress["validation"];
  approval: "auto" | "manual";
  signOffs: SignOff[];
  /** What has to come before it goes on, in sentences; empty when nothing is under way. */
  waitsFor: string[];
  /** What keeps green out, why it is paused, halted or on its way down, or why one of its cohorts is off. */
  why: string | null;
  /** How long the last rollback took. */
  rollback: RollbackTime | null;
  /** What sticks to the release, its cohorts included. */
  halts: Halt[];
  /** Tenants chosen from directories, by cohort: how many; and what could not be met, in sentences. */
  selected: Record<string, number>;
  wanting: string[];
}

/** What shards ask of the controller (Durable Object `RolloutController`). */
export interface ControllerApi {
  /** Takes over a shard's running totals and judges what is new in them. Throws on garbage. */
  forward(forward: unknown): Promise<ForwardAnswer>;
  /** The text of a hand edit that an isolate has read. */
  offerEdit(offer: EditOffer): Promise<ForwardAnswer>;
  /** The newest snapshot; undefined before the first spec. */
  current(): Promise<Snapshot | undefined>;
}

/** A fresh stub of the environment's one controller. */
export function controllerStub(env: Env): ControllerApi {
  return env.CONTROLLER.getByName("controller") as unknown as ControllerApi;
}
