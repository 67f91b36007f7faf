/** Cohorts of a flag as conditions on who asks, for systems that have such conditions. */
import { FULL_SHARE, SHARE_PER_PERCENT, shareOf } from "../../flag/percentage.ts";
import { isRecord, type Piece } from "../piece.ts";
import type { OutFlag, Outlet } from "./outlet.ts";

/** Attributes, every one of which has to have one of its values. */
export type OutAudience = [attribute: string, values: string[]][];

/** Whom a flag is on for: any of the audiences, and a percentage of all others. */
export interface OutAudiences {
  audiences: OutAudience[];
  /** 0 to 100, in steps of 0.001. */
  percentage: number;
}

/** What the cohorts and the percentage of a flag come to. `key` is what the other system calls the targeting key. */
export function audiencesOf(outlet: Outlet, flag: OutFlag, key: string): OutAudiences {
  const audiences: OutAudience[] = [];
  const shares: { share: number; piece: Piece }[] = [
    { share: shareOf(flag.percentage), piece: flag.piece.at("percentage") },
  ];
  const cohorts = flag.piece.at("cohorts");
  for (const [, cohort] of cohorts.isThere ? cohorts.entries() : []) {
    if (!isRecord(cohort.value)) continue;
    const enabled = cohort.at("enabled");
    if (enabled.value === false) {
      cohort.lose("A cohort that is not enabled.");
      continue;
    }
    enabled.take();
    audiences.push(...membersOf(outlet, cohort, key));
    const percentage = cohort.at("percentage");
    const segments = cohort.at("segments");
    if (!percentage.isThere) continue;
    if (Array.isArray(segments.value) && segments.value.length > 0)
      percentage.lose("A percentage of some only cannot be said there.");
    else shares.push({ share: shareOf(percentage.number() ?? 0), piece: percentage });
  }
  const share = Math.max(...shares.map((one) => one.share));
  // Buckets are the same for all cohorts of a flag.
  for (const { share: part, piece } of shares)
    if (part > 0 && part < share)
      piece.change("Held by a larger percentage of the flag, which is the one that is written.");
  return { audiences, percentage: Math.min(share, FULL_SHARE) / SHARE_PER_PERCENT };
}

function membersOf(outlet: Outlet, cohort: Piece, key: string): OutAudience[] {
  const audiences: OutAudience[] = [];
  const lists = [
    [key, outlet.idsOf(cohort.at("users"))],
    ["group", textsOf(cohort.at("groups"))],
    ["tenant", textsOf(cohort.at("tenants"))],
  ] as const;
  for (const [name, values] of lists) if (values.length > 0) audiences.push([[name, values]]);
  const attributes = cohort.at("attributes");
  const all = attributes.isThere ? attributes.entries() : [];
  if (all.length > 0) audiences.push(all.map(([name, values]) => [name, valuesOf(values)]));
  return audiences;
}

function textsOf(list: Piece): string[] {
  return list.isThere ? list.items().flatMap((piece) => piece.text() ?? []) : [];
}

function valuesOf(list: Piece): string[] {
  return list.items().map((piece) => String(piece.take()));
}
