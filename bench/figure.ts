/** What a bench hands to the table: one figure per line, with its target where there is one. */
import type { Bundle } from "../src/cli/bundle.ts";

/** One line of the table. */
export interface Figure {
  name: string;
  /** The number as a person reads it, unit included. */
  value: string;
  /** The number itself, for `--json`. */
  number: number;
  /** What was asked for, in words; absent for a figure that is only shown. */
  target?: string;
  /** Is the target met? Absent without one. */
  met?: boolean;
  /** Spread, sizes, and whatever else tells how far to trust it. */
  note?: string;
}

/** What every bench is given. */
export interface Bench {
  /** A shorter run with wider spread. */
  quick: boolean;
  /** The Worker as it would be deployed. */
  bundle: Bundle;
  /** Says what is going on, on stderr. */
  say(text: string): void;
}

/** A bench: a name for the command line and what it runs. Whatever it starts it stops. */
export interface Named {
  name: string;
  /** One sentence on what is measured. */
  about: string;
  run(bench: Bench): Promise<Figure[]>;
}

/** A figure with an upper bound. */
export function atMost(
  name: string,
  number: number,
  bound: number,
  show: (n: number) => string,
  note?: string,
): Figure {
  return {
    name,
    value: show(number),
    number,
    target: `at most ${show(bound)}`,
    met: number <= bound,
    ...(note !== undefined && { note }),
  };
}

/** A count that has to be so and no other. */
export function isExactly(name: string, number: number, wanted: number, note?: string): Figure {
  return {
    name,
    value: String(number),
    number,
    target: `exactly ${wanted}`,
    met: number === wanted,
    ...(note !== undefined && { note }),
  };
}
