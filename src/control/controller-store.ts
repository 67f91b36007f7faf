/** The SQLite tables of the controller: sums of the shards, windows, the decision and its halts. */
import type { ShardSums } from "../core/analysis/sums.ts";
import type { RowKey, Tally } from "../core/analysis/tally.ts";
import { type SavedWindow, saveWindow, type Window } from "../core/analysis/window.ts";
import { type Flag, flagSchema } from "../core/flag/schema.ts";
import type { FlagStatus, Halt } from "../core/rollout/snapshot.ts";
import { decodeTally } from "../core/wire/decode.ts";
import { packTally } from "../core/wire/encode.ts";
import type { Adoption, Rollout } from "./rollout.ts";

/** A row takes at most 2 MB; a longer text of a spec is not kept, only what was read in it. */
const TEXT_BYTES = 1_900_000;

/** The scalar part of the decision, one row. */
type Head = Pick<Rollout, "revision" | "specHash" | "enabled" | "kill" | "faults" | "edits">;

export class ControllerStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS shards (
        shard TEXT PRIMARY KEY, version INTEGER NOT NULL, seen_at INTEGER NOT NULL, lost INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS sums (
        shard TEXT NOT NULL, grp TEXT NOT NULL, totals TEXT NOT NULL, PRIMARY KEY (shard, grp)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS windows (key TEXT PRIMARY KEY, ticks TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS flags (name TEXT PRIMARY KEY, flag TEXT NOT NULL, status TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS halts (
        flag TEXT NOT NULL, release TEXT NOT NULL, halt TEXT NOT NULL, PRIMARY KEY (flag, release)) WITHOUT ROWID;
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

  /** The decision; undefined in a store that has never held one. */
  loadRollout(): Rollout | undefined {
    const json = this.#value("head");
    if (json === undefined) return undefined;
    const head = JSON.parse(json) as Head;
    const flags = this.#sql
      .exec<{ name: string; flag: string; status: string }>("SELECT * FROM flags")
      .toArray();
    const halts = this.#sql.exec<{ halt: string }>("SELECT halt FROM halts").toArray();
    return {
      ...head,
      flags: new Map(flags.map(({ name, flag }) => [name, storedFlag(JSON.parse(flag))])),
      status: new Map(flags.map(({ name, status }) => [name, JSON.parse(status) as FlagStatus])),
      halts: halts.map(({ halt }) => JSON.parse(halt) as Halt).sort((a, b) => a.at - b.at),
    };
  }

  /** Writes down the scalar part: one row. */
  saveHead({ revision, specHash, enabled, kill, faults, edits }: Rollout): void {
    const head: Head = { revision, specHash, enabled, kill, faults, edits };
    this.#setValue("head", JSON.stringify(head));
  }

  /** Writes down the flags that an adoption has changed. */
  saveFlags(rollout: Rollout, { changed, removed }: Pick<Adoption, "changed" | "removed">): void {
    for (const name of removed) this.#sql.exec("DELETE FROM flags WHERE name = ?", name);
    for (const name of changed) {
      this.#sql.exec(
        `INSERT INTO flags (name, flag, status) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET flag = excluded.flag, status = excluded.status`,
        name,
        JSON.stringify(rollout.flags.get(name)),
        JSON.stringify(rollout.status.get(name)),
      );
    }
  }

  saveHalt(halt: Halt): void {
    this.#sql.exec(
      "INSERT INTO halts (flag, release, halt) VALUES (?, ?, ?) ON CONFLICT (flag, release) DO NOTHING",
      halt.flag,
      halt.release,
      JSON.stringify(halt),
    );
  }

  deleteHalt(flag: string, release: string): void {
    this.#sql.exec("DELETE FROM halts WHERE flag = ? AND release = ?", flag, release);
  }

  /** The spec as it was written; undefined when it was too long to be kept. */
  text(): string | undefined {
    return this.#value("text");
  }

  /** Keeps the spec as it was written, unless it is too long for a row. */
  saveText(text: string): void {
    if (new TextEncoder().encode(text).length <= TEXT_BYTES) this.#setValue("text", text);
    else this.#sql.exec("DELETE FROM state WHERE key = 'text'");
  }

  /** When the snapshot was put into KV last: written down before each put, which so fails in a replaced object. */
  savePublishedAt(at: number): void {
    this.#setValue("publishedAt", String(at));
  }

  #value(key: string): string | undefined {
    return this.#sql.exec<{ value: string }>("SELECT value FROM state WHERE key = ?", key).toArray()[0]
      ?.value;
  }

  #setValue(key: string, value: string): void {
    this.#sql.exec(
      "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      key,
      value,
    );
  }
}

/** A form that an older release has stored lacks the defaults of this one; one that this one would refuse goes on. */
function storedFlag(value: unknown): Flag {
  const parsed = flagSchema.safeParse(value);
  return parsed.success ? parsed.data : (value as Flag);
}
