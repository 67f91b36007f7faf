/**
 * Counts of one flag over time: ticks for a minute, minutes for a day, hours for two weeks, and exactly what came since
 * the release and since the stage began. What is complete it hands over to be stored as pages and reads from there.
 *
 * How exact a span is:
 * - from `stageAt` or `releaseAt` until now: to the tick (2 s). A tick counts whole where it started.
 * - until now, of at most a minute: to the tick, rounded outwards: it may be 2 s too long, never too short.
 * - until now, longer: begins with a whole minute, or hour where that was more than 25 hours ago: rounded outwards.
 * - until `stageAt`: begins like that and ends exactly.
 * - any other in the past: moved back to where minutes or hours begin, at least one of them long, so that it keeps its
 *   length and holds nothing that came after it.
 */
import { TICK_MS } from "../wire/messages.ts";
import { CourseCounts, type SavedCourseCounts } from "./course-counts.ts";
import { entry } from "./entry.ts";
import { type Choice, Page, type SavedPage, Sum, slim, type Where } from "./page.ts";
import { type Pages, Past, type Rate } from "./past.ts";
import {
  floorTo,
  HOUR_MS,
  HOURS_KEPT_MS,
  hasMinutes,
  MINUTE_MS,
  minutesAround,
  minutesSince,
} from "./spans.ts";
import type { Tally } from "./tally.ts";
import type { Span } from "./telemetry.ts";
import { LATENESS_MS, LONGEST_WINDOW_MS } from "./window.ts";

/** Ticks are kept for so long, milliseconds: the longest window of ticks, and the tick at its beginning. */
const TICKS_KEPT_MS = LONGEST_WINDOW_MS + TICK_MS;
/** A minute is complete so long after its end, milliseconds; what comes later is handed over later. */
const SETTLED_AFTER_MS = LATENESS_MS + TICK_MS;
/** A series in JSON, but for its stored pages. */
export interface SavedSeries {
  begunAt: number;
  course: SavedCourseCounts;
  ticks: [number, SavedPage][];
  open: [number, SavedPage][];
}

/** How much a flag was used. */
export interface Used {
  requests: Tally;
  events: Tally;
}

/** A minute's counts that are complete, to be added to what is stored of it. */
export interface Settled {
  /** Start of the minute, milliseconds since the epoch. */
  minute: number;
  page: Page;
}

export class Series {
  readonly #past: Past;
  /** Before it nothing is known, milliseconds since the epoch. */
  readonly #begunAt: number;
  #course = CourseCounts.none();
  /** By tick. */
  readonly #ticks = new Map<number, Page>();
  /** By start of the minute: what is not handed over yet. */
  readonly #open = new Map<number, Page>();

  constructor(pages: Pages, begunAt: number) {
    this.#past = new Past(pages);
    this.#begunAt = begunAt;
  }

  /** The release that is green, when it began and when the stage did. */
  get course(): Readonly<{ release: string; releaseAt: number; stageAt: number }> {
    return this.#course;
  }

