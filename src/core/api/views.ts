/** What the API answers, as the controller makes it and people, the command line and pages read it. Types only. */
import type { ComparisonView } from "../analysis/comparing.ts";
import type { Verdict } from "../analysis/rules.ts";
import type { RowId, Tally } from "../analysis/tally.ts";
import type { HealthReading } from "../analysis/telemetry.ts";
import type { TracePoint } from "../analysis/trace.ts";
import type { Role } from "../auth/tokens.ts";
import type { Evaluation } from "../flag/answer.ts";
import type { Flag, State, Value } from "../flag/schema.ts";
import type { AuditEntry, How } from "../rollout/audit-chain.ts";
import type { Phase, Progress, RollbackTime, SignOff } from "../rollout/progress.ts";
import type { Fault, Halt } from "../rollout/snapshot.ts";

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
  /** The last health check of each origin; null where none is asked for, or none is in yet. */
  health: Record<"blue" | "green", HealthReading | null>;
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
  /** How the scheduled pull does: since when it fails, milliseconds since the epoch. Null where none is set up. */
  pull: { failingSince: number | null } | null;
}

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

/** What a flag is as people wrote it, and as it is understood. */
export interface FlagSpecView {
  name: string;
  /** As it is written in the document; null where its text is not kept (a document of more than 1.9 MB). */
  written: { [key: string]: Value } | null;
  /** With its defaults; the last good form where the written one has faults; null where there never was one. */
  flag: Flag | null;
  faults: Fault[];
  /** Of this flag alone: others may be changed without its etag changing. In quotes, as the header has it. */
  etag: string;
  /** Revision and time (milliseconds since the epoch) of its last change; null where it is not known. */
  revision: number | null;
  updatedAt: number | null;
  /** When it first was in the document; null where it is not known. */
  createdAt: number | null;
  /** Percent of visitors on green as served now, after halts, kill and switches. */
  served: number;
  /** State as it counts now: `kill` where the kill key or a kill says so, `off` where a switch or a halt does. */
  effective: State;
  /** What keeps green out, in a sentence; null where nothing does. */
  why: string | null;
}

/** All flags, in the order of the document. */
export interface FlagListView {
  revision: number;
  /** Of the whole document. */
  etag: string;
  enabled: boolean;
  faults: Fault[];
  flags: FlagSpecView[];
}

/** The document as it was written. */
export interface DocumentView {
  revision: number;
  etag: string;
  text: string;
}

/** A document of earlier. */
export interface RevisionView {
  revision: number;
  /** Milliseconds since the epoch. */
  at: number;
  who: string;
  how: How;
  reason: string;
  hash: string;
  bytes: number;
}

/** Counts of one side of a flag within a window. Latencies in milliseconds; null without any. */
export interface WindowView {
  variant: "blue" | "green";
  cohort: string | null;
  requests: number;
  errors: number;
  /** Of those requests that have an outcome; 0 to 1, null without any. */
  errorRate: number | null;
  timeouts: number;
  diverted: number;
  rescued: number;
  mean: number | null;
  p50: number | null;
  p75: number | null;
  p95: number | null;
  p99: number | null;
  /** Different visitors, estimated to some percent. */
  visitors: number;
}

/** A flag's counts within a window of time; of green those of its present release. */
export interface MetricsView {
  flag: string;
  release: string;
  /** Milliseconds since the epoch. The window is rounded outwards to whole minutes (whole hours above 25 h). */
  from: number;
  to: number;
  /** False where a part of that time was not kept: then there are no rows. */
  complete: boolean;
  rows: WindowView[];
}

/** How much a flag was used within a window, both sides together: events where origins push any, else requests. */
export interface UsageView {
  flag: string;
  from: number;
  to: number;
  complete: boolean;
  /** Different targeting keys, estimated; of these it says `tenants` where the flag sticks by the tenant. */
  keys: number;
  tenants: number | null;
  operations: number;
  /** Milliseconds, null without any. */
  meanLatency: number | null;
  /** 0 to 1, null without any. */
  successRate: number | null;
}

/** Something has changed: what the stream of events sends. */
export interface ChangesView {
  revision: number;
  /** Id of the newest audit entry; the next question goes on from it. */
  last: number;
  /** Oldest first; at most 200. */
  entries: AuditEntry[];
}

/** What every write answers; a command to a rollout answers `RolloutView` instead. */
export interface WriteView {
  revision: number;
  /** False where it was so before. */
  changed: boolean;
  /** It was done by an earlier request with the same `Idempotency-Key`. */
  replayed: boolean;
  /** What a person reads, where there is more to say than that it is done. */
  sentence: string | null;
  /** The flag as it is now, where one was meant and it is still there. */
  flag?: FlagSpecView;
}

/** Who asks, as the API knows them. */
export interface WhoView {
  name: string;
  role: Role;
  by: "token" | "access";
  /** When the token ends, milliseconds since the epoch; absent: never, or not known. */
  expires?: number;
}

/** An evaluation, with where its flags came from. */
export interface EvaluationView extends Evaluation {
  /** `kv`: snapshot or document; `bundle`: the one of the build; `default`: there is no such flag; `env`: a variable. */
  source: "kv" | "bundle" | "default" | "env";
  /** Revision that this isolate serves by; 0 for none. */
  revision: number;
}

/** The scheduled pull of a document from elsewhere. */
export interface PullView {
  /** Host and path; never its query or credentials. */
  url: string;
  format: string;
  /** Milliseconds since the epoch, 0 for never: last tried, last answered well, last changed something. */
  triedAt: number;
  goodAt: number;
  changedAt: number;
  /** What went wrong last; null when it went well. */
  fault: string | null;
  /** Since when each try went wrong, milliseconds since the epoch; null while it goes well. */
  failingSince: number | null;
  /** What of the source has no counterpart, in sentences. */
  losses: string[];
}
