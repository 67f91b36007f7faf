/** Stored pages in memory, as the controller's store keeps them: in JSON, minutes and hours. */
import { Page } from "../../../src/core/analysis/page.ts";
import type { Pages } from "../../../src/core/analysis/past.ts";
import { Series } from "../../../src/core/analysis/series.ts";
import { floorTo, HOUR_MS, isKept, type Level } from "../../../src/core/analysis/spans.ts";

export class StoredPages implements Pages {
  readonly #rows = new Map<string, string>();
  /** Pages read so far. */
  reads = 0;

  read(level: Level, from: number, to: number): Page[] {
    const pages: Page[] = [];
    for (const [key, row] of this.#rows) {
      const [of, start] = key.split("|");
      if (of === level && Number(start) >= from && Number(start) < to) pages.push(Page.load(JSON.parse(row)));
    }
    this.reads += pages.length;
    return pages;
  }

  /** Writes down what the series has settled, and forgets what nobody can ask for. */
  settle(series: Series, now: number): void {
    for (const { minute, page } of series.settle(now)) {
      this.#add("minute", minute, page);
      this.#add("hour", floorTo(minute, HOUR_MS), page);
    }
    this.#prune(series.course.stageAt, now);
  }

  /** The series after it was written down and read again. */
  reload(series: Series): Series {
    return Series.load(JSON.parse(JSON.stringify(series.save())), this);
  }

  #prune(stageAt: number, now: number): void {
    for (const key of this.#rows.keys()) {
      const [level, start] = key.split("|");
      if (!isKept(level as Level, Number(start), stageAt, now)) this.#rows.delete(key);
    }
  }

  #add(level: Level, start: number, counts: Page): void {
    const key = `${level}|${start}`;
    const row = this.#rows.get(key);
    const page = row === undefined ? new Page() : Page.load(JSON.parse(row));
    page.merge(counts);
    this.#rows.set(key, JSON.stringify(page.save()));
  }
}
