/** What a plain flag can answer, and what single users and tenants are answered. */
import * as z from "zod";
import { name } from "./name.ts";

/** What a plain flag can answer: any JSON, one type in all variants of a flag. `object` is an object or a list. */
export type Value = string | number | boolean | null | object;

/** Deepest nesting of a value, so that whatever walks through one can call itself. */
const MAX_DEPTH = 32;

/** Schema of a value. What is read comes from JSON, so that nothing but its depth has to be looked at. */
export const value = z
  .unknown()
  .refine(
    (found) => isWithin(found, MAX_DEPTH),
    `JSON that is nested at most ${MAX_DEPTH} deep`,
  ) as z.ZodType<Value, Value>;

/** Is a value nested at most so many levels deep? */
export function isWithin(found: unknown, depth: number): boolean {
  if (typeof found !== "object" || found === null) return true;
  return depth > 0 && Object.values(found).every((inner) => isWithin(inner, depth - 1));
}

/** One user's or tenant's own answer, over percentages, cohorts and a hand-written `off`; never over a kill or halt. */
export const override = z.strictObject({
  state: z.enum(["on", "off"]),
  variant: name.optional().describe("Of a plain flag: this variant instead of the one that `state` names."),
  expires: z.iso
    .datetime({ offset: true, error: "a time with its zone such as 2030-01-31T12:00:00Z" })
    .optional()
    .describe("It applies until just before this time."),
  reason: z.string().max(500).optional(),
});

/** Most overrides of a flag, users and tenants each. */
const MAX_OVERRIDES = 10_000;

/** Schema of overrides by id. */
export const overridesOf = (whom: string) =>
  z
    .record(z.string().min(1).max(256), override)
    .refine((all) => Object.keys(all).length <= MAX_OVERRIDES, `at most ${MAX_OVERRIDES} overrides`)
    .default({})
    .describe(whom);
