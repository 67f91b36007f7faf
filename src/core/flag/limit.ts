/** Limits of conditions, as written: a number, or one that starts from a baseline, and how a value is compared with it. */
import * as z from "zod";

/** Schema of a limit. */
export const limit = z
  .union([
    z.number(),
    z.strictObject({
      baseline: z
        .enum(["blue", "before", "last_week"])
        .default("blue")
        .describe(
          "What the limit starts from: blue over the same window; green's own window before the stage; or the same window a week earlier (with a window of a week: the seven days before).",
        ),
      plus: z.number().min(0).describe("Added to the baseline: points as a ratio, or milliseconds."),
    }),
    z.strictObject({
      baseline: z.enum(["blue", "before", "last_week"]).default("blue"),
      times: z.number().min(0).describe("The baseline times so much."),
    }),
    z.strictObject({
      sigma: z
        .number()
        .positive()
        .describe("So many standard deviations above the mean of its own earlier windows."),
    }),
  ])
  .describe("A number, or one that starts from a baseline.");

/** The fields of a condition that hold its limit. */
export const comparison = {
  above: limit.optional().describe("Met when the value is above, not equal."),
  atLeast: limit.optional().describe("Met when the value is that or more."),
  below: limit.optional().describe("Met when the value is below, not equal."),
  atMost: limit.optional().describe("Met when the value is that or less."),
};

/** How a value and its limit are compared: a condition has exactly one of these. */
export const OPERATORS = ["above", "atLeast", "below", "atMost"] as const;

export type Limit = z.output<typeof limit>;
export type Operator = (typeof OPERATORS)[number];
