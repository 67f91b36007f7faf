/** The stored pages of one flag, read in whole minutes and hours; sums of them are remembered until a page changes. */
import { type Choice, type Page, Sum } from "./page.ts";
import { type Level, stretches } from "./spans.ts";
import type { Tally } from "./tally.ts";

/** Sums that are remembered: those of the conditions of a flag, looked at each second. */
const MAX_REMEMBERED = 64;

/** Where the pages of a flag are stored. */
export interface Pages {
  /** Those that start in [from, to), milliseconds since the epoch, in any order. */
  read(level: Level, from: number, to: number): Iterable<Page>;
}

export class Past {
  readonly #pages: Pages;
  readonly #sums = new Map<string, Tally>();

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  /** Pages that make up [from, to), milliseconds since the epoch. */
  *read(from: number, to: number): Generator<Page> {
    for (const { level, ...stretch } of stretches(from, to))
      yield* this.#pages.read(level, stretch.from, stretch.to);
  }

  /** Counts of [from, to). To be read only. */
  sum(choice: Choice, from: number, to: number): Tally {
    const { variant, release, event = "", cohort = "", placement } = choice;
    const key = `${from}|${to}|${variant}|${release}|${event}|${cohort}|${placement}`;
    const known = this.#sums.get(key);
    if (known) return known;
    const pages = new Sum();
    for (const page of this.read(from, to)) page.sum(choice, pages);
    const sum = pages.tally();
    if (this.#sums.size >= MAX_REMEMBERED) this.#sums.clear();
    this.#sums.set(key, sum);
    return sum;
  }

  /** Pages have changed. */
  changed(): void {
    this.#sums.clear();
  }
}
