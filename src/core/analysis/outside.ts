/** Measuring what is not counted from requests: gauges, health checks, alerts, the stage's list of requests. */
import type {
  AlertsCondition,
  GaugeCondition,
  HealthCondition,
  NonInferiorityCondition,
  SmokeCondition,
} from "../flag/condition.ts";
import type { Flag } from "../flag/schema.ts";
import { decimal, ratio } from "./exact.ts";
import { limitOf, meets, show } from "./limits.ts";
import { type Measure, unsaid } from "./measured.ts";
import type { FiringAlert, Telemetry } from "./telemetry.ts";
import { count, percent, seconds, weight } from "./words.ts";

/** A reading older than this, or than three of its intervals, says nothing of now, seconds. */
export const STALE_AFTER_SECONDS = 300;
const INTERVALS = 3;

/** A number that is pushed or fetched. */
export function gauge(condition: GaugeCondition, telemetry: Telemetry, flag: Flag): Measure {
  const name = condition.gauge;
  const reading = telemetry.gauge(name);
  if (!reading || !Number.isFinite(reading.value))
    return unsaid("unmeasured", `Gauge ${name} was never heard of`);
  const old = staleness(reading.at, telemetry.now, flag.pulls[name]?.interval);
  if (old !== undefined) return unsaid("unmeasured", `Gauge ${name} was last measured ${old} ago`);
  const ask = numberOf(condition);
  return {
    state: meets(limitOf(condition).operator, decimal(reading.value), decimal(ask)) ? "met" : "unmet",
    measured: `Gauge ${name} is ${show(reading.value, "plain")}`,
    limit: show(ask, "plain"),
    figures: { value: reading.value, limit: ask },
  };
}

/** Failed health checks of green in a row. */
export function health(condition: HealthCondition, telemetry: Telemetry, flag: Flag): Measure {
  const reading = telemetry.health("green");
  if (!reading) return unsaid("unmeasured", "Green's health was not checked yet");
  const old = staleness(reading.at, telemetry.now, flag.healthCheck?.interval);
  if (old !== undefined) return unsaid("unmeasured", `Green's health was last checked ${old} ago`);
  const { failedInARow, sentence } = reading;
  const ask = numberOf(condition);
  const why = failedInARow > 0 && sentence !== "" ? ` (${sentence})` : "";
  return {
    state: meets(limitOf(condition).operator, ratio(failedInARow, 1), decimal(ask)) ? "met" : "unmet",
    measured: `${count(failedInARow, "health check")} of green failed in a row${why}`,
    limit: String(ask),
    figures: { failedInARow, limit: ask },
  };
}

/**
 * Alerts that fire. Limited to the first seconds of a release, those count that began in them: one that is heard of
 * late still does, one that was there before the release never. `since`: none that began before the last resume either.
 */
export function alerts(condition: AlertsCondition, telemetry: Telemetry, since: number): Measure {
  const firing = telemetry.alerts();
  if (!firing) return unsaid("unmeasured", "No Alertmanager has reported yet");
  const { labels, within } = condition;
  const { releaseAt, now } = telemetry;
  const inTime = ({ startsAt }: FiringAlert) =>
    within === undefined || (startsAt >= Math.max(releaseAt, since) && startsAt <= releaseAt + within * 1000);
  const found = firing.filter((alert) => hasLabels(alert, labels) && inTime(alert));
  const passed = within !== undefined && now > releaseAt + within * 1000;
  const when = within === undefined ? "" : ` that began in the first ${seconds(within)} of the release`;
  const ask = numberOf(condition);
  const which = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const names = [...new Set(found.map(({ name }) => name))].slice(0, MAX_NAMES).join(", ");
  const state = meets(limitOf(condition).operator, ratio(found.length, 1), decimal(ask)) ? "met" : "unmet";
  return {
    state: passed && found.length === 0 ? "past" : state,
    measured: `${count(found.length, "alert")}${which.length > 0 ? ` with ${which.join(", ")}` : ""} ${found.length === 1 ? "fires" : "fire"}${when}${names === "" ? "" : ` (${names})`}`,
    limit: String(ask),
    figures: { alerts: found.length, limit: ask },
  };
}

/** Names of alerts that a sentence holds. */
const MAX_NAMES = 3;

/** The name is a label, too (`alertname`), wherever it is kept. */
function hasLabels({ name, labels }: FiringAlert, asked: Record<string, string>): boolean {
  const all: Record<string, string> = { alertname: name, ...labels };
  return Object.entries(asked).every(([label, value]) => Object.hasOwn(all, label) && all[label] === value);
}

/** How the stage's list of requests went. */
export function smoke({ is }: SmokeCondition, telemetry: Telemetry): Measure {
  const state = telemetry.smoke();
  if (state === "waiting") return unsaid("few", "The stage's requests are being tried on green");
  if (state === "none")
    return is === "failed"
      ? { state: "unmet", measured: "No requests of the stage were tried on green", limit: "", figures: {} }
      : unsaid("few", "No requests of the stage were tried on green yet");
  const said = state === "passed" ? "Green answered the stage's requests as expected" : FAILED;
  return { state: state === is ? "met" : "unmet", measured: said, limit: "", figures: {} };
}

const FAILED = "Green did not answer the stage's requests as expected";

/** Evidence that green fails at most `margin` more than blue. */
export function nonInferiority({ margin, alpha }: NonInferiorityCondition, telemetry: Telemetry): Measure {
  const found = telemetry.nonInferiority(margin, alpha);
  if (!found) return unsaid("few", "Green and blue are not compared yet");
  return {
    state: found.passed ? "met" : "unmet",
    measured: `Evidence that green fails at most ${percent(margin)} more than blue is ${weight(found.evidence)}`,
    limit: weight(1 / alpha),
    figures: { evidence: found.evidence, margin, limit: 1 / alpha },
  };
}

/** How old a reading is, where it is too old to speak of now. */
function staleness(at: number, now: number, interval = 0): string | undefined {
  const most = Math.max(STALE_AFTER_SECONDS, INTERVALS * interval) * 1000;
  return now - at > most ? seconds(Math.floor((now - at) / 1000)) : undefined;
}

function numberOf(condition: GaugeCondition | HealthCondition | AlertsCondition): number {
  const { limit } = limitOf(condition);
  return typeof limit === "number" ? limit : 0;
}
