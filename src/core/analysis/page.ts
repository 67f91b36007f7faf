/**
 * Counts of one flag over one stretch of time: by variant, release of green, event, cohort and way of placement. Blue
 * is summed over releases and cohorts. It refuses to know which stretch it is.
 */
import { decodeTally } from "../wire/decode.ts";
import { packTally, type WireTally } from "../wire/encode.ts";
import { entry } from "./entry.ts";
import { mergeAll, type Sketch } from "./sketch.ts";
import { addTally, emptyTally, failures, type RowId, type Tally, type Variant } from "./tally.ts";

/** What is counted together. */
export interface Where {
  variant: Variant;
  /** Of green; blue's does not matter. */
  release: string;
  /** Undefined: requests. */
  event: string | undefined;
  /** Of green; `""` for none in particular. */
  cohort: string;
  /** Placed by the hash of an id of their own? */
  hashed: boolean;
}

/** What is asked for. */
export interface Choice extends Omit<Where, "cohort" | "hashed"> {
  /** Undefined: all. */
  cohort: string | undefined;
  placement: "all" | "hash";
}

/** A sum of many tallies: their sketches are merged once, at the end. */
export class Sum {
  readonly #tally = emptyTally();
  readonly #sketches: Sketch[] = [];

  add(tally: Tally): void {
    this.#sketches.push(tally.sketch);
    addTally(this.#tally, { ...tally, sketch: "" });
  }

  /** All that was added. */
  tally(): Tally {
    return { ...this.#tally, sketch: mergeAll(this.#sketches) };
  }
}

/** A page in JSON: scope → cohort and placement → counts. */
export type SavedPage = [string, [string, WireTally][]][];

/** Placements other than `hash` stand together. */
const HASHED = "hash";
const OTHERS = "rest";

export class Page {
  readonly #scopes = new Map<string, Map<string, Tally>>();

  /** Is nothing counted? */
  get empty(): boolean {
    return this.#scopes.size === 0;
  }

  /** Adds counts. What is added is not kept. */
  add(where: Where, tally: Tally): void {
    const groups = entry(this.#scopes, scopeOf(where), () => new Map<string, Tally>());
    const group = `${where.variant === "green" ? where.cohort : ""}|${where.hashed ? HASHED : OTHERS}`;
    addTally(entry(groups, group, emptyTally), tally);
  }

  /** Adds another page. */
  merge(page: Page): void {
    for (const [scope, groups] of page.#scopes) {
      const known = entry(this.#scopes, scope, () => new Map<string, Tally>());
      for (const [group, tally] of groups) addTally(entry(known, group, emptyTally), tally);
    }
  }

  /** Adds what is chosen to a sum. */
  sum(choice: Choice, into: Sum): void {
    for (const tally of this.#chosen(choice)) into.add(tally);
  }

  /** How many of what is chosen, and how many of them failed; what breakers kept away counts as failed. */
  rate(choice: Choice): { count: number; failures: number } {
    const rate = { count: 0, failures: 0 };
    for (const tally of this.#chosen(choice)) {
      rate.count += tally.requests + tally.diverted;
      rate.failures += failures(tally) + tally.diverted;
    }
    return rate;
  }

  /** Adds requests, and events of the names that `isUse` takes, of both variants and all releases. */
  use(isUse: (event: string) => boolean, requests: Sum, events: Sum): void {
    for (const [scope, groups] of this.#scopes) {
      const event = scope.split("|")[2]!;
      if (event !== "" && !isUse(event)) continue;
      for (const tally of groups.values()) (event === "" ? requests : events).add(tally);
    }
  }

  /** Cohorts of green of a release with requests. */
  cohorts(release: string): string[] {
    const groups = this.#scopes.get(scopeOf({ variant: "green", release, event: undefined }));
    return [...new Set([...(groups?.keys() ?? [])].map((group) => group.split("|")[0]!))];
  }

  /** The page as JSON can hold it. Shares its maps: serialise it, do not keep it. */
  save(): SavedPage {
    return [...this.#scopes].map(([scope, groups]) => [
      scope,
      [...groups].map(([group, tally]): [string, WireTally] => [group, packTally(tally)]),
    ]);
  }

  /** Inverse of `save`. */
  static load(saved: SavedPage): Page {
    const page = new Page();
    for (const [scope, groups] of saved) {
      page.#scopes.set(
        scope,
        new Map(groups.map(([group, tally]) => [group, decodeTally(tally, `${scope} ${group}`)])),
      );
    }
    return page;
  }

  *#chosen(choice: Choice): Generator<Tally> {
    const { placement } = choice;
    const cohort = choice.variant === "green" ? choice.cohort : undefined;
    for (const [group, tally] of this.#scopes.get(scopeOf(choice)) ?? []) {
      const [name, placed] = group.split("|");
      if ((cohort === undefined || cohort === name) && (placement === "all" || placed === HASHED))
        yield tally;
    }
  }
}

/** Where a row of counters counts. */
export function whereOf({ variant, release, cohort, placement }: RowId): Where {
  return { variant, release, event: undefined, cohort, hashed: placement === "hash" };
}

/** What is kept of a tally of requests: all but the slices, by which only the comparison learns blue's scatter. */
export function slim(tally: Tally): Tally {
  return { ...tally, slices: {} };
}

function scopeOf({ variant, release, event }: Pick<Where, "variant" | "release" | "event">): string {
  return `${variant}|${variant === "green" ? release : ""}|${event ?? ""}`;
}
