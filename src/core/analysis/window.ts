/**
 * The last minute of one flag and release, tick by tick, summed over cohorts: what the halt rules look at.
 * Time is the start of a request on its isolate's clock. What comes too late, or from a clock that runs ahead, is
 * refused here and lives on in the sums alone. Its size is bounded by the ticks that can still count.
 */
import { type Cell, TICK_MS } from "../wire/messages.ts";
import { entry } from "./entry.ts";
import {
  addTally,
  emptyTally,
  failures,
  type Placement,
  type RowId,
  type Tally,
  type Variant,
} from "./tally.ts";

/** The longest window that a rule can look at, milliseconds. */
export const LONGEST_WINDOW_MS = 60_000;

/** A tick takes data for two of the longest flush intervals (20 s) after its end, milliseconds. */
export const LATENESS_MS = 40_000;

/** How far an isolate's clock may run ahead of the controller's, milliseconds. */
export const AHEAD_MS = 5_000;

/** Variant and placement: what is kept apart inside a tick. */
type Group = `${Variant}|${Placement}`;

/** Counts of one variant over a stretch of time. */
export interface Sample {
  /** All placements: what absolute rules look at. */
  all: Tally;
  /** Placed by the hash of an id of their own: what comparisons look at. */
  hash: Tally;
}

/** Both variants over the same stretch of time. */
export type Samples = Record<Variant, Sample>;

/** The window of one flag and release. Serialises as JSON through `saveWindow`. */
export interface Window {
  /** Requests that started earlier are no evidence (ms since the epoch): the last `resume`, else 0. */
  since: number;
  /** Failures of green taken since then: a run that an isolate reports cannot be older than these. */
  failed: number;
  /** Visitor-minutes of green that can be compared, taken since then. */
  compared: number;
  /** Tick → group → counts. */
  ticks: Map<number, Map<Group, Tally>>;
}

/** A window in JSON. */
export interface SavedWindow {
  since: number;
  failed: number;
  /** Absent in what earlier versions wrote. */
  compared?: number;
  ticks: [number, [Group, Tally][]][];
}

/** An empty window; requests that started before `since` (ms since the epoch) will not enter it. */
export function newWindow(since = 0): Window {
  return { since, failed: 0, compared: 0, ticks: new Map() };
}

/** Takes a cell of row `id` as evidence, or refuses it: too late, too far ahead, or from before the resume. */
export function takeCell(window: Window, id: RowId, cell: Cell, now: number): boolean {
  const start = cell.tick * TICK_MS;
  if (start < window.since || start > now + AHEAD_MS || start + TICK_MS < now - LATENESS_MS) return false;
  const groups = entry(window.ticks, cell.tick, () => new Map<Group, Tally>());
  // No rule over a minute asks for distinct visitors: without them a window is a short row.
  addTally(entry(groups, `${id.variant}|${id.placement}`, emptyTally), { ...cell.tally, sketch: "" });
  if (id.variant === "green") {
    window.failed += failures(cell.tally);
    window.compared += cell.tally.units;
  }
  return true;
}

/** Forgets the ticks that no rule can look at any more. */
export function pruneWindow(window: Window, now: number): void {
  for (const tick of window.ticks.keys()) {
    if (tick * TICK_MS <= now - LONGEST_WINDOW_MS - TICK_MS) window.ticks.delete(tick);
  }
}

/** Counts of the trailing `ms` milliseconds, at most a minute. */
export function trailing(window: Window, now: number, ms: number): Samples {
  const from = now - Math.min(ms, LONGEST_WINDOW_MS);
  return between(window, Math.floor(from / TICK_MS) + 1, Math.floor((now + AHEAD_MS) / TICK_MS));
}

/** Counts of the ticks `first` to `last`, both included. */
export function between(window: Window, first: number, last: number): Samples {
  const samples: Samples = {
    blue: { all: emptyTally(), hash: emptyTally() },
    green: { all: emptyTally(), hash: emptyTally() },
  };
  for (const [tick, groups] of window.ticks) {
    if (tick < first || tick > last) continue;
    for (const [group, tally] of groups) {
      const sample = samples[group.startsWith("green") ? "green" : "blue"];
      addTally(sample.all, tally);
      if (group.endsWith("|hash")) addTally(sample.hash, tally);
    }
  }
  return samples;
}

/** The window as JSON can hold it. */
export function saveWindow(window: Window): SavedWindow {
  return {
    since: window.since,
    failed: window.failed,
    compared: window.compared,
    ticks: [...window.ticks].map(([tick, groups]) => [tick, [...groups]]),
  };
}

/** Inverse of `saveWindow`. */
export function loadWindow({ since, failed, compared = 0, ticks }: SavedWindow): Window {
  return {
    since,
    failed,
    compared,
    ticks: new Map(ticks.map(([tick, groups]) => [tick, loadGroups(groups)])),
  };
}

/** An earlier version wrote fewer fields. */
function loadGroups(groups: readonly [Group, Tally][]): Map<Group, Tally> {
  return new Map(groups.map(([group, tally]) => [group, { ...emptyTally(), ...tally }]));
}
