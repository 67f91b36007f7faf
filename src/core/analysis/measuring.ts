/** Measuring any condition: each metric by those who know it, sets of objectives by their parts. */
import type { Condition, CountedCondition, Objective, SlosCondition } from "../flag/condition.ts";
import { wordsOf } from "./condition-words.ts";
import { inARow } from "./in-a-row.ts";
import { adoption, measure } from "./measure.ts";
import { type Measure, unsaid } from "./measured.ts";
import { alerts, gauge, health, nonInferiority, smoke } from "./outside.ts";
import { isShort, type Reader, type Reading } from "./reading.ts";
import { advance, type Timer } from "./rule-memory.ts";
import { seconds } from "./words.ts";

/** Clocks of conditions that must hold for some time: as they were, and as they are after this look. */
export interface Clocks {
  readonly before: Readonly<Record<string, Timer>>;
  readonly after: Record<string, Timer>;
}

/** What a condition is measured with. */
export interface Measuring {
  reader: Reader;
  clocks: Clocks;
  /** Names the condition among those that have clocks. */
  key: string;
  /** Only this cohort; undefined: all. */
  cohort: string | undefined;
}

/** No look speaks for longer than this, or than its window, milliseconds. */
export const MAX_LOOK_MS = 120_000;

/** Measures a condition, but for how long it must hold. */
export function measureOf(condition: Condition, measuring: Measuring): Measure {
  const { reader } = measuring;
  const { telemetry, flag } = reader.sources;
  if (isCounted(condition)) {
    const found = tooOld(condition, measuring) ?? readingOf(condition, measuring);
    return "state" in found ? found : measureCounted(condition, found);
  }
  if (!telemetry) return unsaid("unmeasured", `Nothing is known of ${wordsOf(condition)}`);
  if (condition.metric === "alerts") return alerts(condition, telemetry, reader.since);
  const past = tooOld(condition, measuring);
  if (past) return past;
  switch (condition.metric) {
    case "gauge":
      return gauge(condition, telemetry, flag);
    case "health_check":
      return health(condition, telemetry, flag);
    case "slos":
      return slos(condition, measuring);
    case "smoke_test":
      return smoke(condition, telemetry);
    case "non_inferiority":
      return nonInferiority(condition, telemetry);
  }
}

/** Measures a condition on a reading. */
export function measureCounted(condition: CountedCondition, reading: Reading): Measure {
  if (condition.metric === "consecutive_errors") return inARow(condition, reading);
  if (condition.metric === "adoption") return adoption(condition, reading);
  return measure(condition, reading);
}

/** What a condition is read from, or why there is nothing. */
export function readingOf(condition: CountedCondition, { reader, cohort }: Measuring): Reading | Measure {
  const { telemetry } = reader.sources;
  if (isShort(condition) && cohort === undefined) {
    const short = reader.short(condition.window as number);
    if (short) return short;
  }
  if (telemetry) return reader.long(condition, telemetry, cohort);
  return unsaid("unmeasured", `No counts are kept for ${wordsOf(condition)}`);
}

/** Is it over counts of requests or events? */
export function isCounted(condition: Condition): condition is CountedCondition {
  return "window" in condition;
}

/** The clock of a condition after this look, which is kept. `met`: it holds now. */
export function clockOf(
  condition: { for: number; window?: number | "stage" },
  state: Measure["state"],
  { reader, clocks, key }: Measuring,
): Timer {
  const window = typeof condition.window === "number" ? condition.window * 1000 : MAX_LOOK_MS;
  const verdict =
    state === "met" ? "unhealthy" : state === "unmet" || state === "past" ? "healthy" : "insufficient";
  const timer = advance(clocks.before[key], verdict, reader.sources.now, Math.min(window, MAX_LOOK_MS));
  clocks.after[key] = timer;
  return timer;
}

function tooOld(condition: Condition, { reader }: Measuring): Measure | undefined {
  if (!("within" in condition) || condition.within === undefined) return undefined;
  const { telemetry, now } = reader.sources;
  if (!telemetry) return unsaid("unmeasured", "It is not known when the release began");
  if (telemetry.releaseAt === 0 || now <= telemetry.releaseAt + condition.within * 1000) return undefined;
  return unsaid(
    "past",
    `The release is older than ${seconds(condition.within)}, and ${wordsOf(condition)} no longer looked at`,
  );
}

/** A set is met when all of its objectives are, breached when one is not. */
function slos(condition: SlosCondition, measuring: Measuring): Measure {
  const { flag } = measuring.reader.sources;
  const { set, are } = condition;
  const objectives = flag.slos[set] ?? flag.plan?.slos[set];
  if (!objectives) return unsaid("unmeasured", `The flag has no objectives named ${set}`);
  const found = objectives.map((objective, i) =>
    objectiveOf(objective, { ...measuring, key: `${measuring.key} ${i} ${wordsOf(objective)}` }),
  );
  const which = (...states: Measure["state"][]) => found.filter(({ state }) => states.includes(state));
  const broken = which("unmet");
  const open = which("unmeasured")[0] ?? which("few")[0];
  const figures = {
    objectives: found.length,
    met: which("met", "past").length,
    breached: broken.length,
  };
  if (broken.length > 0) {
    const said = broken.map(({ measured, limit }) => (limit ? `${measured}; asked is ${limit}` : measured));
    const measured = `${count(broken.length)} of ${count(found.length)} objectives of ${set} breached: ${said.join("; ")}`;
    return { state: are === "breached" ? "met" : "unmet", measured, limit: "", figures };
  }
  if (open)
    return unsaid(open.state === "unmeasured" ? "unmeasured" : "few", `${set}: ${open.measured}`, figures);
  const measured = `All ${count(found.length)} objectives of ${set} are met`;
  return { state: are === "met" ? "met" : "unmet", measured, limit: "", figures };
}

/** An objective that must hold for some time is not met before, and not breached either. */
function objectiveOf(objective: Objective, measuring: Measuring): Measure {
  const found = measureOf(objective, measuring);
  if (objective.for === 0) return found;
  const { heldMs } = clockOf(objective, found.state, measuring);
  if (found.state !== "met" || heldMs >= objective.for * 1000) return found;
  return unsaid("few", `${found.measured}, for ${seconds(Math.floor(heldMs / 1000))} now`, found.figures);
}

function count(n: number): string {
  return String(n);
}
