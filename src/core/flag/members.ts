/** Who belongs to a cohort: by who they are, or by the cohort's own percentage. */
import type { Cohort } from "./cohort.ts";
import { shareOf } from "./percentage.ts";

/** Cohort of everyone who is in no other. */
export const DEFAULT_COHORT = "ga";

/** Attribute that names the groups of a visitor. */
export const GROUP = "group";
/** Attribute that names the tenant of a visitor. */
export const TENANT = "tenant";

/** Values of a visitor's attributes, those only that somebody vouches for. */
export type Attributes = ReadonlyMap<string, readonly string[]>;

/** Who asks, as far as cohorts go. */
export interface Person {
  key: string;
  /** May the key match lists? */
  trusted: boolean;
  attributes?: Attributes | undefined;
}

/** One cohort, ready to be asked. */
export interface Audience {
  cohort: string;
  /** Its visitors are on blue, and in no other cohort. */
  stopped: boolean;
  users: ReadonlySet<string>;
  groups: ReadonlySet<string>;
  /** Named ones and chosen ones. */
  tenants: ReadonlySet<string>;
  attributes: readonly (readonly [string, ReadonlySet<string>])[];
  /** Its own percentage in thousandths; 0 for none. */
  share: number;
  /** Buckets from here on stay on blue, though they belong to the cohort: a reduction. */
  cap: number;
  /** Whom the percentage is of; undefined for everyone. */
  segments: ReadonlySet<string> | undefined;
}

/** How a visitor belongs to a cohort: by who they are, or by the hash. */
export type Admission = "member" | "hash";

/** A cohort of a flag, with the tenants that were chosen for it. */
export function audienceOf(
  cohort: Cohort,
  limits: Pick<Audience, "cohort" | "stopped" | "cap">,
  selected: readonly string[],
): Audience {
  const { users, groups, tenants, attributes, percentage, segments, select } = cohort;
  return {
    ...limits,
    users: new Set(users),
    groups: new Set(groups),
    tenants: new Set(select === undefined ? tenants : [...tenants, ...selected]),
    attributes: Object.entries(attributes).map(([key, values]) => [key, new Set(values)] as const),
    share: shareOf(percentage ?? 0),
    segments: segments.length > 0 ? new Set(segments) : undefined,
  };
}

/** How the cohort admits the visitor, if it does. Any list that names them will do; of attributes all have to match. */
export function admissionTo(audience: Audience, who: Person, bucket: number): Admission | undefined {
  if (isMember(audience, who)) return "member";
  if (bucket >= audience.share) return undefined;
  return audience.segments === undefined || isInSegments(audience, who) ? "hash" : undefined;
}

function isMember({ users, groups, tenants, attributes }: Audience, who: Person): boolean {
  if (who.trusted && users.has(who.key)) return true;
  const known = who.attributes;
  if (known === undefined) return false;
  return (
    (groups.size > 0 && hasOne(known.get(GROUP), groups)) ||
    (tenants.size > 0 && hasOne(known.get(TENANT), tenants)) ||
    (attributes.length > 0 && attributes.every(([name, values]) => hasOne(known.get(name), values)))
  );
}

/** Buckets below are on green in the cohort, for one of whom its percentage is; 0 for others and while it is stopped. */
export function shareFor(audience: Audience, who: Person): number {
  const { segments, share, cap, stopped } = audience;
  const isFor = segments === undefined || isInSegments(audience, who);
  return isFor && !stopped ? Math.min(share, cap) : 0;
}

/** Is the percentage restricted to some, and is the visitor one of them? By id or by group of the visitor's context. */
export function isInSegments({ segments }: Audience, who: Person): boolean {
  if (segments === undefined) return false;
  return (who.trusted && segments.has(who.key)) || hasOne(who.attributes?.get(GROUP), segments);
}

function hasOne(values: readonly string[] | undefined, wanted: ReadonlySet<string>): boolean {
  return values?.some((value) => wanted.has(value)) ?? false;
}

/** Attributes that the cohort asks for. */
export function attributesOf({ groups, tenants, attributes, segments }: Audience): string[] {
  const names = attributes.map(([name]) => name);
  if (groups.size > 0 || segments !== undefined) names.push(GROUP);
  if (tenants.size > 0) names.push(TENANT);
  return names;
}
