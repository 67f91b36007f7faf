/** The audit log: who changed what, when, why, and the figures that led to it. Entries are only added. */
import type { AuditEntry } from "./controller-api.ts";

/** Entries kept; some years of an active installation. */
const KEPT = 100_000;

/** An entry as it is stored: its figures as JSON. */
type AuditRow = Omit<AuditEntry, "figures"> & { figures: string };

export class AuditLog {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
        flag TEXT, release TEXT, reason TEXT NOT NULL, figures TEXT NOT NULL)
    `);
  }

  /** Adds an entry, in the transaction of what it tells. */
  add(entry: Omit<AuditEntry, "id">): void {
    const { at, who, action, flag, release, reason, figures } = entry;
    const { id } = this.#sql
      .exec<{ id: number }>(
        `INSERT INTO audit (at, who, action, flag, release, reason, figures) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
        at,
        who,
        action,
        flag,
        release,
        reason,
        JSON.stringify(figures),
      )
      .one();
    this.#sql.exec("DELETE FROM audit WHERE id <= ?", id - KEPT);
  }

  /** The newest entries first, at most `limit`, older than the entry `before`. */
  read({ limit, before }: { limit: number; before?: number }): AuditEntry[] {
    return this.#sql
      .exec<AuditRow>(
        "SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?",
        before ?? Number.MAX_SAFE_INTEGER,
        limit,
      )
      .toArray()
      .map((row) => ({ ...row, figures: JSON.parse(row.figures) as AuditEntry["figures"] }));
  }
}
