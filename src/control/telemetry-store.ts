/** The SQLite tables of telemetry: what goes on of each flag, its counts by minute and hour, signals, batches taken. */
import { Page, type SavedPage } from "../core/analysis/page.ts";
import { keptSince, type Level, minutesAround } from "../core/analysis/spans.ts";

/** Pages that are kept decoded: a few kB each. */
const MAX_PAGES = 2_000;

export class TelemetryStore {
  readonly #sql: SqlStorage;
  /** By flag, level and start; the one used last comes last. */
  readonly #pages = new Map<string, Page>();

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS telemetry (flag TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS series (
        flag TEXT NOT NULL, level TEXT NOT NULL, start INTEGER NOT NULL, page TEXT NOT NULL,
        PRIMARY KEY (flag, level, start)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS signals (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS batches (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    `);
  }

  /** What goes on of a flag, as `saveFlag` wrote it. */
  loadFlag(flag: string): unknown {
    const [row] = this.#sql
      .exec<{ state: string }>("SELECT state FROM telemetry WHERE flag = ?", flag)
      .toArray();
    return row && JSON.parse(row.state);
  }

  saveFlag(flag: string, state: unknown): void {
    this.#sql.exec(
      "INSERT INTO telemetry (flag, state) VALUES (?, ?) ON CONFLICT (flag) DO UPDATE SET state = excluded.state",
      flag,
      JSON.stringify(state),
    );
  }

  /** Pages of a flag that start in [from, to), milliseconds since the epoch, oldest first. */
  read(flag: string, level: Level, from: number, to: number): Page[] {
    return this.#sql
      .exec<{ start: number; page: string }>(
        "SELECT start, page FROM series WHERE flag = ? AND level = ? AND start >= ? AND start < ? ORDER BY start",
        flag,
        level,
        from,
        to,
      )
      .toArray()
      .map(({ start, page }) => this.#page(keyOf(flag, level, start), page));
  }

  /** Adds counts to the page of a minute or hour that starts at `start`: one row. */
  add(flag: string, level: Level, start: number, counts: Page): void {
    const page =
      this.read(flag, level, start, start + 1)[0] ?? this.#keep(keyOf(flag, level, start), new Page());
    page.merge(counts);
    this.#sql.exec(
      `INSERT INTO series (flag, level, start, page) VALUES (?, ?, ?, ?)
       ON CONFLICT (flag, level, start) DO UPDATE SET page = excluded.page`,
      flag,
      level,
      start,
      JSON.stringify(page.save()),
    );
  }

  /** Forgets pages that no span can ask for any more. */
  prune(flag: string, stageAt: number, now: number): void {
    const { from, to } = minutesAround(stageAt);
    for (const level of ["minute", "hour"] as const) {
      this.#sql.exec(
        "DELETE FROM series WHERE flag = ? AND level = ? AND start < ? AND NOT (start >= ? AND start < ?)",
        flag,
        level,
        keptSince(level, now),
        from,
        to,
      );
    }
  }

  /** Forgets a flag. */
  delete(flag: string): void {
    this.#sql.exec("DELETE FROM telemetry WHERE flag = ?", flag);
    this.#sql.exec("DELETE FROM series WHERE flag = ?", flag);
    for (const key of this.#pages.keys()) if (key.startsWith(`${flag}|`)) this.#pages.delete(key);
  }

  /** A value that was written under this name; undefined for none. */
  signals(key: string): unknown {
    const [row] = this.#sql.exec<{ value: string }>("SELECT value FROM signals WHERE key = ?", key).toArray();
    return row && JSON.parse(row.value);
  }

  saveSignals(key: string, value: unknown): void {
    this.#sql.exec(
      "INSERT INTO signals (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      key,
      JSON.stringify(value),
    );
  }

  /** Batches that were taken, with the time (milliseconds since the epoch). */
  batches(): [id: string, at: number][] {
    return this.#sql
      .exec<{ id: string; at: number }>("SELECT id, at FROM batches ORDER BY at")
      .toArray()
      .map(({ id, at }) => [id, at]);
  }

  saveBatch(id: string, at: number): void {
    this.#sql.exec(
      "INSERT INTO batches (id, at) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at",
      id,
      at,
    );
  }

  forgetBatches(before: number): void {
    this.#sql.exec("DELETE FROM batches WHERE at < ?", before);
  }

  #page(key: string, text: string): Page {
    const known = this.#pages.get(key);
    if (known) this.#pages.delete(key);
    return this.#keep(key, known ?? Page.load(JSON.parse(text) as SavedPage));
  }

  #keep(key: string, page: Page): Page {
    if (this.#pages.size >= MAX_PAGES) this.#pages.delete([...this.#pages.keys()][0]!);
    this.#pages.set(key, page);
    return page;
  }
}

function keyOf(flag: string, level: Level, start: number): string {
  return `${flag}|${level}|${start}`;
}
