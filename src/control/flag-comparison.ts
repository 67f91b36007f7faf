/**
 * The comparison of one flag through its releases and stages: cells in, evidence, its trace and the memory of the
 * rules out. What is known of blue is the flag's; the rest is the release's. It refuses to know where it is kept.
 */
import type { ComparisonConfig, ComparisonTick, ComparisonView } from "../core/analysis/comparing.ts";
import { Comparison } from "../core/analysis/comparison.ts";
import { Feed, type SavedFeed } from "../core/analysis/feed.ts";
import type { RuleMemory } from "../core/analysis/rule-memory.ts";
import type { RowId } from "../core/analysis/tally.ts";
import {
  addPoint,
  loadTrace,
  newTrace,
  type SavedTrace,
  saveTrace,
  type Trace,
} from "../core/analysis/trace.ts";
import { FULL_SHARE } from "../core/flag/percentage.ts";
import type { Halt } from "../core/rollout/snapshot.ts";
import type { Cell } from "../core/wire/messages.ts";

/** Version of the saved form, that of the rules' memory in it included; another one begins anew, taught by history. */
const VERSION = 1;

/** What the rollout says of a flag, as far as its comparison goes. */
export interface Course {
  release: string;
  /** Share of green that is served, in thousandths of a percent. */
  share: number;
  config: ComparisonConfig;
}

/** A flag's comparison in JSON. */
export interface SavedFlagComparison {
  v: number;
  course: Course;
  feed: SavedFeed;
  comparison: ReturnType<Comparison["save"]>;
  trace: SavedTrace;
  memory: RuleMemory | undefined;
  wouldHalt: Halt[];
}

/** Blue's stored history, read only where it is needed. */
export type Remember = () => Iterable<ComparisonTick>;

export class FlagComparison {
  /** Evidence over time, of the present release. */
  trace: Trace;
  /** Halts of the present release that a dry run has kept from happening: one for each rule, the first one first. */
  readonly wouldHalt: Halt[];
  readonly #feed: Feed;
  #memory: RuleMemory | undefined;
  #comparison: Comparison;
  #course: Course;

  private constructor(course: Course, saved: SavedFlagComparison | undefined, remember: Remember) {
    this.#course = saved?.course ?? course;
    this.#feed = saved ? Feed.load(saved.feed) : new Feed();
    this.trace = saved ? loadTrace(saved.trace) : newTrace();
    this.#memory = saved?.memory;
    this.wouldHalt = saved?.wouldHalt ?? [];
    const { config } = this.#course;
    this.#comparison = saved ? Comparison.load(saved.comparison, config) : new Comparison(config);
    if (saved && this.#comparison.save().v === saved.comparison.v) return;
    // A new one, or one that another version has saved: it learns of blue from what is stored.
    for (const tick of remember()) this.#comparison.observe(tick);
    this.#stage();
  }

  /** Begins at what the rollout says now. */
  static begin(course: Course, remember: Remember, now: number, settleMs: number): FlagComparison {
    const begun = new FlagComparison({ ...course, share: 0 }, undefined, remember);
    begun.#feed.close(now, settleMs);
    begun.align(course);
    return begun;
  }

  /** Inverse of `save`; undefined for a form of another version. */
  static load(saved: SavedFlagComparison, remember: Remember): FlagComparison | undefined {
    return saved.v === VERSION ? new FlagComparison(saved.course, saved, remember) : undefined;
  }

  /** The course it is on. */
  get course(): Course {
    return this.#course;
  }

  /** Is green compared? Else only blue is learned. */
  get isLive(): boolean {
    return this.#course.share > 0;
  }

  /** End of the oldest tick with counts that are not compared yet, milliseconds since the epoch. */
  get openUntil(): number | undefined {
    return this.#feed.openUntil;
  }

  /** Follows the rollout: a new release begins anew, a new share is a new stage. True if anything has changed. */
  align(course: Course): boolean {
    const { release, share, config } = this.#course;
    const isReleased = course.release !== release;
    const isStaged = course.share !== share;
    const isConfigured = JSON.stringify(course.config) !== JSON.stringify(config);
    if (!isReleased && !isStaged && !isConfigured) return false;
    this.#course = course;
    if (isConfigured) {
      this.#comparison = Comparison.load(this.#comparison.save(), course.config);
      if (rulesOf(course.config) !== rulesOf(config)) this.#comparison.restart();
    }
    if (isReleased) {
      this.restart();
      this.trace = newTrace();
    }
    if (isStaged) this.#stage();
    return true;
  }

  /** Evidence begins anew: after a resume, or for another release. What is known of blue stays. */
  restart(): void {
    this.#feed.dropGreen();
    this.#comparison.restart();
    this.#memory = undefined;
    this.wouldHalt.length = 0;
  }

  /** Takes a cell that is evidence. Blue is blue under whatever release it was counted; green is its release's. */
  take({ variant, placement, release }: RowId, cell: Cell): void {
    if (placement !== "hash" || (variant === "green" && release !== this.#course.release)) return;
    this.#feed.add(variant, cell);
  }

  /** Compares what is complete at `now` (milliseconds since the epoch); returns its ticks. */
  close(now: number, settleMs: number): ComparisonTick[] {
    const ticks = this.#feed.close(now, settleMs);
    for (const tick of ticks) this.#comparison.observe(tick);
    const last = ticks.at(-1);
    if (last && this.isLive) {
      const { evidence, errors, latency } = this.view();
      addPoint(this.trace, { at: last.at, evidence, errors, latency, share: this.#course.share });
    }
    return ticks;
  }

  view(): ComparisonView {
    return this.#comparison.view();
  }

  /** What the rules remember of the present release. */
  get memory(): RuleMemory | undefined {
    return this.#memory;
  }

  /** Takes what the rules want to remember. */
  remember(memory: RuleMemory): void {
    this.#memory = memory;
  }

  /** Notes a halt that a dry run keeps from happening; false when its rule has been noted before. */
  note(halt: Halt): boolean {
    if (this.wouldHalt.some(({ rule }) => rule === halt.rule)) return false;
    this.wouldHalt.push(halt);
    return true;
  }

  /** It as JSON can hold it. */
  save(): SavedFlagComparison {
    return {
      v: VERSION,
      course: this.#course,
      feed: this.#feed.save(),
      comparison: this.#comparison.save(),
      trace: saveTrace(this.trace),
      memory: this.#memory,
      wouldHalt: this.wouldHalt,
    };
  }

  /** The stage begins with the next tick that is handed on: it is the first that the comparison has not seen. */
  #stage(): void {
    this.#comparison.stage(this.#feed.closedUntil, this.#course.share / FULL_SHARE);
  }
}

/** What evidence means: another threshold or signal makes what was gathered worthless. */
function rulesOf({ alpha, signals }: ComparisonConfig): string {
  return JSON.stringify([alpha, [...signals].sort()]);
}
