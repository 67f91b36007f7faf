/**
 * The comparisons of all flags, in memory as far as they are in use, and when they are written down. A flag is
 * compared while it is off as well: then blue is known before green gets anyone.
 */

import type { ComparisonConfig, ComparisonTick } from "../core/analysis/comparing.ts";
import { IDLE_SETTLE_MS, SETTLE_MS } from "../core/analysis/feed.ts";
import type { RowId } from "../core/analysis/tally.ts";
import type { Flag } from "../core/flag/schema.ts";
import type { Cell } from "../core/wire/messages.ts";
import { BlueHistory, replay } from "./blue-history.ts";
import type { ComparisonStore } from "./comparison-store.ts";
import { type Course, FlagComparison } from "./flag-comparison.ts";
import { type Rollout, servedShare } from "./rollout.ts";

/** What is known of blue while nothing is compared is written down so often, milliseconds; it changes little. */
const SAVE_IDLE_MS = 60_000;

/** Evidence of a flag without a rule of its own for it: it guards other rules and is shown. */
const DEFAULT_ALPHA = 0.001;
const DEFAULT_SIGNALS: ComparisonConfig["signals"] = ["errors", "latency"];

/** By flag: ticks that were compared, and the strength at which failures were taken. */
export type Closed = Map<string, { ticks: ComparisonTick[]; strength: number }>;

interface Followed {
  comparison: FlagComparison;
  history: BlueHistory;
}

export class Comparisons {
  readonly #store: ComparisonStore;
  readonly #rollout: () => Rollout;
  readonly #followed = new Map<string, Followed>();
  /** Flags whose feed holds counts that are not compared yet. */
  readonly #open = new Set<string>();
  /** Flags that have changed since they were last written down. */
  readonly #dirty = new Set<string>();
  #savedIdleAt = 0;

  constructor(store: ComparisonStore, rollout: () => Rollout) {
    this.#store = store;
    this.#rollout = rollout;
  }

  /** Compares what is complete at `now`. Returns the flags of which anything was, with their ticks. */
  close(now: number): Closed {
    const closed: Closed = new Map();
    const settleMs = this.#settleMs;
    for (const flag of this.#open) {
      const { comparison, history } = this.#followed.get(flag)!;
      const ticks = comparison.close(now, settleMs);
      if (comparison.openUntil === undefined) this.#open.delete(flag);
      if (ticks.length === 0) continue;
      for (const tick of ticks) history.add(tick);
      this.#dirty.add(flag);
      closed.set(flag, { ticks, strength: comparison.view().strength });
    }
    return closed;
  }

  /**
   * Takes cells that are evidence, after it has compared what is complete; returns the flags of which anything was.
   * Cells of flags that the spec does not name are nobody's.
   */
  take(cells: readonly { id: RowId; cell: Cell }[], now: number): Closed {
    const flags = new Set(cells.map(({ id }) => id.flag));
    // What a former life has left open is due as well.
    for (const flag of flags) this.#find(flag);
    const closed = this.close(now);
    const comparisons = new Map([...flags].map((flag) => [flag, this.#begun(flag, now)]));
    for (const { id, cell } of cells) {
      const comparison = comparisons.get(id.flag);
      if (!comparison) continue;
      comparison.take(id, cell);
      this.#dirty.add(id.flag);
      if (comparison.openUntil !== undefined) this.#open.add(id.flag);
    }
    return closed;
  }

  /** A flag's comparison, on its present course; undefined before its first count. */
  of(name: string): FlagComparison | undefined {
    const flag = this.#rollout().flags.get(name);
    const comparison = flag && this.#find(name)?.comparison;
    if (comparison?.align(this.#courseOf(name, flag!))) this.#dirty.add(name);
    return comparison;
  }

  /** When the next tick of a flag that is compared will be complete, milliseconds since the epoch. */
  get nextCloseAt(): number | undefined {
    let next: number | undefined;
    for (const flag of this.#open) {
      const { comparison } = this.#followed.get(flag)!;
      const until = comparison.isLive ? comparison.openUntil : undefined;
      if (until !== undefined && until < (next ?? Number.POSITIVE_INFINITY)) next = until;
    }
    return next === undefined ? undefined : next + this.#settleMs;
  }

  /** Writes down what has changed: comparisons that go on, and now and then what is known of blue. */
  saveChanged(now: number): void {
    const all = now - this.#savedIdleAt >= SAVE_IDLE_MS;
    for (const flag of this.#dirty) {
      if (all || this.#followed.get(flag)!.comparison.isLive) this.save(flag);
    }
    if (!all) return;
    this.#savedIdleAt = now;
    for (const [flag, { history }] of this.#followed) this.#store.saveHistory(flag, history.changed());
  }

  /** Writes one flag's comparison down. */
  save(flag: string): void {
    const followed = this.#followed.get(flag);
    if (!followed) return;
    this.#store.save(flag, followed.comparison);
    this.#dirty.delete(flag);
  }

  /** Forgets a flag that is no longer in the spec. */
  forget(flag: string): void {
    this.#store.delete(flag);
    this.#followed.delete(flag);
    this.#open.delete(flag);
    this.#dirty.delete(flag);
  }

  #begun(name: string, now: number): FlagComparison | undefined {
    const known = this.of(name);
    const flag = this.#rollout().flags.get(name);
    if (known || !flag) return known;
    const course = this.#courseOf(name, flag);
    const comparison = FlagComparison.begin(course, () => this.#remember(name), now, this.#settleMs);
    this.#follow(name, comparison);
    return comparison;
  }

  #find(name: string): Followed | undefined {
    const known = this.#followed.get(name);
    const comparison = known ? undefined : this.#load(name);
    return comparison ? this.#follow(name, comparison) : known;
  }

  /** A state that cannot be read begins anew: the counts of all flags, and their halts, must not fail with it. */
  #load(name: string): FlagComparison | undefined {
    try {
      const saved = this.#store.load(name);
      return saved && FlagComparison.load(saved, () => this.#remember(name));
    } catch (error) {
      console.error(JSON.stringify({ event: "comparison-unreadable", flag: name, message: String(error) }));
      return undefined;
    }
  }

  #follow(name: string, comparison: FlagComparison): Followed {
    const followed = { comparison, history: new BlueHistory(this.#store.newest(name)) };
    this.#followed.set(name, followed);
    if (comparison.openUntil !== undefined) this.#open.add(name);
    return followed;
  }

  #remember(name: string) {
    return replay(this.#store.history(name));
  }

  #courseOf(name: string, flag: Flag): Course {
    const { release } = flag;
    return { release, share: servedShare(this.#rollout(), name), config: configOf(flag) };
  }

  /** Isolates flush more seldom while no flag is in shadow or canary. */
  get #settleMs(): number {
    for (const { state } of this.#rollout().flags.values()) {
      if (state === "shadow" || state === "canary") return SETTLE_MS;
    }
    return IDLE_SETTLE_MS;
  }
}

function configOf(flag: Flag): ComparisonConfig {
  const rule = flag.rules.find(({ metric }) => metric === "evidence");
  return {
    alpha: rule?.metric === "evidence" ? rule.alpha : DEFAULT_ALPHA,
    signals: rule?.metric === "evidence" ? rule.signals : DEFAULT_SIGNALS,
  };
}
