/** The SQLite tables of the controller's counts: sums of the shards, and windows. */
import type { ShardSums } from "../core/analysis/sums.ts";
import type { RowKey, Tally } from "../core/analysis/tally.ts";
import { type SavedWindow, saveWindow, type Window } from "../core/analysis/window.ts";
import { decodeTally } from "../core/wire/decode.ts";
import { packTally } from "../core/wire/encode.ts";

export class CountsStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS shards (
        shard TEXT PRIMARY KEY, version INTEGER NOT NULL, seen_at INTEGER NOT NULL, lost INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS sums (
        shard TEXT NOT NULL, grp TEXT NOT NULL, totals TEXT NOT NULL, PRIMARY KEY (shard, grp)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS windows (key TEXT PRIMARY KEY, ticks TEXT NOT NULL) WITHOUT ROWID;
    `);
  }

  /** Shards with their totals, as last taken over. */
  loadShards(): Omit<ShardSums, "inFlight" | "isolates" | "sampling">[] {
    const groups = new Map<string, Map<string, Map<RowKey, Tally>>>();
    const rows = this.#sql
      .exec<{ shard: string; grp: string; totals: string }>("SELECT * FROM sums")
      .toArray();
    for (const { shard, grp, totals } of rows) {
      const tallies = (JSON.parse(totals) as [RowKey, unknown][]).map(([row, tally]): [RowKey, Tally] => [
        row,
        decodeTally(tally, row),
      ]);
      if (!groups.has(shard)) groups.set(shard, new Map());
      groups.get(shard)!.set(grp, new Map(tallies));
    }
    return this.#sql
      .exec<{ shard: string; version: number; seen_at: number; lost: number }>("SELECT * FROM shards")
      .toArray()
      .map(({ shard, version, seen_at, lost }) => ({
        shard,
        version,
        seenAt: seen_at,
        lost,
        groups: groups.get(shard) ?? new Map(),
      }));
  }

  /** Writes down a shard and its totals of the groups (`flag|release`) given: a row each. */
  saveShard(shard: ShardSums, groups: Iterable<string>): void {
    this.#sql.exec(
      `INSERT INTO shards (shard, version, seen_at, lost) VALUES (?, ?, ?, ?)
       ON CONFLICT (shard) DO UPDATE SET version = excluded.version, seen_at = excluded.seen_at, lost = excluded.lost`,
      shard.shard,
      shard.version,
      shard.seenAt,
      shard.lost,
    );
    for (const group of groups) {
      const totals = [...(shard.groups.get(group) ?? [])].map(([row, tally]) => [row, packTally(tally)]);
      this.#sql.exec(
        "INSERT INTO sums (shard, grp, totals) VALUES (?, ?, ?) ON CONFLICT (shard, grp) DO UPDATE SET totals = excluded.totals",
        shard.shard,
        group,
        JSON.stringify(totals),
      );
    }
  }

  loadWindows(): [string, SavedWindow][] {
    return this.#sql
      .exec<{ key: string; ticks: string }>("SELECT key, ticks FROM windows")
      .toArray()
      .map(({ key, ticks }) => [key, JSON.parse(ticks) as SavedWindow]);
  }

  saveWindows(windows: Iterable<[string, Window]>, gone: Iterable<string>): void {
    for (const [key, window] of windows) {
      this.#sql.exec(
        "INSERT INTO windows (key, ticks) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET ticks = excluded.ticks",
        key,
        JSON.stringify(saveWindow(window)),
      );
    }
    for (const key of gone) this.#sql.exec("DELETE FROM windows WHERE key = ?", key);
  }
}
