/** Cohorts: named audiences that are on green before everyone, by who they are and by a percentage. */
import * as z from "zod";
import { FULL_SHARE, percentage, shareOf } from "./percentage.ts";

const ids = z.array(z.string().min(1).max(256)).max(10_000).default([]);
const attribute = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, "a name of an attribute");
const attributeValue = z.union([z.string().max(256), z.boolean(), z.number()]).transform(String);

/** Most attributes with a quota, and most values of each: every mixture of them may have to be weighed. */
const MAX_QUOTAS = 8;
const MAX_QUOTA_VALUES = 100;

const quota = z
  .record(z.string().min(1).max(256), percentage)
  .refine((q) => Object.keys(q).length <= MAX_QUOTA_VALUES, `at most ${MAX_QUOTA_VALUES} values`)
  .refine(
    (q) => Object.values(q).reduce((sum, p) => sum + shareOf(p), 0) <= FULL_SHARE,
    "at most 100 percent in all",
  );

/** How tenants are chosen from a directory. */
export const selection = z.strictObject({
  directory: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "the name of a directory document"),
  percentage: percentage.optional().describe("Of the directory's tenants."),
  count: z.int().min(1).max(10_000).optional().describe("So many tenants."),
  require: z
    .record(attribute, z.array(attributeValue).min(1))
    .default({})
    .describe("Only tenants whose attribute has one of these values."),
  prefer: z
    .record(attribute, z.array(attributeValue).min(1))
    .default({})
    .describe("Tenants with these values first; the first preference weighs more than all that follow."),
  spread: z
    .array(attribute)
    .max(8)
    .default([])
    .describe("As many of each value of these attributes, as far as quotas allow."),
  quotas: z
    .record(attribute, quota)
    .refine((q) => Object.keys(q).length <= MAX_QUOTAS, `at most ${MAX_QUOTAS} attributes`)
    .default({})
    .describe("Shares by value of an attribute in percent: size: { small: 40, medium: 40, large: 20 }."),
});

/** Schema of one cohort. */
export const cohort = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      "false: as if it were not there. To take its visitors off green use the switch `canary.cohort.NAME.enabled`.",
    ),
  users: ids.describe(
    "Targeting keys, or names of the document's groups, that are always in the cohort, and so on green while the flag is in canary.",
  ),
  groups: ids.describe("Groups of the visitor (`context.group`), one of which will do."),
  tenants: ids.describe("Tenants of the visitor (`context.tenant`), one of which will do."),
  attributes: z
    .record(attribute, z.array(attributeValue).min(1))
    .default({})
    .describe("Values of the visitor's context, by attribute, every attribute needed: `region: [eu, us]`."),
  percentage: percentage.optional().describe("As many more by hash: those whose bucket is below."),
  segments: ids.describe(
    "The percentage is only of those in these groups, of the document or of the visitor (`context.group`), or with these ids.",
  ),
  select: selection.optional().describe("Tenants chosen from a directory document."),
  features: z
    .array(z.string().max(64))
    .max(100)
    .optional()
    .describe("Kept and shown; Greenlight does not use it."),
});

export type Cohort = z.output<typeof cohort>;
export type Selection = z.output<typeof selection>;

/** Schema of a directory document, KV key `directory:NAME`. */
export const directorySchema = z.strictObject({
  $schema: z.string().optional(),
  tenants: z.record(z.string().min(1).max(256), z.record(attribute, attributeValue)),
});

export type Directory = z.output<typeof directorySchema>;
