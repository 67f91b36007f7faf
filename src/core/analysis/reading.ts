/**
 * What a condition over counts is read from: its window of the last minute, kept tick by tick, or a longer stretch kept
 * by telemetry. Who measures cannot tell them apart.
 */
import { type CountedCondition, eventOf } from "../flag/condition.ts";
import type { Flag } from "../flag/schema.ts";
import { TICK_MS } from "../wire/messages.ts";
import { limitOf } from "./limits.ts";
import { HOUR_MS, MINUTE_MS, MINUTES_KEPT_MS } from "./spans.ts";
import { addTally, emptyTally, failures, type Tally, type Variant } from "./tally.ts";
import type { Span, Telemetry } from "./telemetry.ts";
import { LONGEST_WINDOW_MS, type Samples, trailing, type Window } from "./window.ts";

/** Windows before the present one that make up its history. */
export const EARLIER_WINDOWS = 60;

const WEEK_MS = 604_800_000;
/** Without a request of blue for so long there is no blue to compare with, milliseconds. */
const BLUE_GONE_AFTER_MS = 120_000;
/** Green's own past is looked at for so long at least, milliseconds: its last minute alone may be a bad one. */
const OWN_PAST_MS = 3_600_000;

/** Counts of one condition's window, and of what its limit starts from. Undefined: not kept for that time. */
export interface Reading {
  /** Counts of the window itself. */
  of(variant: Variant, placement: "all" | "hash"): Tally | undefined;
  /** Both variants in the window, everyone. */
  both(): Tally | undefined;
  /** Green's visitors of requests where the condition is about an event. */
  visitors(): Tally | undefined;
  /** Green's window of the same length that ends where the stage began. */
  before(): Tally | undefined;
  /**
   * Green's window before the stage, of an hour at least, where blue has had no traffic for two minutes: it takes
   * blue's place then. `blue`: it need not.
   */
  own(): Tally | undefined | "blue";
  /** The same window a week ago, both variants: what the whole flag did then. */
  lastWeek(): Tally | undefined;
  /** Counts of green in whole ticks and minutes inside the window: what counts of earlier windows can be compared with. */
  inside(): Tally | undefined;
  /** The same of both variants, everyone. */
  bothInside(): Tally | undefined;
  /** Windows before this one, oldest first. */
  earlier(): { count: number; failures: number }[];
  /** The longest run of green that can lie in the window. */
  failed: number;
}

/** What all conditions of a flag are read from at one moment. */
export interface Sources {
  flag: Flag;
  /** The last minute; undefined before the first count of the release. */
  window: Window | undefined;
  telemetry: Telemetry | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Reads counts of one flag at one moment, each stretch once. */
export class Reader {
  readonly sources: Sources;
  readonly #samples = new Map<number, Samples>();
  readonly #tallies = new Map<string, Tally | undefined>();

  readonly since: number;

  /** `since`: nothing that began before counts, milliseconds since the epoch. */
  constructor(sources: Sources, since = 0) {
    this.sources = sources;
    this.since = since;
  }

  /** Counts of the trailing window of at most a minute. */
  samples(seconds: number): Samples | undefined {
    const { window, now } = this.sources;
    if (!window) return undefined;
    let samples = this.#samples.get(seconds);
    if (!samples) {
      samples = trailing(window, now, seconds * 1000);
      this.#samples.set(seconds, samples);
    }
    return samples;
  }

  /** The reading of a condition over the last minute at most; undefined before the first count. */
  short(seconds: number): Reading | undefined {
    const samples = this.samples(seconds);
    const { window, telemetry } = this.sources;
    if (!samples || !window) return undefined;
    const reading = shortReading(samples, window.failed);
    if (!telemetry) return reading;
    return { ...reading, own: () => this.#own(telemetry, seconds * 1000, undefined, undefined) };
  }

  /** The reading of a condition over a stretch that telemetry keeps. */
  long(condition: CountedCondition, telemetry: Telemetry, cohort: string | undefined): Reading {
    const event = eventOf(condition);
    const { from, to, began } = this.#stretch(condition, telemetry);
    const of = (variant: Variant, placement: "all" | "hash", at = { from, to }) =>
      // Blue is not kept by cohort: it is the same for all of them.
      this.#tally(telemetry, {
        variant,
        placement,
        cohort: variant === "green" ? cohort : undefined,
        event,
        ...at,
      });
    const ago = { from: began - WEEK_MS, to: to - WEEK_MS };
    const length = to - began;
    const before = { from: telemetry.stageAt - length, to: telemetry.stageAt };
    const inside = clipped({ from: insideOf(began, length), to }, from);
    const green = of("green", "all");
    return {
      of,
      both: () => sum(green, of("blue", "all")),
      visitors: () =>
        this.#tally(telemetry, { variant: "green", placement: "all", cohort, event: undefined, from, to }),
      before: () => of("green", "all", clipped(before, telemetry.releaseAt)),
      own: () => this.#own(telemetry, length, cohort, event),
      lastWeek: () => sum(of("green", "all", ago), of("blue", "all", ago)),
      inside: () => of("green", "all", inside),
      bothInside: () => sum(of("green", "all", inside), of("blue", "all", inside)),
      earlier: () =>
        telemetry.earlier(
          { variant: "green", placement: "all", cohort, event, from: began, to },
          EARLIER_WINDOWS,
        ),
      failed: green ? failures(green) : 0,
    };
  }

