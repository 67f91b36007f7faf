/** What may be asked of the controller, and the forms of its answers. */
import type { ComparisonView } from "../core/analysis/comparing.ts";
import type { Verdict } from "../core/analysis/rules.ts";
import type { RowId, Tally } from "../core/analysis/tally.ts";
import type { TracePoint } from "../core/analysis/trace.ts";
import type { State } from "../core/flag/schema.ts";
import type { Fault, Halt, Snapshot } from "../core/rollout/snapshot.ts";
import type { EditOffer, ForwardAnswer } from "../core/wire/messages.ts";
import "../edge/env.ts";

export type { AuditEntry, AuditRecord } from "../core/rollout/audit-chain.ts";

/** Sums of one flag, release, cohort, variant and placement since counting began. Latencies in milliseconds. */
export interface RowView
  extends Omit<RowId, "flag">,
    Omit<Tally, "run" | "visitors" | "slices" | "latency" | "unitLatency"> {
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

export interface PutSpec {
  text: string;
  /** Refused unless this is the revision; absent: whatever it is. */
  ifMatch?: number;
  who: string;
  reason: string;
}
export type PutSpecResult =
  | { ok: true; revision: number }
  | { ok: false; reason: "conflict" | "invalid"; revision: number; faults: Fault[] };

export interface Resume {
  flag: string;
  /** Absent: the release that the spec names. */
  release?: string;
  who: string;
  reason: string;
}
export type ResumeResult = { ok: true; revision: number } | { ok: false; reason: "not-halted" };

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
