/** The stored pages of one flag, read in whole minutes and hours; sums of them are remembered until a page changes. */
import { type Choice, type Page, Sum } from "./page.ts";
import { type Level, stretches } from "./spans.ts";
import type { Tally } from "./tally.ts";

/** Sums that are remembered: those of the conditions of a flag, looked at each second. */
const MAX_REMEMBERED = 64;

/** Rates that are remembered: those of the earlier windows of a few conditions, at each minute that they may begin. */
const MAX_RATES = 1_000;

/** How many there were, and how many of them failed. */
export interface Rate {
  count: number;
  failures: number;
}

/** Where the pages of a flag are stored. */
export interface Pages {
  /** Those that start in [from, to), milliseconds since the epoch, in any order. */
  read(level: Level, from: number, to: number): Iterable<Page>;
}

export class Past {
  readonly #pages: Pages;
  readonly #sums = new Map<string, Tally>();
  readonly #rates = new Map<string, { from: number; to: number; rate: Rate }>();

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
    const key = keyOf(choice, from, to);
    const known = this.#sums.get(key);
    if (known) return known;
    const pages = new Sum();
    for (const page of this.read(from, to)) page.sum(choice, pages);
    const sum = pages.tally();
    if (this.#sums.size >= MAX_REMEMBERED) this.#sums.clear();
    this.#sums.set(key, sum);
    return sum;
  }

  /** How many there were in [from, to) and how many failed. To be read only. */
  rate(choice: Choice, from: number, to: number): Rate {
    const key = keyOf(choice, from, to);
    const known = this.#rates.get(key);
    if (known) return known.rate;
    const rate: Rate = { count: 0, failures: 0 };
    for (const page of this.read(from, to)) {
      const { count, failures } = page.rate(choice);
      rate.count += count;
      rate.failures += failures;
    }
    if (this.#rates.size >= MAX_RATES) this.#rates.clear();
    this.#rates.set(key, { from, to, rate });
    return rate;
  }

  /** Pages of these minutes have changed (milliseconds since the epoch), or all. */
  changed(minutes?: readonly number[]): void {
    this.#sums.clear();
    if (!minutes) this.#rates.clear();
    // Most windows were over long ago: what is remembered of them stays.
    for (const [key, { from, to }] of this.#rates) {
      if (minutes?.some((minute) => minute >= from && minute < to)) this.#rates.delete(key);
    }
  }
}

function keyOf(
  { variant, release, event = "", cohort = "", placement }: Choice,
  from: number,
  to: number,
): string {
  return `${from}|${to}|${variant}|${release}|${event}|${cohort}|${placement}`;
}
