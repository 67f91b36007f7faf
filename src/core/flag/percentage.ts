/** Percentages: 0 to 100 with three decimals, kept exactly as thousandths of a percent. */
import * as z from "zod";

/** Finest step of a percentage: 0.001 %. */
export const SHARE_PER_PERCENT = 1000;
/** All of traffic, in thousandths of a percent. */
export const FULL_SHARE = 100 * SHARE_PER_PERCENT;

/** Percentage to thousandths of a percent, exactly (never compare percentages as binary fractions). */
export function shareOf(percentage: number): number {
  return Math.round(percentage * SHARE_PER_PERCENT);
}

/** Schema of a percentage. */
export const percentage = z
  .number()
  .min(0)
  .max(100)
  .refine(
    (p) => Math.abs(p * SHARE_PER_PERCENT - shareOf(p)) < 1e-6,
    "a percentage with at most three decimals",
  )
  .describe("Share of visitors on green, 0 to 100, three decimals: 0.5 is half a percent.");