  /**
   * The stretch of a condition. Green of a release has no counts from before it began, and none that count from before
   * the last resume; so the stretch begins there at the earliest, for both sides. `began` is where it would begin.
   */
  #stretch({ window }: CountedCondition, telemetry: Telemetry): { from: number; to: number; began: number } {
    const { now } = this.sources;
    // What began at this very millisecond is in it.
    const to = now + 1;
    const began = window === "stage" ? telemetry.stageAt || telemetry.releaseAt : now - window * 1000;
    const evidence = this.since;
    // Longer stretches are kept by the minute: begun in the middle of one, they would hold what was before the resume.
    const since = now - evidence > LONGEST_WINDOW_MS ? Math.ceil(evidence / MINUTE_MS) * MINUTE_MS : evidence;
    return { ...clipped({ from: began, to }, Math.max(telemetry.releaseAt, since)), began };
  }

  #own(
    telemetry: Telemetry,
    length: number,
    cohort: string | undefined,
    event: string | undefined,
  ): Tally | undefined | "blue" {
    const to = this.sources.now + 1;
    const lately = { from: to - BLUE_GONE_AFTER_MS, to };
    const none = { cohort: undefined, event: undefined };
    const blue = this.#tally(telemetry, { variant: "blue", placement: "hash", ...none, ...lately });
    if (!blue || blue.requests > 0) return "blue";
    const { stageAt, releaseAt } = telemetry;
    const past = clipped({ from: stageAt - Math.max(length, OWN_PAST_MS), to: stageAt }, releaseAt);
    return this.#tally(telemetry, { variant: "green", placement: "all", cohort, event, ...past });
  }

  #tally(telemetry: Telemetry, span: Span): Tally | undefined {
    const { variant, placement, cohort, event, from, to } = span;
    if (from >= to) return emptyTally();
    const key = `${variant}|${placement}|${cohort ?? ""}|${event ?? ""}|${from}|${to}`;
    if (!this.#tallies.has(key)) this.#tallies.set(key, telemetry.counts(span));
    return this.#tallies.get(key);
  }
}

/** The reading of samples of the last minute. `failed`: green's failures since the last resume. */
export function shortReading(samples: Samples, failed: number): Reading {
  const none = () => undefined;
  return {
    of: (variant, placement) => samples[variant][placement],
    both: () => sum(samples.green.all, samples.blue.all),
    visitors: () => samples.green.all,
    before: none,
    own: () => "blue",
    lastWeek: none,
    inside: () => samples.green.all,
    bothInside: () => sum(samples.green.all, samples.blue.all),
    earlier: () => [],
    failed,
  };
}

/** The reading in which blue stands for green. */
export function swapped(reading: Reading): Reading {
  return {
    ...reading,
    of: (variant, placement) => reading.of(variant === "green" ? "blue" : "green", placement),
    failed: Number.POSITIVE_INFINITY,
  };
}

/** Can the condition be read from the last minute, tick by tick? */
export function isShort(condition: CountedCondition): boolean {
  if (condition.window === "stage" || condition.window * 1000 > LONGEST_WINDOW_MS) return false;
  if (condition.scope === "cohort" || eventOf(condition) !== undefined) return false;
  if (condition.metric === "visitors" || condition.metric === "adoption") return false;
  const { limit } = limitOf(condition);
  return typeof limit === "number" || ("baseline" in limit && limit.baseline === "blue");
}

/** Where a window begins that is read in whole parts and must not be too long: a count would only rise by that. */
function insideOf(began: number, length: number): number {
  const unit = length <= LONGEST_WINDOW_MS + 1 ? TICK_MS : length <= MINUTES_KEPT_MS ? MINUTE_MS : HOUR_MS;
  return (Math.floor(began / unit) + 1) * unit;
}

function clipped({ from, to }: { from: number; to: number }, earliest: number) {
  return { from: Math.max(from, earliest), to };
}

function sum(a: Tally | undefined, b: Tally | undefined): Tally | undefined {
  return a && b && addTally(addTally(emptyTally(), a), b);
}
