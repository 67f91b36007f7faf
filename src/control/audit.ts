/**
 * The audit log: who changed what, when, how, why, and the figures that led to it. Records are only added, each chained
 * to the one before; the tables themselves refuse anything else.
 */
import {
  type AuditEntry,
  type AuditRecord,
  CHAIN_START,
  type Link,
  linked,
} from "../core/rollout/audit-chain.ts";

import type { AuditPage } from "./controller-api.ts";

export type { How } from "../core/rollout/audit-chain.ts";

/** Records of an earlier release that are taken over at a time: so that they need not all be in memory. */
const TAKEN_OVER_AT_ONCE = 1000;

/** Fields by which is looked for, where they stand in a record. Times rise with the ids: they need no index. */
const WHO = "json_extract(record, '$.who')";
const ACTION = "json_extract(record, '$.action')";
const AT = "json_extract(record, '$.at')";

/** A record as an earlier release kept it, in the table `audit`. */
type FormerRow = Pick<AuditEntry, "id" | "at" | "who" | "action" | "flag" | "release" | "reason"> & {
  figures: string;
};

export class AuditLog {
  readonly #sql: SqlStorage;
  #last: Link;
  #new: AuditEntry[] = [];

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS audit_log (
        id INTEGER PRIMARY KEY, flag TEXT, hash TEXT NOT NULL, record TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS audit_log_flag ON audit_log (flag, id);
      CREATE INDEX IF NOT EXISTS audit_log_who ON audit_log (${WHO}, id);
      CREATE INDEX IF NOT EXISTS audit_log_action ON audit_log (${ACTION}, id);
      CREATE TRIGGER IF NOT EXISTS audit_log_no_update BEFORE UPDATE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
      CREATE TRIGGER IF NOT EXISTS audit_log_no_delete BEFORE DELETE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
      CREATE TRIGGER IF NOT EXISTS audit_log_in_order BEFORE INSERT ON audit_log
        WHEN NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM audit_log)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    `);
    this.#last =
      this.#sql
        .exec<{ id: number; hash: string }>("SELECT id, hash FROM audit_log ORDER BY id DESC LIMIT 1")
        .toArray()[0] ?? CHAIN_START;
    storage.transactionSync(() => this.#takeOver());
  }

  /** Adds a record, in the transaction of what it tells. */
  add(record: AuditRecord): AuditEntry {
    const entry = linked(this.#last, record);
    // As JSON, so that nothing of it can come back otherwise than it was hashed: not a half of a character either.
    this.#sql.exec(
      "INSERT INTO audit_log (id, flag, hash, record) VALUES (?, ?, ?, ?)",
      entry.id,
      entry.flag,
      entry.hash,
      JSON.stringify(entry),
    );
    this.#last = { id: entry.id, hash: entry.hash };
    this.#new.push(entry);
    return entry;
  }

  /** What was added since this was asked last, for the log and the audit webhook: each record once. */
  takeNew(): AuditEntry[] {
    const entries = this.#new;
    this.#new = [];
    return entries;
  }

  /** Id of the newest entry; 0 before the first. */
  get last(): number {
    return this.#last.id;
  }

  /** The newest entries first, at most `limit`, older than the entry `before`; only those that are asked for. */
  read({ limit, before, flag, who, action, since, until }: AuditPage): AuditEntry[] {
    const conditions: [string, SqlStorageValue | undefined][] = [
      ["id < ?", before],
      ["flag = ?", flag],
      [`${WHO} = ?`, who],
      [`${ACTION} = ?`, action],
      [`${AT} >= ?`, since],
      [`${AT} < ?`, until],
    ];
    const asked = conditions.filter(([, value]) => value !== undefined);
    const where = asked.length === 0 ? "" : `WHERE ${asked.map(([condition]) => condition).join(" AND ")}`;
    return this.#sql
      .exec<{ record: string }>(
        `SELECT record FROM audit_log ${where} ORDER BY id DESC LIMIT ?`,
        ...asked.map(([, value]) => value),
        limit,
      )
      .toArray()
      .map(({ record }) => JSON.parse(record) as AuditEntry);
  }

  /** Entries after the one with this id, the oldest first, at most `limit`. */
  since(after: number, limit: number): AuditEntry[] {
    return this.#sql
      .exec<{ record: string }>("SELECT record FROM audit_log WHERE id > ? ORDER BY id LIMIT ?", after, limit)
      .toArray()
      .map(({ record }) => JSON.parse(record) as AuditEntry);
  }

  /** Takes what an earlier release has written into the chain, once. It is not told again. */
  #takeOver(): void {
    const former = this.#sql
      .exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'audit'")
      .toArray();
    if (former.length === 0) return;
    for (let from = 0; ; ) {
      const rows = this.#sql
        .exec<FormerRow>("SELECT * FROM audit WHERE id > ? ORDER BY id LIMIT ?", from, TAKEN_OVER_AT_ONCE)
        .toArray();
      for (const { id, who, figures, ...row } of rows) {
        from = id;
        const how = who === "controller" || who === "kv" ? who : "api";
        const values = { previous: null, next: null, percentage: null };
        this.add({ ...row, ...values, who, how, figures: JSON.parse(figures) as AuditEntry["figures"] });
      }
      this.takeNew();
      if (rows.length < TAKEN_OVER_AT_ONCE) break;
    }
    this.#sql.exec("DROP TABLE audit");
  }
}
