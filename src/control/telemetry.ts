/**
 * The telemetry of all flags, in memory as far as they are in use: what gates and halt rules are measured from. It
 * knows nothing of decisions: it is told what comes, and says what there was.
 */
import type { ComparisonTick } from "../core/analysis/comparing.ts";
import { entry } from "../core/analysis/entry.ts";
import { Gathering } from "../core/analysis/happenings.ts";
import { whereOf } from "../core/analysis/page.ts";
import type { Used } from "../core/analysis/series.ts";
import { floorTo, HOUR_MS, MINUTES_KEPT_MS } from "../core/analysis/spans.ts";
import type { RowId } from "../core/analysis/tally.ts";
import type { Telemetry } from "../core/analysis/telemetry.ts";
import { LATENESS_MS } from "../core/analysis/window.ts";
import { type Cell, TICK_MS } from "../core/wire/messages.ts";
import type { Observation } from "../core/wire/outbox.ts";
import { FlagTelemetry } from "./flag-telemetry.ts";
import { Signals } from "./signals.ts";
import type {
  Course,
  Ingest,
  IngestResult,
  PushedEvent,
  Surroundings,
  TelemetriesApi,
} from "./telemetry-api.ts";
import { TelemetryStore } from "./telemetry-store.ts";

/** Written down so often: a crash costs so much evidence, never a sum; milliseconds. */
const SAVE_MS = 5_000;
/** A batch with the same id is taken once in so long, milliseconds. */
const BATCH_MS = 15 * 60_000;
/** Batches that are too old are forgotten so often, milliseconds. */
const PRUNE_MS = 10 * 60_000;
/** Events of longer ago are not taken, milliseconds: minutes are kept for an hour more. */
const OLDEST_EVENT_MS = MINUTES_KEPT_MS - HOUR_MS;

export class Telemetries implements TelemetriesApi {
  readonly #store: TelemetryStore;
  readonly #known: (flag: string) => boolean;
  readonly #signals: Signals;
  readonly #followed = new Map<string, FlagTelemetry>();
  readonly #batches: Map<string, number>;
  #begunAt: number;
  #savedAt = 0;
  #batchesPrunedAt = 0;

