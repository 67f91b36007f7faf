/** Chooses tenants of a directory for a cohort: representative, by hash, the same wherever it is computed. */
import { murmur3 } from "../hashing/murmur3.ts";
import { apportion, spreadEvenly, type Wanted } from "./apportion.ts";
import type { Directory, Selection } from "./cohort.ts";
import { type Candidate, type Demand, valueIn } from "./demand.ts";
import { FULL_SHARE, shareOf } from "./percentage.ts";
import { fill } from "./quota-flow.ts";
import { even } from "./quota-swap.ts";

/** Most tenants that a cohort can have: they go into the snapshot that every isolate holds. */
export const MAX_SELECTED = 10_000;

/** Most values of an attribute that tenants are spread over. */
const MAX_SPREAD = 200;

/** Tenants that were chosen. */
export interface Selected {
  /** In the order of choice: the best first. */
  tenants: string[];
  /** What could not be met, a sentence each: `size large: 3 of 10 wanted`. */
  unmet: string[];
}

/**
 * Chooses by, in this order: `require` (nobody else), `quotas`, `spread`, `prefer` (the first preference weighs more
 * than all that follow), and the hash of the tenant's id under the flag's seed. The first two quotas are met together
 * wherever that is possible at all, else as closely as can be; each further quota and each spread as closely as those
 * before it leave room for.
 *
 * Raising `count` or `percentage` keeps all who were chosen where there is neither quota nor spread, and with one
 * quota, as long as rounding does not take a tenant from a value. With more, most stay.
 */
export function selectTenants(directory: Directory, selection: Selection, seed: number): Selected {
  const total = Object.keys(directory.tenants).length;
  const candidates = candidatesOf(directory, selection, seed);
  const asked = wantedCount(total, selection) ?? candidates.length;
  const wanted = Math.min(asked, MAX_SELECTED);
  const count = Math.min(wanted, candidates.length);
  const quotas = quotasOf(wanted, selection);
  const tooWide: string[] = [];
  const spreads = selection.spread.flatMap((attribute) => {
    const demand = spreadOf(count, attribute, candidates);
    if (demand === undefined) tooWide.push(`spread over ${attribute}: it has more than ${MAX_SPREAD} values`);
    return demand ?? [];
  });
  const demands = [...quotas, ...spreads];

  let chosen = fill(candidates, count, quotas[0], quotas[1]);
  for (let i = 0; i < demands.length; i++) {
    // The first two quotas have been met together.
    if (i < 2 && i < quotas.length) continue;
    chosen = even(candidates, chosen, demands[i]!, demands.slice(0, i));
  }
  return {
    tenants: chosen.map(({ id }) => id),
    unmet: [
      ...(count < asked ? [`tenants: ${count} of ${asked} wanted`] : []),
      ...tooWide,
      ...demands.flatMap((demand, i) => unmetOf(demand, chosen, i >= quotas.length)),
    ],
  };
}

/** How many are asked for; undefined: all that are required. A percentage is rounded down. */
function wantedCount(total: number, { count, percentage }: Selection): number | undefined {
  if (percentage === undefined) return count;
  return Math.min(Math.floor((total * shareOf(percentage)) / FULL_SHARE), count ?? total);
}

function candidatesOf({ tenants }: Directory, { require, prefer }: Selection, seed: number): Candidate[] {
  const needed = Object.entries(require);
  const liked = Object.entries(prefer);
  return Object.entries(tenants)
    .filter(([, attributes]) => needed.every(([name, values]) => hasOneOf(attributes, name, values)))
    .map(([id, attributes]) => ({
      id,
      attributes,
      likes: liked.map(([name, values]) => (hasOneOf(attributes, name, values) ? 0 : 1)),
      hash: murmur3(id, seed),
    }))
    .sort((a, b) => compareLists(a.likes, b.likes) || a.hash - b.hash || (a.id < b.id ? -1 : 1))
    .map(({ id, attributes }, rank) => ({ id, attributes, rank }));
}

function hasOneOf(attributes: Record<string, string>, name: string, values: readonly string[]): boolean {
  return Object.hasOwn(attributes, name) && values.includes(attributes[name]!);
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((n, i) => n !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

function quotasOf(total: number, { quotas }: Selection): Demand[] {
  return Object.entries(quotas).map(([attribute, shares]) => {
    const values = Object.keys(shares);
    const parts = apportion(
      total,
      values.map((value) => shareOf(shares[value]!)),
    );
    const left = total - parts.reduce((sum, part) => sum + part, 0);
    const wanted = new Map(values.map((value, i) => [value, { least: parts[i]!, most: parts[i]! }]));
    return { attribute, wanted, others: { least: left, most: left } };
  });
}

function spreadOf(total: number, attribute: string, candidates: readonly Candidate[]): Demand | undefined {
  const room = new Map<string, number>();
  for (const { attributes } of candidates) {
    const value = Object.hasOwn(attributes, attribute) ? attributes[attribute]! : undefined;
    if (value !== undefined) room.set(value, (room.get(value) ?? 0) + 1);
  }
  if (room.size > MAX_SPREAD) return undefined;
  const even = spreadEvenly(total, [...room.values()]);
  const wanted = new Map([...room.keys()].map((value, i) => [value, even[i]!]));
  const left = Math.max(0, total - [...room.values()].reduce((sum, n) => sum + n, 0));
  return { attribute, wanted, others: { least: left, most: left } };
}

function unmetOf(demand: Demand, chosen: readonly Candidate[], isSpread: boolean): string[] {
  const { attribute, wanted, others } = demand;
  const have = new Map<string | undefined, number>();
  for (const candidate of chosen) {
    const value = valueIn(demand, candidate);
    have.set(value, (have.get(value) ?? 0) + 1);
  }
  const short = (name: string, value: string | undefined, { least }: Wanted) => {
    const n = have.get(value) ?? 0;
    return n < least ? [`${name}: ${n} of ${least} wanted${isSpread ? " for an even spread" : ""}`] : [];
  };
  return [
    ...[...wanted].flatMap(([value, want]) => short(`${attribute} ${value}`, value, want)),
    ...short(`other ${attribute}`, undefined, others),
  ];
}
