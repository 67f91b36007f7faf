/** Comparison of measured values with decimal limits, exactly: 1.4 % is not above 0.9 % + 0.5 points. */

/** A ratio of two integers; the lower one is positive. */
export interface Ratio {
  upper: bigint;
  lower: bigint;
}

/** The ratio of two counts (nonnegative integers, `of` positive). */
export function ratio(count: number, of: number): Ratio {
  return { upper: BigInt(count), lower: BigInt(of) };
}

/** The decimal that a person wrote, as a ratio: 0.05 is 5/100, not the binary fraction next to it. */
export function decimal(value: number): Ratio {
  const [mantissa = "0", exponent = "0"] = String(value).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const shift = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return shift >= 0
    ? { upper: digits, lower: 10n ** BigInt(shift) }
    : { upper: digits * 10n ** BigInt(-shift), lower: 1n };
}

/** Sum of two ratios. */
export function plus(a: Ratio, b: Ratio): Ratio {
  return { upper: a.upper * b.lower + b.upper * a.lower, lower: a.lower * b.lower };
}

/** Difference of two ratios. */
export function minus(a: Ratio, b: Ratio): Ratio {
  return plus(a, { upper: -b.upper, lower: b.lower });
}

/** Product of two ratios. */
export function times(a: Ratio, b: Ratio): Ratio {
  return { upper: a.upper * b.upper, lower: a.lower * b.lower };
}

/** Is `a` strictly above `b`? */
export function isAbove(a: Ratio, b: Ratio): boolean {
  return a.upper * b.lower > b.upper * a.lower;
}

/** As a number, for figures and sentences; rounded as every binary fraction is. */
export function toNumber({ upper, lower }: Ratio): number {
  const [u, l] = [Number(upper), Number(lower)];
  if (Number.isFinite(u) && Number.isFinite(l)) return u / l;
  // Sums over many windows outgrow a number; what is cut off both is beyond its digits.
  const surplus = BigInt(Math.max(0, Math.max(bits(upper), bits(lower)) - KEPT_BITS));
  return Number(upper >> surplus) / Number(lower >> surplus);
}

/** Bits of a number that are kept, far more than its 53 digits and far fewer than its 1024 of range. */
const KEPT_BITS = 900;

function bits(n: bigint): number {
  return (n < 0n ? -n : n).toString(16).length * 4;
}
