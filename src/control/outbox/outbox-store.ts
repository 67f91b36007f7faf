/** The SQLite tables of the outbox: messages with who still has to get them, requests to try, and the orders. */

import type { Severity } from "../../core/flag/notify.ts";
import { type Addressed, addressesOf } from "../../core/notify/routing.ts";
import type { Message, Orders, Validation } from "../../core/wire/outbox.ts";

/** A key is known for so long, milliseconds: whoever sends again must have given up before. */
const KEY_MS = 30 * 86_400_000;

/** One message that one receiver has not taken yet. */
export interface Delivery {
  id: number;
  key: string;
  receiver: string;
  severity: Severity;
  /** When it was stored, milliseconds since the epoch. */
  takenAt: number;
  /** Tries that failed. */
  attempts: number;
}

/** A receiver that something waits for. */
export interface WaitingReceiver {
  receiver: string;
  /** The most urgent of what waits. */
  severity: Severity;
  /** When the next delivery may be tried, ms since the epoch; of those never tried, and of all. */
  freshAt: number | null;
  nextAt: number;
  /** Silence that the receiver asked for lasts until then; 0 for none. */
  silentUntil: number;
}

type DeliveryRow = {
  id: number;
  key: string;
  receiver: string;
  severity: Severity;
  taken_at: number;
  attempts: number;
};

