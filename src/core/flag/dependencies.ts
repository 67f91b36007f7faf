/** Faults of what flags depend on: flags that are not there, circles, and more than a request can ask. */
import type { Fault } from "../rollout/snapshot.ts";
import { pathText } from "./faults.ts";
import type { Flag } from "./schema.ts";

/** Most flags that one depends on, those included that these need in turn, each time that they are needed. */
export const MAX_NEEDS = 64;

/** Names of a circle that are told. */
const SHOWN = 8;

/**
 * Faults of the dependencies of flags in good form, by flag. `exists` says which flags the document has, broken ones
 * too: to depend on a broken flag is no fault, for that one goes on in its last good form.
 */
export function dependencyFaults(
  flags: ReadonlyMap<string, Flag>,
  exists: (name: string) => boolean,
): Map<string, Fault[]> {
  const faults = new Map<string, Fault[]>();
  const dependent = [...flags].filter(([, { dependencies }]) => dependencies.length > 0);
  if (dependent.length === 0) return faults;
  const circles = new Circles(flags);
  const needs = new Map<string, number>();
  for (const [name, { dependencies }] of dependent) {
    const found = dependencies.flatMap((need, i) => {
      const path = pathText(["flags", name, "dependencies", i]);
      if (!exists(need))
        return [{ path, message: `there is no flag ${need}`, expected: "a flag of the document" }];
      const circle = circles.through(name, need);
      if (circle === undefined) return [];
      const message = `it goes round in a circle: ${circle.join(" → ")}`;
      return [{ path, message, expected: "a flag that does not need this one in turn" }];
    });
    const count = found.length > 0 ? 0 : needsOf(name, flags, needs);
    if (count > MAX_NEEDS) {
      const expected = `at most ${MAX_NEEDS} flags, those included that they need in turn`;
      found.push({
        path: pathText(["flags", name, "dependencies"]),
        message: "it needs too many flags",
        expected,
      });
    }
    if (found.length > 0) faults.set(name, found);
  }
  return faults;
}

/** How many flags one needs in all, counted as a tree; what is above the most is not counted on. */
function needsOf(name: string, flags: ReadonlyMap<string, Flag>, known: Map<string, number>): number {
  const before = known.get(name);
  if (before !== undefined) return before;
  // What goes round in a circle is reported as such, and counted once.
  known.set(name, 0);
  let count = 0;
  for (const need of flags.get(name)?.dependencies ?? []) {
    if (count <= MAX_NEEDS) count += 1 + needsOf(need, flags, known);
  }
  known.set(name, count);
  return count;
}

/** Groups of flags each of which needs all others of its group, in Tarjan's way. */
class Circles {
  readonly #flags: ReadonlyMap<string, Flag>;
  readonly #group = new Map<string, number>();
  readonly #order = new Map<string, number>();
  readonly #open: string[] = [];
  #groups = 0;

  constructor(flags: ReadonlyMap<string, Flag>) {
    this.#flags = flags;
    for (const name of flags.keys()) if (!this.#order.has(name)) this.#visit(name);
  }

  /** The way from a flag over one that it needs back to itself, its middle left out where it is long; undefined: none. */
  through(name: string, need: string): string[] | undefined {
    if (need !== name && !this.#isTogether(name, need)) return undefined;
    const way = [name];
    let here = need;
    while (here !== name && way.length < SHOWN && !way.includes(here)) {
      way.push(here);
      const next = this.#needsOf(here).filter((one) => this.#isTogether(name, one));
      here = next.includes(name) ? name : next[0]!;
    }
    return here === name ? [...way, name] : [...way, "…", name];
  }

  #isTogether(a: string, b: string): boolean {
    return this.#group.has(a) && this.#group.get(a) === this.#group.get(b);
  }

  #needsOf(name: string): string[] {
    return this.#flags.get(name)?.dependencies ?? [];
  }

  /** Lowest place in the order that a flag leads back to. */
  #visit(name: string): number {
    const place = this.#order.size;
    let lowest = place;
    this.#order.set(name, place);
    this.#open.push(name);
    for (const need of this.#needsOf(name)) {
      if (!this.#flags.has(need)) continue;
      if (!this.#order.has(need)) lowest = Math.min(lowest, this.#visit(need));
      else if (!this.#group.has(need)) lowest = Math.min(lowest, this.#order.get(need)!);
    }
    if (lowest === place) {
      for (let one = this.#open.pop(); one !== undefined; one = this.#open.pop()) {
        this.#group.set(one, this.#groups);
        if (one === name) break;
      }
      this.#groups++;
    }
    return lowest;
  }
}
