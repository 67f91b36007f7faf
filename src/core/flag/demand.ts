/** Tenants that may be chosen for a cohort, and what is demanded of those that are. */
import type { Wanted } from "./apportion.ts";

/** A tenant that may be chosen. */
export interface Candidate {
  id: string;
  /** Place in the order of choice, from 0. */
  rank: number;
  attributes: Readonly<Record<string, string>>;
}

/** A demand on the values of one attribute. */
export interface Demand {
  attribute: string;
  /** Values in the demand, and how many of each. */
  wanted: ReadonlyMap<string, Wanted>;
  /** Tenants with any other value, or none. */
  others: Wanted;
}

/** The value of a tenant that a demand speaks of; undefined for all others. */
export function valueIn({ attribute, wanted }: Demand, { attributes }: Candidate): string | undefined {
  const value = Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined;
  return value !== undefined && wanted.has(value) ? value : undefined;
}
