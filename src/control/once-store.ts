/** Writes that are done, by the key that their caller gave them, in SQLite: tried again, they happen no second time. */
import type { Once } from "./controller-api.ts";

/** Remembered for so long, milliseconds: a day. */
const KEPT_MS = 24 * 3_600_000;
/** So many at most, the newest: some kB each. */
const KEPT = 5_000;

/** What was answered, or that the key stands for another write. */
export type Remembered<T> = { isSame: true; answer: T } | { isSame: false };

export class OnceStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS once (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, fingerprint TEXT NOT NULL,
        answer TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS once_at ON once (at);
    `);
  }

  /** Undefined for a key that no write has had within a day. */
  find<T>({ key, fingerprint }: Once, now: number): Remembered<T> | undefined {
    const [row] = this.#sql
      .exec<{ fingerprint: string; answer: string }>(
        "SELECT fingerprint, answer FROM once WHERE key = ? AND at > ?",
        key,
        now - KEPT_MS,
      )
      .toArray();
    if (!row) return undefined;
    if (row.fingerprint !== fingerprint) return { isSame: false };
    return { isSame: true, answer: JSON.parse(row.answer) as T };
  }

  /** Remembers a write, in its transaction. */
  save({ key, fingerprint }: Once, answer: object, now: number): void {
    this.#sql.exec("DELETE FROM once WHERE at <= ? OR key = ?", now - KEPT_MS, key);
    const { id } = this.#sql
      .exec<{ id: number }>(
        "INSERT INTO once (key, at, fingerprint, answer) VALUES (?, ?, ?, ?) RETURNING id",
        key,
        now,
        fingerprint,
        JSON.stringify(answer),
      )
      .one();
    this.#sql.exec("DELETE FROM once WHERE id <= ?", id - KEPT);
  }
}
