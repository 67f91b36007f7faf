/**
 * The SQLite tables of a shard. A batch is one row: the isolate's last number, its own running totals and its cells
 * not yet forwarded change together, so a batch is counted wholly or not at all.
 */
import type { Folded, IsolatePage, PendingCells } from "../core/analysis/ledger.ts";
import { addTally, emptyTally, type RowKey, type Tally } from "../core/analysis/tally.ts";
import type { Snapshot } from "../core/rollout/snapshot.ts";
import { cellsOf, decodeTally, MAX_CELLS } from "../core/wire/decode.ts";
import { packCells, packTally } from "../core/wire/encode.ts";

/** Totals of an isolate move to the table `folded` beyond this length of JSON, so that a batch stays a small write. */
const FOLD_CHARS = 200_000;
/** Pending cells beyond this length of JSON are dropped, oldest first: the totals hold them, only evidence is lost. */
const PENDING_CHARS = 1_000_000;
/** A row takes at most 2 MB; a snapshot that does not fit is asked for again after a restart. */
const SNAPSHOT_BYTES = 1_900_000;

/** What a shard finds when it starts. */
export interface ShardMemory {
  folded: Folded;
  pages: IsolatePage[];
  snapshot: Snapshot | undefined;
  /** Minted with the store: a new store under the same name counts as another shard, or its sums would start anew. */
  incarnation: string;
  /** The shard's name; undefined in a new store. */
  name: string | undefined;
}

interface IsolateRow extends Record<string, SqlStorageValue> {
  id: string;
  seq: number;
  seen_at: number;
  version: number;
  lost: number;
  totals: string;
  pending: string;
}

export class ShardStore {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    // WITHOUT ROWID: the primary key is the table, so a write is one row and no second one for an index.
    storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS isolates (
        id TEXT PRIMARY KEY, seq INTEGER NOT NULL, seen_at INTEGER NOT NULL, version INTEGER NOT NULL,
        lost INTEGER NOT NULL, totals TEXT NOT NULL, pending TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS folded (row TEXT PRIMARY KEY, tally TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    `);
  }

  /** Everything that was written down. */
  load(): ShardMemory {
    const totals = this.#storage.sql
      .exec<{ row: string; tally: string }>("SELECT row, tally FROM folded")
      .toArray()
      .map(({ row, tally }): [RowKey, Tally] => [row, decodeTally(JSON.parse(tally), row)]);
    const pages = this.#storage.sql.exec<IsolateRow>("SELECT * FROM isolates").toArray().map(pageOf);
    const snapshot = this.#meta("snapshot");
    return {
      folded: { version: Number(this.#meta("version") ?? 0), lost: Number(this.#meta("lost") ?? 0), totals },
      pages,
      snapshot: snapshot === undefined ? undefined : (JSON.parse(snapshot) as Snapshot),
      incarnation: this.#meta("incarnation") ?? this.#mint(),
      name: this.#meta("name"),
    };
  }

  /** Keeps the shard's name: an object that an alarm wakes may not be told its own. */
  saveName(name: string): void {
    this.#setMeta("name", name);
  }

  /** Writes an isolate's page down: one row, unless its totals have grown so long that they are folded. */
  save(page: IsolatePage): void {
    let pending = JSON.stringify(packPending(page.pending));
    while (pending.length > PENDING_CHARS && page.pending.length > 0) {
      page.pending.shift();
      pending = JSON.stringify(packPending(page.pending));
    }
    const totals = JSON.stringify(packTotals(page.totals));
    if (totals.length <= FOLD_CHARS) {
      this.#write(page, totals, pending);
      return;
    }
    this.#storage.transactionSync(() => {
      this.#fold(page.totals);
      this.#write(page, "[]", pending);
    });
    page.totals.clear();
  }

  /** Folds isolates that are gone into the common totals. `version` and `lost` are those of the whole shard. */
  fold(pages: readonly IsolatePage[], version: number): void {
    this.#storage.transactionSync(() => {
      let lost = Number(this.#meta("lost") ?? 0);
      for (const page of pages) {
        this.#fold(page.totals);
        lost += page.lost;
        this.#storage.sql.exec("DELETE FROM isolates WHERE id = ?", page.isolate);
      }
      this.#setMeta("lost", String(lost));
      this.#setMeta("version", String(version));
    });
  }

  /** Keeps the newest snapshot over a restart, if it fits. */
  saveSnapshot(snapshot: Snapshot): void {
    const json = JSON.stringify(snapshot);
    if (new TextEncoder().encode(json).length <= SNAPSHOT_BYTES) this.#setMeta("snapshot", json);
    else this.#storage.sql.exec("DELETE FROM meta WHERE key = 'snapshot'");
  }

  #write(page: IsolatePage, totals: string, pending: string): void {
    this.#storage.sql.exec(
      `INSERT INTO isolates (id, seq, seen_at, version, lost, totals, pending) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, seen_at = excluded.seen_at, version = excluded.version,
         lost = excluded.lost, totals = excluded.totals, pending = excluded.pending`,
      page.isolate,
      page.seq,
      page.seenAt,
      page.version,
      page.lost,
      totals,
      pending,
    );
  }

  #fold(totals: ReadonlyMap<RowKey, Tally>): void {
    for (const [row, tally] of totals) {
      const [known] = this.#storage.sql
        .exec<{ tally: string }>("SELECT tally FROM folded WHERE row = ?", row)
        .toArray();
      const sum = addTally(known ? decodeTally(JSON.parse(known.tally), row) : emptyTally(), tally);
      this.#storage.sql.exec(
        "INSERT INTO folded (row, tally) VALUES (?, ?) ON CONFLICT (row) DO UPDATE SET tally = excluded.tally",
        row,
        JSON.stringify(packTally(sum)),
      );
    }
  }

  #mint(): string {
    const incarnation = crypto.randomUUID().slice(0, 8);
    this.#setMeta("incarnation", incarnation);
    return incarnation;
  }

  #meta(key: string): string | undefined {
    return this.#storage.sql.exec<{ value: string }>("SELECT value FROM meta WHERE key = ?", key).toArray()[0]
      ?.value;
  }

  #setMeta(key: string, value: string): void {
    this.#storage.sql.exec(
      "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      key,
      value,
    );
  }
}

function pageOf(row: IsolateRow): IsolatePage {
  const pending = JSON.parse(row.pending) as { version: number; cells: unknown }[];
  const totals = JSON.parse(row.totals) as [RowKey, unknown][];
  return {
    isolate: row.id,
    seq: row.seq,
    seenAt: row.seen_at,
    version: row.version,
    lost: row.lost,
    totals: new Map(totals.map(([key, tally]) => [key, decodeTally(tally, key)])),
    pending: pending.map(({ version, cells }) => ({ version, cells: cellsOf(cells, "pending", MAX_CELLS) })),
    inFlight: [],
  };
}

function packTotals(totals: ReadonlyMap<RowKey, Tally>): unknown[] {
  return [...totals].map(([row, tally]) => [row, packTally(tally)]);
}

function packPending(pending: readonly PendingCells[]): unknown[] {
  return pending.map(({ version, cells }) => ({ version, cells: packCells(cells) }));
}
