/** The telemetry of one flag: its series and its tests of non-inferiority, and how they are written down. */
import { MarginTests, type SavedMarginTests } from "../core/analysis/margin-tests.ts";
import type { Pages } from "../core/analysis/past.ts";
import { type SavedSeries, Series } from "../core/analysis/series.ts";
import { floorTo, HOUR_MS } from "../core/analysis/spans.ts";
import type { TelemetryStore } from "./telemetry-store.ts";

/** Pages that are too old are forgotten so often, milliseconds. */
const PRUNE_MS = 10 * 60_000;
/** Version of the form in which a flag is saved; one of another version begins anew with its pages. */
const VERSION = 1;

interface SavedFlag {
  v: number;
  series: SavedSeries;
  margins: SavedMarginTests;
}

export class FlagTelemetry {
  readonly series: Series;
  readonly margins: MarginTests;
  /** Changed since it was written down last? */
  dirty = false;
  readonly #flag: string;
  readonly #store: TelemetryStore;
  #prunedAt = 0;

  /** Goes on from what is stored. `begunAt`: what was before is not known, milliseconds since the epoch. */
  constructor(flag: string, store: TelemetryStore, begunAt: number) {
    this.#flag = flag;
    this.#store = store;
    const pages = { read: store.read.bind(store, flag) };
    const loaded = load(flag, store, pages);
    this.series = loaded?.series ?? new Series(pages, begunAt);
    this.margins = loaded?.margins ?? new MarginTests();
  }

  /** Writes down what has changed: minutes that are complete become pages, the rest is one row. */
  save(now: number): void {
    const settled = this.series.settle(now);
    for (const { minute, page } of settled) {
      this.#store.add(this.#flag, "minute", minute, page);
      this.#store.add(this.#flag, "hour", floorTo(minute, HOUR_MS), page);
    }
    if (settled.length > 0 || this.dirty) {
      const saved: SavedFlag = { v: VERSION, series: this.series.save(), margins: this.margins.save() };
      this.#store.saveFlag(this.#flag, saved);
      this.dirty = false;
    }
    if (now - this.#prunedAt < PRUNE_MS) return;
    this.#prunedAt = now;
    this.#store.prune(this.#flag, this.series.course.stageAt, now);
  }
}

/** A state that cannot be read is as none: the counts of all flags must not fail with it. */
function load(flag: string, store: TelemetryStore, pages: Pages) {
  try {
    const saved = store.loadFlag(flag) as SavedFlag | undefined;
    if (saved === undefined) return undefined;
    if (saved.v !== VERSION) throw new Error(`version ${saved.v}`);
    return { series: Series.load(saved.series, pages), margins: MarginTests.load(saved.margins) };
  } catch (error) {
    console.error(JSON.stringify({ event: "telemetry-unreadable", flag, message: String(error) }));
    return undefined;
  }
}
