/** The SQLite tables of the comparisons: the state of each flag's, and blue's last hours. */
import { type Chunk, REMEMBERED_MS } from "./blue-history.ts";
import type { FlagComparison, SavedFlagComparison } from "./flag-comparison.ts";

export class ComparisonStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS comparisons (flag TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS blue_history (
        flag TEXT NOT NULL, start INTEGER NOT NULL, blocks TEXT NOT NULL, PRIMARY KEY (flag, start)) WITHOUT ROWID;
    `);
  }

  load(flag: string): SavedFlagComparison | undefined {
    const rows = this.#sql.exec<{ state: string }>("SELECT state FROM comparisons WHERE flag = ?", flag);
    const state = rows.toArray()[0]?.state;
    return state === undefined ? undefined : (JSON.parse(state) as SavedFlagComparison);
  }

  save(flag: string, comparison: FlagComparison): void {
    this.#sql.exec(
      "INSERT INTO comparisons (flag, state) VALUES (?, ?) ON CONFLICT (flag) DO UPDATE SET state = excluded.state",
      flag,
      JSON.stringify(comparison.save()),
    );
  }

  /** Blue's last hours, oldest first. */
  history(flag: string): Chunk[] {
    return this.#sql
      .exec<{ start: number; blocks: string }>(
        "SELECT start, blocks FROM blue_history WHERE flag = ? ORDER BY start",
        flag,
      )
      .toArray()
      .map(({ start, blocks }) => ({ from: start, blocks: JSON.parse(blocks) as Chunk["blocks"] }));
  }

  /** Writes down chunks of a flag and forgets those that ended too long before the newest of them began. */
  saveHistory(flag: string, chunks: readonly Chunk[]): void {
    for (const { from, blocks } of chunks) {
      this.#sql.exec(
        `INSERT INTO blue_history (flag, start, blocks) VALUES (?, ?, ?)
         ON CONFLICT (flag, start) DO UPDATE SET blocks = excluded.blocks`,
        flag,
        from,
        JSON.stringify(blocks),
      );
      this.#sql.exec("DELETE FROM blue_history WHERE flag = ? AND start < ?", flag, from - REMEMBERED_MS);
    }
  }

  /** The newest chunk of a flag. */
  newest(flag: string): Chunk | undefined {
    const [row] = this.#sql
      .exec<{ start: number; blocks: string }>(
        "SELECT start, blocks FROM blue_history WHERE flag = ? ORDER BY start DESC LIMIT 1",
        flag,
      )
      .toArray();
    return row && { from: row.start, blocks: JSON.parse(row.blocks) as Chunk["blocks"] };
  }

  /** Forgets a flag. */
  delete(flag: string): void {
    this.#sql.exec("DELETE FROM comparisons WHERE flag = ?", flag);
    this.#sql.exec("DELETE FROM blue_history WHERE flag = ?", flag);
  }
}
