/** What the controller's telemetry is told and asked, what origins push into it, and what is answered to them. */
import type { ComparisonTick } from "../core/analysis/comparing.ts";
import type { Used } from "../core/analysis/series.ts";
import type { RowId } from "../core/analysis/tally.ts";
import type { Telemetry } from "../core/analysis/telemetry.ts";
import type { Cell } from "../core/wire/messages.ts";
import type { Observation } from "../core/wire/outbox.ts";

/** One thing that happened. */
export interface PushedEvent {
  flag: string;
  /** Absent: of green, for what is told about a flag is told about what is new in it. */
  variant?: "blue" | "green";
  event: string;
  /** Absent: it neither succeeded nor failed, and counts as no failure. */
  outcome?: "success" | "failure";
  /** Milliseconds that it took; an event has this or a value. */
  ms?: number;
  /** Any value; quantiles tell 0.001 to 64. */
  value?: number;
  /** 32-bit hash of the targeting key (`visitorHash`): the key itself goes no further than the API. */
  visitor?: number;
  /** Absent: of none in particular. */
  cohort?: string;
  /** When it happened, milliseconds since the epoch; absent: now. */
  at?: number;
}

/** A number that an origin measures. */
export interface PushedGauge {
  /** Absent: of every flag. */
  flag?: string;
  name: string;
  value: number;
  /** When it was measured, milliseconds since the epoch; absent: now. */
  at?: number;
}

/** An alert as Alertmanager tells of it. */
export interface PushedAlert {
  /** Label `flag`; absent: of every flag. */
  flag?: string;
  fingerprint: string;
  status: "firing" | "resolved";
  /** Label `alertname`. */
  name: string;
  labels: Record<string, string>;
  /** Milliseconds since the epoch. */
  startsAt: number;
  /** Milliseconds since the epoch; absent while it fires. */
  endsAt?: number;
}

/** What an origin pushes. An `id` that was taken in the last 15 minutes is not taken again. */
export type Ingest =
  | { kind: "events"; id?: string; events: PushedEvent[] }
  | { kind: "gauges"; gauges: PushedGauge[] }
  | { kind: "alerts"; alerts: PushedAlert[] };

/** What became of it. */
export interface IngestResult {
  /** So many were taken. */
  taken: number;
  /** The batch was taken before; nothing was counted. */
  duplicate: boolean;
  /** Flags that the spec does not name: what was told of them is dropped. */
  unknown: string[];
  /** Events of more than 24 hours ago, of which no minutes are kept any more: dropped. */
  tooOld: number;
}

/** Which green is meant, and since when. Times in milliseconds since the epoch; 0 for never. */
export interface Course {
  release: string;
  releaseAt: number;
  stageAt: number;
}

/** What telemetry does not know by itself. */
export interface Surroundings {
  /** When any isolate was last heard from, milliseconds since the epoch. */
  heardAt: number;
  /** `Progress.validation`. */
  smoke: ReturnType<Telemetry["smoke"]>;
}

/**
 * The telemetry of all flags (class `Telemetries` in telemetry.ts; `new Telemetries(storage, known, isNew)`). All of it
 * belongs into the controller's transactions: what throws has changed memory.
 */
export interface TelemetriesApi {
  /** Takes cells that are evidence (`Evidence.take`), of whatever flags; those of flags not known are passed over. */
  take(cells: readonly { id: RowId; cell: Cell }[], now: number): void;
  /** Takes ticks that were compared, with the comparison's `strength`: for tests of non-inferiority. */
  compared(flag: string, ticks: readonly ComparisonTick[], strength: number): void;
  /** Follows a rollout; the same course again changes nothing. Another release begins anew for green. */
  stage(flag: string, course: Course, now: number): void;
  /** Takes what an origin has pushed, and writes it down. */
  ingest(push: Ingest, now: number): IngestResult;
  /** Takes a finding of the outbox (health checks, gauges; passes over the others). Each only once, in order. */
  observe(observation: Observation, now: number): void;
  /** What conditions of a flag are measured from. Call `stage` before. */
  of(flag: string, now: number, surroundings: Surroundings): Telemetry;
  /**
   * Requests, and events of the names that `isUse` takes, since `from` (milliseconds since the epoch): of both sides and
   * all releases. Undefined where that was not kept.
   */
  used(flag: string, from: number, now: number, isUse: (event: string) => boolean): Used | undefined;
  /** Writes down what has changed, every 5 s at most, or at once with `force`. */
  save(now: number, force?: boolean): void;
  /** Writes down what `observe` has changed: at most three rows, none when nothing has. */
  saveSignals(now: number): void;
  /** Nothing is known of what was before `now`: the store was lost. */
  beginAt(now: number): void;
  forget(flag: string): void;
}
