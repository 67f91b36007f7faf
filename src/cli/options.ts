/** Values of command line options, checked. */
import { InvalidArgumentError } from "commander";

/** Reads a whole number from `least` to `most`; anything else is refused with a sentence. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (Number.isInteger(n) && n >= least && n <= most) return n;
    throw new InvalidArgumentError(`a whole number from ${least} to ${most} was expected`);
  };
}
