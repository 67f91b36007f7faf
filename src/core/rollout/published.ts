/**
 * A flag as it is published: without those fields that say nothing. Most flags use none of them, so a snapshot is a
 * sixth smaller, and a Worker from before they were known can read it.
 */
import type { Flag } from "../flag/schema.ts";
import { OFF, ON } from "../flag/variants.ts";

/** Fields that are left out where this is all that they say. */
const SILENT = {
  kind: "release",
  metadata: {},
  onVariant: ON,
  offVariant: OFF,
  environments: [],
  dependencies: [],
  overrides: { users: {}, tenants: {} },
} satisfies Partial<Flag>;

type Silent = keyof typeof SILENT;

/** A flag that may lack some of its fields. */
export type PublishedFlag = Omit<Flag, Silent> & Partial<Pick<Flag, Silent>>;

const FIELDS = Object.entries(SILENT).map(([key, value]) => [key as Silent, JSON.stringify(value)] as const);

/** The flag as it is published. */
export function publishedFlag(flag: Flag): PublishedFlag {
  const published: PublishedFlag = { ...flag };
  for (const [key, silence] of FIELDS) if (JSON.stringify(flag[key]) === silence) delete published[key];
  return published;
}

/** A published flag with all of its fields. */
export function wholeFlag(flag: PublishedFlag): Flag {
  return { ...SILENT, ...flag };
}
