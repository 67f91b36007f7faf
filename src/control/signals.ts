/** What is known of the world besides counts: gauges as they were set last, alerts that fire, health checks. */

import type { Variant } from "../core/analysis/tally.ts";
import type { FiringAlert, GaugeReading, HealthReading } from "../core/analysis/telemetry.ts";
import type { Observation } from "../core/wire/outbox.ts";
import type { PushedAlert, PushedGauge } from "./telemetry-api.ts";
import type { TelemetryStore } from "./telemetry-store.ts";

/**
 * An alert that nobody has repeated for so long fires no more, milliseconds: its Alertmanager may be gone. One that fires
 * on is repeated every 4 hours by default, and must not be taken for over before.
 */
export const ALERT_MS = 5 * 3_600_000;
/** So many gauges and alerts at most; those heard of longest ago go out. */
const MAX_GAUGES = 20_000;
const MAX_ALERTS = 2_000;

/** Stands for every flag. */
const EVERY = "*";

interface KnownAlert extends Omit<PushedAlert, "status"> {
  /** When it was told of last, milliseconds since the epoch. */
  seenAt: number;
}

/** By what they are stored under. */
interface Saved {
  gauges: [string, GaugeReading][];
  alerts: { heard: boolean; known: KnownAlert[] };
  health: [string, HealthReading][];
}

export class Signals {
  readonly #store: TelemetryStore;
  /** By `flag|name`. */
  readonly #gauges: Map<string, GaugeReading>;
  /** By fingerprint. */
  readonly #alerts: Map<string, KnownAlert>;
  #alertsHeard: boolean;
  /** By `flag|variant`. */
  readonly #health: Map<string, HealthReading>;
  readonly #dirty = new Set<keyof Saved>();

  constructor(store: TelemetryStore) {
    this.#store = store;
    this.#gauges = new Map(store.signals("gauges") as Saved["gauges"] | undefined);
    const alerts = store.signals("alerts") as Saved["alerts"] | undefined;
    this.#alerts = new Map(alerts?.known.map((alert) => [alert.fingerprint, alert]));
    this.#alertsHeard = alerts?.heard ?? false;
    this.#health = new Map(store.signals("health") as Saved["health"] | undefined);
  }

  /** Sets a gauge, unless a newer reading is known. */
  set({ flag = EVERY, name, value, at = Number.POSITIVE_INFINITY }: PushedGauge, now: number): void {
    const key = `${flag}|${name}`;
    const reading = { value, at: Math.min(at, now) };
    if ((this.#gauges.get(key)?.at ?? 0) > reading.at) return;
    putLast(this.#gauges, key, reading, MAX_GAUGES);
    this.#dirty.add("gauges");
  }

  /** The newest reading of a gauge, of this flag or of every flag. */
  gauge(flag: string, name: string): GaugeReading | undefined {
    const own = this.#gauges.get(`${flag}|${name}`);
    const common = this.#gauges.get(`${EVERY}|${name}`);
    return own && common ? (own.at >= common.at ? own : common) : (own ?? common);
  }

  /** Notes that an Alertmanager has reported, maybe nothing. */
  hearAlerts(alerts: readonly PushedAlert[], now: number): void {
    this.#alertsHeard = true;
    this.#dirty.add("alerts");
    for (const { status, ...alert } of alerts) {
      const known = this.#alerts.get(alert.fingerprint);
      if (status === "firing")
        putLast(this.#alerts, alert.fingerprint, { ...alert, seenAt: now }, MAX_ALERTS);
      // One that came late does not end an alert that has begun anew since.
      else if (known && known.startsAt <= (alert.endsAt ?? now)) this.#alerts.delete(alert.fingerprint);
    }
  }

  /** Alerts that fire for a flag, each from its beginning on; undefined while no Alertmanager has ever reported. */
  alerts(flag: string, now: number): FiringAlert[] | undefined {
    if (!this.#alertsHeard) return undefined;
    return [...this.#alerts.values()]
      .filter((alert) => alert.flag === undefined || alert.flag === flag)
      .filter(({ seenAt, endsAt }) => now - seenAt < ALERT_MS && (endsAt === undefined || endsAt > now))
      .map(({ name, labels, startsAt }) => ({ name, labels, startsAt }));
  }

  health(flag: string, variant: Variant): HealthReading | undefined {
    return this.#health.get(`${flag}|${variant}`);
  }

  /** Takes a finding of the outbox; each only once, in order. Passes over those of other kinds. */
  observe(observation: Observation, now: number): void {
    const at = Math.min(observation.at, now);
    if (observation.type === "gauge") {
      const { flag, gauge: name, value } = observation;
      this.set({ flag, name, value, at }, now);
    }
    if (observation.type !== "health") return;
    const { flag, variant, passed, sentence } = observation;
    const failed = this.health(flag, variant)?.failedInARow ?? 0;
    this.#health.set(`${flag}|${variant}`, { failedInARow: passed ? 0 : failed + 1, at, sentence });
    this.#dirty.add("health");
  }

  /** Another release of green has no health checks behind it. */
  restartHealth(flag: string): void {
    if (this.#health.delete(`${flag}|green`)) this.#dirty.add("health");
  }

  /** Writes down what has changed: at most a row for each kind. */
  save(now: number): void {
    if (this.#dirty.has("gauges")) this.#store.saveSignals("gauges", [...this.#gauges]);
    if (this.#dirty.has("alerts")) {
      for (const [key, { seenAt }] of this.#alerts) if (now - seenAt >= ALERT_MS) this.#alerts.delete(key);
      const alerts: Saved["alerts"] = { heard: this.#alertsHeard, known: [...this.#alerts.values()] };
      this.#store.saveSignals("alerts", alerts);
    }
    if (this.#dirty.has("health")) this.#store.saveSignals("health", [...this.#health]);
    this.#dirty.clear();
  }

  forget(flag: string): void {
    for (const key of this.#gauges.keys()) {
      if (key.startsWith(`${flag}|`) && this.#gauges.delete(key)) this.#dirty.add("gauges");
    }
    for (const [key, alert] of this.#alerts) {
      if (alert.flag === flag && this.#alerts.delete(key)) this.#dirty.add("alerts");
    }
    for (const variant of ["blue", "green"]) {
      if (this.#health.delete(`${flag}|${variant}`)) this.#dirty.add("health");
    }
  }
}

function putLast<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  if (map.size >= most) map.delete([...map.keys()][0]!);
  map.set(key, value);
}
