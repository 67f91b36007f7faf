/**
 * Lines that wait to be appended to flags' notes in the document. Nothing is in a hurry here, so they wait until nobody
 * has changed the document for as long as KV may hide a person's edit.
 */
import { type EditState, KV_DELAY_MS } from "../core/rollout/edits.ts";

/** Lines that wait at most; of more the oldest are dropped, for they are in the audit log as well. */
const MAX_WAITING = 1000;

/** A line that waits. */
export interface WaitingNote {
  id: number;
  flag: string;
  line: string;
}

export class Notes {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY AUTOINCREMENT, flag TEXT NOT NULL, line TEXT NOT NULL)",
    );
  }

  /** Lets a line wait. */
  add(flag: string, line: string): void {
    const { id } = this.#sql
      .exec<{ id: number }>("INSERT INTO notes (flag, line) VALUES (?, ?) RETURNING id", flag, line)
      .one();
    this.#sql.exec("DELETE FROM notes WHERE id <= ?", id - MAX_WAITING);
  }

  /** Does anything wait? */
  get waiting(): boolean {
    return this.#sql.exec("SELECT 1 FROM notes LIMIT 1").toArray().length > 0;
  }

  /** What may be written now (milliseconds since the epoch), the oldest first; nothing while an edit may be hidden. */
  due(edits: EditState, now: number): WaitingNote[] {
    if (!isQuiet(edits, now)) return [];
    return this.#sql
      .exec<{ id: number; flag: string; line: string }>("SELECT id, flag, line FROM notes ORDER BY id")
      .toArray();
  }

  /** They are written, or there is nothing to write them to; in the transaction in which the document changes. */
  done(notes: readonly Pick<WaitingNote, "id">[]): void {
    for (const { id } of notes) this.#sql.exec("DELETE FROM notes WHERE id = ?", id);
  }
}

/** The document is in KV as it was decided on, has been for KV's delay, and no put of ours is younger. */
function isQuiet({ seen, unput, changedAt, put }: EditState, now: number): boolean {
  return seen && !unput && now - Math.max(changedAt, put.at) >= KV_DELAY_MS;
}
