/**
 * The controller's sums: the last running totals of every shard. They are taken over, never added up, so forwards
 * that come twice or out of order do no harm. Pure memory; its owner writes down what `take` says has changed.
 */
import type { Forward, InFlight } from "../wire/messages.ts";
import { entry } from "./entry.ts";
import { QUIET_AFTER_MS } from "./ledger.ts";
import { addTally, emptyTally, type RowKey, rowId, type Tally } from "./tally.ts";

/** What is known of one shard. `inFlight`, `isolates` and `sampling` are gauges of the moment. */
export interface ShardSums {
  shard: string;
  /** Version of the totals. */
  version: number;
  /** When it last had isolates to speak for, milliseconds since the epoch, controller's clock. */
  seenAt: number;
  /** Batches that isolates gave up on. */
  lost: number;
  /** `flag|release` → row → running total. */
  groups: Map<string, Map<RowKey, Tally>>;
  inFlight: InFlight[];
  isolates: number;
  sampling: number;
}

/** What a forward did. `fresh`: its cells are evidence not seen before, and the totals of `groups` have changed. */
export interface Taken {
  shard: ShardSums;
  fresh: boolean;
  groups: Set<string>;
}

export class Sums {
  readonly #shards = new Map<string, ShardSums>();

  /** Rebuilds what was written down. */
  load(shards: Iterable<Omit<ShardSums, "inFlight" | "isolates" | "sampling">>): void {
    for (const shard of shards) {
      this.#shards.set(shard.shard, { ...shard, inFlight: [], isolates: 0, sampling: 1 });
    }
  }

  /**
   * Takes a forward over if it starts where the last one ended; only then are its totals complete and its cells new.
   * Otherwise nothing changes, and the shard sends again from `shard.version`.
   */
  take(forward: Forward, now: number): Taken {
    const shard = this.#shards.get(forward.shard) ?? this.#open(forward.shard);
    const groups = new Set<string>();
    // A shard without isolates has nothing to say about anyone's requests.
    if (forward.isolates > 0) shard.seenAt = now;
    if (forward.base !== shard.version && forward.version !== shard.version)
      return { shard, fresh: false, groups };
    shard.inFlight = forward.inFlight;
    shard.isolates = forward.isolates;
    shard.sampling = forward.sampling ?? 1;
    if (forward.version <= shard.version) return { shard, fresh: false, groups };
    shard.version = forward.version;
    shard.lost = forward.lost;
    for (const { row, tally } of forward.totals) {
      const { flag, release } = rowId(row);
      const group = `${flag}|${release}`;
      entry(shard.groups, group, () => new Map<RowKey, Tally>()).set(row, tally);
      groups.add(group);
    }
    return { shard, fresh: true, groups };
  }

  /** Totals over all shards, by row. */
  totals(): Map<RowKey, Tally> {
    const totals = new Map<RowKey, Tally>();
    for (const shard of this.#shards.values()) {
      for (const rows of shard.groups.values()) {
        for (const [row, tally] of rows) totals.set(row, addTally(totals.get(row) ?? emptyTally(), tally));
      }
    }
    return totals;
  }

  /** Every shard ever heard from. */
  shards(): ShardSums[] {
    return [...this.#shards.values()];
  }

  /** Shards heard from lately: the gauges of the others are out of date. */
  awake(now: number): ShardSums[] {
    return this.shards().filter((shard) => now - shard.seenAt <= QUIET_AFTER_MS);
  }

  #open(name: string): ShardSums {
    const shard: ShardSums = {
      shard: name,
      version: 0,
      seenAt: 0,
      lost: 0,
      groups: new Map(),
      inFlight: [],
      isolates: 0,
      sampling: 1,
    };
    this.#shards.set(name, shard);
    return shard;
  }
}