  /**
   * `known`: does the spec name a flag? `isNew`: nothing was ever counted before this store; else what was before it had
   * telemetry is not known.
   */
  constructor(storage: DurableObjectStorage, known: (flag: string) => boolean, isNew: boolean) {
    this.#store = new TelemetryStore(storage);
    this.#known = known;
    this.#signals = new Signals(this.#store);
    this.#batches = new Map(this.#store.batches());
    const stored = this.#store.signals("begunAt") as number | undefined;
    this.#begunAt = stored ?? (isNew ? 0 : Date.now());
    if (stored === undefined) this.beginAt(this.#begunAt);
  }

  beginAt(now: number): void {
    this.#begunAt = now;
    this.#store.saveSignals("begunAt", now);
  }

  take(cells: readonly { id: RowId; cell: Cell }[], _now: number): void {
    for (const { id, cell } of cells) {
      if (this.#known(id.flag)) this.#changed(id.flag).series.take(whereOf(id), cell.tick, cell.tally);
    }
  }

  compared(flag: string, ticks: readonly ComparisonTick[], strength: number): void {
    if (ticks.length > 0 && this.#known(flag)) this.#changed(flag).margins.observe(ticks, strength);
  }

  stage(flag: string, { release, releaseAt, stageAt }: Course, now: number): void {
    const followed = this.#find(flag);
    const { series, margins } = followed;
    if (series.course.release !== release) this.#signals.restartHealth(flag);
    if (!series.begin(release, releaseAt, stageAt, now)) return;
    margins.restart();
    // At once: it is told of a course when it changes, and a crash must not count by the one before.
    followed.dirty = true;
    followed.save(now);
  }

  ingest(push: Ingest, now: number): IngestResult {
    const result = this.#ingest(push, now);
    // At once: an origin that was answered sends it no more, and without traffic nobody comes by to write it down.
    this.saveSignals(now);
    return result;
  }

  #ingest(push: Ingest, now: number): IngestResult {
    switch (push.kind) {
      case "events":
        return this.#takeEvents(push, now);
      case "gauges": {
        const { ours, unknown } = this.#split(push.gauges);
        for (const gauge of ours) this.#signals.set(gauge, now);
        return { taken: ours.length, duplicate: false, unknown, tooOld: 0 };
      }
      case "alerts": {
        const { ours, unknown } = this.#split(push.alerts);
        this.#signals.hearAlerts(ours, now);
        return { taken: ours.length, duplicate: false, unknown, tooOld: 0 };
      }
    }
  }

  observe(observation: Observation, now: number): void {
    if ("flag" in observation && this.#known(observation.flag)) this.#signals.observe(observation, now);
  }

  of(flag: string, now: number, { heardAt, smoke }: Surroundings): Telemetry {
    const { series, margins } = this.#find(flag);
    return {
      now,
      heardAt,
      releaseAt: series.course.releaseAt,
      stageAt: series.course.stageAt,
      counts: (span) => series.counts(span, now),
      cohorts: () => series.cohorts(),
      earlier: (span, most) => series.earlier(span, most, now),
      gauge: (name) => this.#signals.gauge(flag, name),
      alerts: () => this.#signals.alerts(flag, now),
      health: (variant) => this.#signals.health(flag, variant),
      smoke: () => smoke,
      nonInferiority: (margin, alpha) => margins.of(margin, alpha),
    };
  }

  used(flag: string, from: number, now: number, isUse: (event: string) => boolean): Used | undefined {
    return this.#find(flag).series.used(from, isUse, now);
  }

  save(now: number, force = false): void {
    if (!force && now - this.#savedAt < SAVE_MS) return;
    this.#savedAt = now;
    for (const followed of this.#followed.values()) followed.save(now);
    this.saveSignals(now);
    if (now - this.#batchesPrunedAt < PRUNE_MS) return;
    this.#batchesPrunedAt = now;
    for (const [id, at] of this.#batches) if (now - at > BATCH_MS) this.#batches.delete(id);
    this.#store.forgetBatches(now - BATCH_MS);
  }

  saveSignals(now: number): void {
    this.#signals.save(now);
  }

  forget(flag: string): void {
    this.#followed.delete(flag);
    this.#store.delete(flag);
    this.#signals.forget(flag);
  }

  #takeEvents({ id, events }: Extract<Ingest, { kind: "events" }>, now: number): IngestResult {
    if (id !== undefined) {
      if (now - (this.#batches.get(id) ?? Number.NEGATIVE_INFINITY) <= BATCH_MS)
        return { taken: 0, duplicate: true, unknown: [], tooOld: 0 };
      this.#batches.set(id, now);
      this.#store.saveBatch(id, now);
    }
    const { ours, unknown } = this.#split(events);
    const gatherings = new Map<string, Gathering>();
    let tooOld = 0;
    for (const event of ours) {
      const at = Math.min(event.at ?? now, now);
      if (at < now - OLDEST_EVENT_MS) tooOld++;
      else this.#gather(gatherings, event, at);
    }
    for (const [flag, gathering] of gatherings) {
      const followed = this.#changed(flag);
      const { series } = followed;
      for (const { where, at, tally } of gathering.take()) {
        if (at + TICK_MS < now - LATENESS_MS) series.takeLate(where, at, tally);
        else series.take(where, at / TICK_MS, tally);
      }
      followed.save(now);
    }
    return { taken: ours.length - tooOld, duplicate: false, unknown, tooOld };
  }

  #gather(gatherings: Map<string, Gathering>, given: PushedEvent, at: number): void {
    const { flag, variant = "green", event, outcome, ms, value, visitor, cohort = "" } = given;
    const gathering = gatherings.get(flag) ?? new Gathering();
    gatherings.set(flag, gathering);
    const { release } = this.#find(flag).series.course;
    gathering.add({ variant, release, event, cohort, hashed: true }, floorTo(at, TICK_MS), {
      failed: outcome === "failure",
      ms,
      value,
      visitor,
    });
  }

  #split<T extends { flag?: string }>(things: readonly T[]): { ours: T[]; unknown: string[] } {
    const unknown = new Set<string>();
    const ours = things.filter(({ flag }) => {
      if (flag === undefined || this.#known(flag)) return true;
      unknown.add(flag);
      return false;
    });
    return { ours, unknown: [...unknown] };
  }

  #changed(flag: string): FlagTelemetry {
    const followed = this.#find(flag);
    followed.dirty = true;
    return followed;
  }

  #find(flag: string): FlagTelemetry {
    return entry(this.#followed, flag, () => new FlagTelemetry(flag, this.#store, this.#begunAt));
  }
}