export class OutboxStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  #orders: Orders | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS messages (
        key TEXT PRIMARY KEY, taken_at INTEGER NOT NULL, routed INTEGER NOT NULL, message TEXT) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS deliveries (
        id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, receiver TEXT NOT NULL, severity TEXT NOT NULL,
        at INTEGER NOT NULL, taken_at INTEGER NOT NULL, attempts INTEGER NOT NULL, next_at INTEGER NOT NULL);
      CREATE INDEX IF NOT EXISTS deliveries_by_receiver ON deliveries (receiver, at, id);
      CREATE INDEX IF NOT EXISTS deliveries_by_key ON deliveries (key);
      CREATE TABLE IF NOT EXISTS silences (receiver TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS validations (
        key TEXT PRIMARY KEY, taken_at INTEGER NOT NULL, validation TEXT) WITHOUT ROWID;
    `);
    const orders = this.#sql
      .exec<{ value: string }>("SELECT value FROM state WHERE key = 'orders'")
      .toArray()[0];
    this.#orders = orders && (JSON.parse(orders.value) as Orders);
  }

  /** What was asked for last; undefined before the first time. */
  get orders(): Orders | undefined {
    return this.#orders;
  }

  /** Runs writes that belong together. */
  atomically<T>(writes: () => T): T {
    return this.#storage.transactionSync(writes);
  }

  /** Takes orders, and finds the receivers of what came before any. False for orders older than those it has. */
  saveOrders(orders: Orders, now: number): boolean {
    if (this.#orders && orders.revision < this.#orders.revision) return false;
    const value = JSON.stringify(orders);
    this.atomically(() => {
      this.#sql.exec(
        "INSERT INTO state (key, value) VALUES ('orders', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        value,
      );
      const unrouted = this.#sql
        .exec<{ key: string; message: string }>(
          "SELECT key, message FROM messages WHERE routed = 0 AND message IS NOT NULL",
        )
        .toArray();
      for (const { key, message } of unrouted) {
        this.#address(JSON.parse(message) as Message, orders, now);
        this.#sql.exec("UPDATE messages SET routed = 1 WHERE key = ?", key);
        this.#forget(key);
      }
    });
    this.#orders = orders;
    return true;
  }

  /** Stores a message with its receivers, unless its key is known. */
  addMessage(message: Message, now: number): void {
    const orders = this.#orders;
    const { rowsWritten } = this.#sql.exec(
      "INSERT INTO messages (key, taken_at, routed, message) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
      message.key,
      now,
      orders ? 1 : 0,
      JSON.stringify(message),
    );
    if (rowsWritten === 0 || !orders) return;
    this.#address(message, orders, now);
    this.#forget(message.key);
  }

  #address(message: Message, orders: Orders, now: number): void {
    for (const { receiver, severity } of addressesOf(message, orders.notify))
      this.#sql.exec(
        `INSERT INTO deliveries (key, receiver, severity, at, taken_at, attempts, next_at) VALUES (?, ?, ?, ?, ?, 0, 0)`,
        message.key,
        receiver,
        severity satisfies Addressed["severity"],
        message.at,
        now,
      );
  }

  /** The text of a message is kept only while somebody has to get it; its key stays. */
  #forget(key: string): void {
    this.#sql.exec(
      "UPDATE messages SET message = NULL WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE key = ?1)",
      key,
    );
  }

  message(key: string): Message | undefined {
    const row = this.#sql
      .exec<{ message: string | null }>("SELECT message FROM messages WHERE key = ?", key)
      .toArray()[0];
    return row?.message ? (JSON.parse(row.message) as Message) : undefined;
  }

  /** Receivers that something waits for, the most urgent first and then the one that has waited longest. */
  waiting(): WaitingReceiver[] {
    return this.#sql
      .exec<{
        receiver: string;
        severity: Severity;
        fresh_at: number | null;
        next_at: number;
        until: number;
      }>(
        `SELECT d.receiver, MIN(severity) AS severity, MIN(CASE WHEN attempts = 0 THEN next_at END) AS fresh_at, MIN(next_at) AS next_at,
           COALESCE(MAX(s.until), 0) AS until
         FROM deliveries d LEFT JOIN silences s ON s.receiver = d.receiver
         GROUP BY d.receiver ORDER BY MIN(severity), MIN(d.id)`,
      )
      .toArray()
      .map(({ receiver, severity, fresh_at, next_at, until }) => ({
        receiver,
        severity,
        freshAt: fresh_at,
        nextAt: next_at,
        silentUntil: until,
      }));
  }

  /** The oldest delivery of a receiver that is due; with `fresh` only among those never tried. */
  due(receiver: string, now: number, fresh: boolean): Delivery | undefined {
    const row = this.#sql
      .exec<DeliveryRow>(
        `SELECT id, key, receiver, severity, taken_at, attempts FROM deliveries
         WHERE receiver = ? AND next_at <= ? AND (attempts = 0 OR NOT ?) ORDER BY at, id LIMIT 1`,
        receiver,
        now,
        fresh ? 1 : 0,
      )
      .toArray()[0];
    if (!row) return undefined;
    const { taken_at, ...delivery } = row;
    return { ...delivery, takenAt: taken_at };
  }

  /** Delivered or given up: nobody has to get it there any more. */
  close({ id, key }: Delivery): void {
    this.#sql.exec("DELETE FROM deliveries WHERE id = ?", id);
    this.#forget(key);
  }

  postpone({ id, attempts }: Delivery, until: number): void {
    this.#sql.exec("UPDATE deliveries SET attempts = ?, next_at = ? WHERE id = ?", attempts + 1, until, id);
  }

  /** The receiver is back: what failed there is due at once, the oldest first. */
  bringForward(receiver: string, now: number): void {
    this.#sql.exec(
      "UPDATE deliveries SET next_at = 0 WHERE receiver = ? AND attempts > 0 AND next_at > ?",
      receiver,
      now,
    );
  }

  /** Nothing goes to the receiver until then. */
  silence(receiver: string, until: number): void {
    this.#sql.exec(
      "INSERT INTO silences (receiver, until) VALUES (?, ?) ON CONFLICT (receiver) DO UPDATE SET until = excluded.until",
      receiver,
      until,
    );
  }

  /** Stores requests to try, unless the key is known. */
  addValidation(validation: Validation, now: number): void {
    this.#sql.exec(
      "INSERT INTO validations (key, taken_at, validation) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
      validation.key,
      now,
      JSON.stringify(validation),
    );
  }

  /** The oldest list of requests that has no result yet. */
  nextValidation(): Validation | undefined {
    const row = this.#sql
      .exec<{ validation: string }>(
        "SELECT validation FROM validations WHERE validation IS NOT NULL ORDER BY taken_at, key LIMIT 1",
      )
      .toArray()[0];
    return row && (JSON.parse(row.validation) as Validation);
  }

  closeValidation(key: string): void {
    this.#sql.exec("UPDATE validations SET validation = NULL WHERE key = ?", key);
  }

  /** Forgets keys and silences that are over. */
  prune(now: number): void {
    this.#sql.exec("DELETE FROM messages WHERE taken_at < ? AND message IS NULL", now - KEY_MS);
    this.#sql.exec("DELETE FROM validations WHERE taken_at < ? AND validation IS NULL", now - KEY_MS);
    this.#sql.exec("DELETE FROM silences WHERE until < ?", now);
  }
}
