/** Schemas that many routes share: who says so and why, names, headers, pages, and the problems that they answer. */
import { z } from "@hono/zod-openapi";
import { isName, NAME_WORDS } from "../../core/flag/schema.ts";

/** Characters of a reason and of a name. */
export const MAX_REASON = 500;
export const MAX_BY = 100;

/**
 * A schema that says of an answer what its view says: the compiler refuses one that asks for more, or has a member more
 * or less.
 */
export function viewed<View>() {
  return <S extends z.ZodType>(
    schema: [View] extends [z.output<S>]
      ? [keyof z.output<S>] extends [keyof View]
        ? [keyof View] extends [keyof z.output<S>]
          ? S
          : never
        : never
      : never,
  ): S => schema as S;
}

const NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$";

/** A name of a flag, cohort or variant. */
export const name = z
  .string()
  .refine(isName, NAME_WORDS)
  .openapi({ pattern: NAME_PATTERN, example: "checkout" });

/** `reason` and `by`, in the body of a command. */
export const said = {
  reason: z.string().max(MAX_REASON).optional().openapi({
    description: "Goes into the audit log.",
    example: "Memory leak detected",
  }),
  by: z.string().max(MAX_BY).optional().openapi({
    description: "On whose behalf, where a token is shared: the audit log says `TOKEN (by)`.",
    example: "ann",
  }),
};

/** The same as query, for writes whose body is something else. */
export const saidQuery = z.object(said);

/** The flag of a path. */
export const flagParam = z.object({ name });

const etagPattern = /^((W\/)?"[^"]*"|\*)$/;

const ifMatch = z
  .string()
  .regex(etagPattern, 'one ETag as it was given, in quotes ("…"), or *')
  .optional()
  .openapi({
    description: "ETag of what the write is a change of, or `*`. Another one now: 412.",
    example: "*",
  });

const idempotencyKey = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/, "1 to 255 printable characters of ASCII")
  .optional()
  .openapi({
    description:
      "A retry with the same key and the same request is done once, and answered alike. Kept for 24 hours.",
    example: "6f1c3c1e-7d0e-4c58-9a51-1f6c1c2f0a11",
  });

/** Headers of every write. */
export const writeHeaders = z.object({ "if-match": ifMatch, "idempotency-key": idempotencyKey });
/** Headers of a write for which there is nothing to be compared. */
export const onceHeaders = z.object({ "idempotency-key": idempotencyKey });
/** Headers of a PUT that may also make what is not there. */
export const putHeaders = writeHeaders.extend({
  "if-none-match": z
    .literal("*", "* : only where there is none yet")
    .optional()
    .openapi({ description: "`*`: make it, and only where there is none yet." }),
});
/** Headers of a read whose answer has an etag. */
export const readHeaders = z.object({
  "if-none-match": z
    .string()
    .optional()
    .openapi({ description: "ETag that the caller has; while it is the present one the answer is 304." }),
});

/** A time of a query: milliseconds since the epoch, or ISO 8601 with its zone. Comes out as milliseconds. */
export const moment = z
  .union(
    [
      z
        .string()
        .regex(/^\d{1,15}$/)
        .transform(Number),
      z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    ],
    { error: "milliseconds since the epoch, or a time such as 2030-01-31T12:00:00Z" },
  )
  .openapi({
    type: "string",
    anyOf: [
      { type: "string", pattern: "^[0-9]{1,15}$" },
      { type: "string", format: "date-time" },
    ],
    example: "2030-01-31T12:00:00Z",
  });

/** `limit` and `before` of a list. */
export function pageQuery(usual: number, most: number) {
  return z.object({
    limit: z.coerce.number().int().min(1).max(most).default(usual),
    before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().openapi({
      description: "`next` of the page before.",
    }),
  });
}

/** Next page of a list; null at the end. */
export const next = z.number().nullable();

/** Milliseconds since the epoch. */
export const at = z
  .number()
  .openapi({ description: "Milliseconds since the epoch.", example: 1_800_000_000_000 });
export const figures = z.record(z.string(), z.number());

/** One fault of a document or a request. */
export const faultSchema = z
  .object({
    path: z.string().openapi({ example: "flags.checkout.percentage" }),
    message: z.string(),
    expected: z.string(),
  })
  .openapi("Fault");