  /** Takes counts of a tick that are evidence. */
  take(where: Where, tick: number, tally: Tally): void {
    const counts = where.event === undefined ? slim(tally) : tally;
    entry(this.#ticks, tick, () => new Page()).add(where, counts);
    this.#add(where, tick * TICK_MS, counts);
  }

  /** Takes counts of a moment (ms since the epoch) too long ago to be evidence: they are in no window of ticks. */
  takeLate(where: Where, at: number, tally: Tally): void {
    this.#add(where, floorTo(at, TICK_MS), tally);
  }

  /**
   * Follows a rollout. True if anything has changed: then counts since the release or the stage begin at that moment,
   * with those of the ticks that are known, or else of the whole minutes.
   */
  begin(release: string, releaseAt: number, stageAt: number, now: number): boolean {
    const old = this.#course;
    const released = release !== old.release || releaseAt !== old.releaseAt;
    if (!released && stageAt === old.stageAt) return false;
    const cut = new Page();
    const minute = floorTo(stageAt, MINUTE_MS);
    for (const [tick, page] of this.#ticks) {
      if (tick * TICK_MS >= minute && tick * TICK_MS < stageAt) cut.merge(page);
    }
    const ofRelease = released ? this.#since(releaseAt, now) : old.ofRelease;
    const ofStage = this.#since(stageAt, now);
    this.#course = new CourseCounts({ release, releaseAt, stageAt }, { ofRelease, ofStage, cut });
    this.#past.changed();
    return true;
  }

  /**
   * Counts of a span; undefined where (part of) it was not kept. One that ends at `now` or later is one until now, with
   * what clocks that run ahead have counted; at the moment at which the stage begins it must end later to be that.
   */
  counts(span: Span, now: number): Tally | undefined {
    const choice = this.#choice(span);
    const sum = new Sum();
    const untilNow = span.to >= now && span.to !== this.#course.stageAt;
    const since = untilNow ? this.#course.since(span.from) : undefined;
    if (since) {
      since.sum(choice, sum);
      return sum.tally();
    }
    if (untilNow && span.from >= now - LONGEST_WINDOW_MS) {
      const first = Math.floor(span.from / TICK_MS);
      for (const [tick, page] of this.#ticks) if (tick >= first) page.sum(choice, sum);
      return sum.tally();
    }
    if (span.from < Math.max(this.#begunAt, this.#oldest(span, now))) return undefined;
    const [from, unit] = this.#edge(span.from, now);
    if (untilNow) return this.#sumOf(choice, from, floorTo(now, MINUTE_MS), sum, true);
    if (span.to === this.#course.stageAt) {
      this.#course.cut.sum(choice, sum);
      return this.#sumOf(choice, from, floorTo(span.to, MINUTE_MS), sum);
    }
    const [to] = this.#edge(span.to, now);
    return this.#sumOf(choice, from, Math.max(to, from + unit), sum);
  }

  /**
   * How many there were in the windows before a span, each as long as it (in whole minutes), oldest first, at most
   * `most` and as many as are kept; those without any are left out. Windows that are no whole hours are kept a day.
   */
  earlier(span: Span, most: number, now: number): { count: number; failures: number }[] {
    const choice = this.#choice(span);
    // A span until now ends a millisecond later, for what began at this very one is in it.
    const length = Math.max(1, Math.ceil((span.to - span.from - 1) / MINUTE_MS)) * MINUTE_MS;
    const windows: { count: number; failures: number }[] = [];
    let to = floorTo(span.from, MINUTE_MS);
    for (let i = 0; i < most; i++) {
      const from = to - length;
      if (from < Math.max(this.#begunAt, now - HOURS_KEPT_MS + HOUR_MS)) break;
      if (from < minutesSince(now) && length % HOUR_MS !== 0) break;
      // A window in which the release began is none of its length: its count would be too low.
      if (span.variant === "green" && from < this.#course.releaseAt) break;
      const unit = from < minutesSince(now) ? HOUR_MS : MINUTE_MS;
      const window = this.#rateOf(choice, floorTo(from, unit), floorTo(to, unit));
      if (window.count > 0) windows.push(window);
      to = from;
    }
    return windows.reverse();
  }

  /**
   * Requests, and events of the names that `isUse` takes, of both variants and all releases since `from` (the start of a
   * minute, or of an hour where no minutes are kept; within the last minute any time); undefined where that was not kept.
   */
  used(from: number, isUse: (event: string) => boolean, now: number): Used | undefined {
    if (from < Math.max(this.#begunAt, now - HOURS_KEPT_MS)) return undefined;
    const [requests, events] = [new Sum(), new Sum()];
    const add = (page: Page) => page.use(isUse, requests, events);
    if (from >= now - LONGEST_WINDOW_MS) {
      for (const [tick, page] of this.#ticks) if (tick >= Math.floor(from / TICK_MS)) add(page);
    } else {
      for (const page of this.#past.read(from, floorTo(now, MINUTE_MS))) add(page);
      for (const [minute, page] of this.#open) if (minute >= from) add(page);
    }
    return { requests: requests.tally(), events: events.tally() };
  }

  /** Cohorts of green with requests. */
  cohorts(): string[] {
    return this.#course.ofRelease.cohorts(this.#course.release);
  }

  /** Gives away the minutes that are complete and forgets the ticks that are too old. */
  settle(now: number): Settled[] {
    for (const tick of this.#ticks.keys()) {
      if ((tick + 1) * TICK_MS <= now - TICKS_KEPT_MS) this.#ticks.delete(tick);
    }
    const settled: Settled[] = [];
    for (const [minute, page] of this.#open) {
      if (minute + MINUTE_MS + SETTLED_AFTER_MS > now) continue;
      settled.push({ minute, page });
      this.#open.delete(minute);
    }
    if (settled.length > 0) this.#past.changed(settled.map(({ minute }) => minute));
    return settled;
  }

  /** The series as JSON can hold it. */
  save(): SavedSeries {
    const saved = (pages: Map<number, Page>) =>
      [...pages].map(([at, page]): [number, SavedPage] => [at, page.save()]);
    return {
      begunAt: this.#begunAt,
      course: this.#course.save(),
      ticks: saved(this.#ticks),
      open: saved(this.#open),
    };
  }

  /** Inverse of `save`. */
  static load(saved: SavedSeries, pages: Pages): Series {
    const series = new Series(pages, saved.begunAt);
    series.#course = CourseCounts.load(saved.course);
    for (const [tick, page] of saved.ticks) series.#ticks.set(tick, Page.load(page));
    for (const [minute, page] of saved.open) series.#open.set(minute, Page.load(page));
    return series;
  }

  #add(where: Where, at: number, counts: Tally): void {
    entry(this.#open, floorTo(at, MINUTE_MS), () => new Page()).add(where, counts);
    this.#course.add(where, at, counts);
  }

  /** What is asked for must not begin before. */
  #oldest({ to }: Span, now: number): number {
    const { stageAt } = this.#course;
    const oldest = now - HOURS_KEPT_MS;
    return to === stageAt ? Math.min(oldest, minutesAround(stageAt).from) : oldest;
  }

  #choice({ variant, event, cohort, placement }: Span): Choice {
    return { variant, release: this.#course.release, event, cohort, placement };
  }

  /** Start of the minute or, where none are kept, of the hour. */
  #edge(at: number, now: number): [edge: number, unit: number] {
    const unit = hasMinutes(at, this.#course.stageAt, now) ? MINUTE_MS : HOUR_MS;
    return [floorTo(at, unit), unit];
  }

  /** Adds what is stored of [from, to), and what is not stored yet of it, or `onwards` of all that came after. */
  #sumOf(choice: Choice, from: number, to: number, sum: Sum, onwards = false): Tally {
    sum.add(this.#past.sum(choice, from, to));
    for (const [minute, open] of this.#open) {
      if (minute >= from && (onwards || minute < to)) open.sum(choice, sum);
    }
    return sum.tally();
  }

  #rateOf(choice: Choice, from: number, to: number): Rate {
    const sum = { ...this.#past.rate(choice, from, to) };
    for (const [minute, page] of this.#open) {
      if (minute < from || minute >= to) continue;
      const { count, failures } = page.rate(choice);
      sum.count += count;
      sum.failures += failures;
    }
    return sum;
  }

  /** What is known of the time since `at`. */
  #since(at: number, now: number): Page {
    const page = new Page();
    if (at >= now - LONGEST_WINDOW_MS) {
      for (const [tick, counts] of this.#ticks) if (tick * TICK_MS >= at) page.merge(counts);
      return page;
    }
    const unit = hasMinutes(at, this.#course.stageAt, now) ? MINUTE_MS : HOUR_MS;
    const from = Math.ceil(at / unit) * unit;
    for (const counts of this.#past.read(from, floorTo(now, MINUTE_MS))) page.merge(counts);
    for (const [minute, counts] of this.#open) if (minute >= from) page.merge(counts);
    return page;
  }
}
