/**
 * Whose failures they are: how much of what green failed is one visitor's. Counters hold how many failed in a tick and
 * which visitors (as 12-bit hashes), not who failed how often; so this is an estimate, made from who is there again and
 * again. One client in a retry loop must not look like a green that fails.
 */
import { TICK_MS } from "../wire/messages.ts";
import { failures } from "./tally.ts";
import type { Window } from "./window.ts";

const MINUTE_MS = 60_000;

/** Visitors kept, those with the most failures: with more than these, none of them is to blame alone. */
const MAX_BLAMED = 64;

/** Who failed for how many visitor-minutes. JSON as it is. */
export interface Blame {
  /** The last tick that is in it for good: it takes nothing any more. */
  through: number;
  /** Minute of the last tick, and who failed in it so far: a visitor counts once a minute in an isolate. */
  minute: number;
  seen: number[];
  /** Visitor-minutes with a failure. */
  failures: number;
  /** The same by visitor. */
  by: Record<number, number>;
}

/** Nobody is to blame for anything before the end of tick `through`. */
export function newBlame(through = 0): Blame {
  return { through, minute: -1, seen: [], failures: 0, by: {} };
}

/** The blame with the ticks of the window up to `last` in it, of green's visitors that the hash placed. */
export function blameThrough(blame: Blame, window: Window, last: number): Blame {
  const next = { ...blame, by: { ...blame.by }, through: Math.max(blame.through, last) };
  const ticks = [...window.ticks.keys()].filter((tick) => tick > blame.through && tick <= last);
  for (const tick of ticks.sort((a, b) => a - b)) {
    const tally = window.ticks.get(tick)?.get("green|hash");
    if (!tally || tally.visitors.length === 0) continue;
    const minute = Math.floor((tick * TICK_MS) / MINUTE_MS);
    if (minute !== next.minute) next.seen = [];
    next.minute = minute;
    share(next, tally.unitErrors, tally.diverted > 0 ? likeliest(next, tally.visitors) : tally.visitors);
  }
  return next;
}

/** Who was diverted is named beside those who failed: then it is rather those who had failed before. */
function likeliest({ by }: Blame, visitors: readonly number[]): readonly number[] {
  const known = visitors.filter((visitor) => by[visitor] !== undefined);
  return known.length > 0 ? known : visitors;
}

/** The visitor-minutes of the visitor that failed most often, and how many visitors failed at all. */
export function mostOf({ by }: Blame): { most: number; visitors: number } {
  const counts = Object.values(by);
  return { most: Math.max(0, ...counts), visitors: counts.length };
}

/**
 * The largest part of failures that one visitor may have in the ticks from `first` on: in each, all who failed share
 * alike. All placements; what was diverted counts as failed.
 */
export function mostRequestsOf(window: Window, first: number): number {
  const by = new Map<number, number>();
  for (const [tick, groups] of window.ticks) {
    if (tick < first) continue;
    const visitors = new Set<number>();
    let failed = 0;
    for (const [group, tally] of groups) {
      if (!group.startsWith("green")) continue;
      failed += failures(tally) + tally.diverted;
      for (const visitor of tally.visitors) visitors.add(visitor);
    }
    for (const visitor of visitors) by.set(visitor, (by.get(visitor) ?? 0) + failed / visitors.size);
  }
  return Math.max(0, ...by.values());
}

/**
 * Failures of green in the ticks from `first` on in which breakers let everyone through, and the part that one visitor
 * may have in them: there only those who failed are known as failing.
 */
export function mostFailuresOf(
  window: Window,
  first: number,
): { most: number; failed: number; requests: number } {
  const passed: Window = { ...window, ticks: new Map() };
  let failed = 0;
  let requests = 0;
  for (const [tick, groups] of window.ticks) {
    const green = [...groups].filter(([group]) => group.startsWith("green"));
    if (tick < first || green.some(([, tally]) => tally.diverted > 0)) continue;
    passed.ticks.set(tick, groups);
    for (const [, tally] of green) {
      failed += failures(tally);
      requests += tally.requests;
    }
  }
  return { most: mostRequestsOf(passed, first), failed, requests };
}

/** Those who had not failed in this minute yet have the failures of a tick; what is left over is everyone's. */
function share(blame: Blame, failed: number, visitors: readonly number[]): void {
  const fresh = visitors.filter((visitor) => !blame.seen.includes(visitor));
  const first = fresh.length > 0 ? Math.min(1, failed / fresh.length) : 0;
  const again = (failed - first * fresh.length) / visitors.length;
  for (const visitor of visitors) {
    const more = again + (fresh.includes(visitor) ? first : 0);
    blame.by[visitor] = (blame.by[visitor] ?? 0) + more;
  }
  blame.failures += failed;
  blame.seen = [...blame.seen, ...fresh].slice(0, MAX_BLAMED);
  const kept = Object.entries(blame.by);
  if (kept.length <= MAX_BLAMED) return;
  blame.by = Object.fromEntries(kept.sort(([, a], [, b]) => b - a).slice(0, MAX_BLAMED));
}
