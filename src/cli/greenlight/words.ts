/** Words of a command line read as what they mean: lengths of time, percentages, names. */
import { InvalidArgumentError } from "commander";
import ms, { type StringValue } from "ms";
import { SHARE_PER_PERCENT, shareOf } from "../../core/flag/percentage.ts";
import { isName, NAME_WORDS } from "../../core/flag/schema.ts";

/** Thousandths that a percentage may be beside its step, for what binary fractions do. */
const STEP_TOLERANCE = 1e-6;

/** A length of time in milliseconds: `30s`, `5m`, `1h`, `7d`; a bare number is seconds. */
export function duration(text: string): number {
  const length = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : ms(text as StringValue);
  if (typeof length === "number" && Number.isFinite(length) && length > 0) return length;
  throw new InvalidArgumentError("a length of time such as 30s, 5m, 1h or 7d was expected");
}

/** A percentage as flags have it: 0 to 100, at most three decimals; a percent sign may follow. */
export function percentageOf(text: string): number {
  const n = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  const steps = n * SHARE_PER_PERCENT;
  if (n >= 0 && n <= 100 && Math.abs(steps - shareOf(n)) < STEP_TOLERANCE) return n;
  throw new InvalidArgumentError("a percentage from 0 to 100 with at most three decimals was expected");
}

/** Name of a flag, cohort or release. */
export function nameOf(text: string): string {
  if (isName(text)) return text;
  throw new InvalidArgumentError(`expected was ${NAME_WORDS}`);
}

/** A time to come: ISO 8601, or a length of time from now (`7d`). Milliseconds since the epoch. */
export function timeFrom(now: number): (text: string) => number {
  return (text) => {
    const at = Date.parse(text);
    if (!Number.isNaN(at) && /\d-\d/.test(text)) {
      if (at > now) return at;
      throw new InvalidArgumentError("that time is past");
    }
    return now + duration(text);
  };
}

/** A time, or how long ago (`24h`). Milliseconds since the epoch. */
export function timeBefore(now: number): (text: string) => number {
  return (text) => {
    const at = Date.parse(text);
    if (!Number.isNaN(at) && /\d-\d/.test(text)) return at;
    return now - duration(text);
  };
}
