/** The history of rollouts in SQLite: a row each, pruned when it is old and there are enough younger ones. */
import {
  begun,
  type Ended,
  type Entered,
  inStage,
  KEPT_MS,
  KEPT_ROLLOUTS,
  type OfRollout,
  over,
  type PastRollout,
  type Started,
} from "../core/rollout/history.ts";

/** A row. `ended_at` stands beside the JSON to prune by; null while the rollout lasts. */
interface Row extends Record<string, SqlStorageValue> {
  id: number;
  rollout: string;
}

export class History {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS history (
        id INTEGER PRIMARY KEY, flag TEXT NOT NULL, ended_at INTEGER, rollout TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS history_flag ON history (flag, id);
    `);
  }

  /** A rollout has begun. One of the same flag that still lasts is over by that. */
  started(started: Started): void {
    const { flag, at } = started;
    const reason = `rollout ${started.rollout} has begun`;
    const counts = { requests: null, failures: null };
    for (const { id, past } of this.#lasting(flag)) {
      this.#save(id, over(past, { ...started, ...counts, outcome: "superseded", reason }));
    }
    this.#add(begun(started));
    this.#prune(at);
  }

  /** A stage is entered; the counts are those of the stage that is left by it. */
  entered(entered: Entered): void {
    const { id, past } = this.#present(entered);
    this.#save(id, inStage(past, entered));
  }

  /** It has ended; the counts are those of its last stage. */
  ended(ended: Ended): void {
    const { id, past } = this.#present(ended);
    this.#save(id, over(past, ended));
    this.#prune(ended.at);
  }

  /** Rollouts of a flag, the newest first, at most `limit`, older than number `before`. */
  read(flag: string, limit: number, before = Number.MAX_SAFE_INTEGER): PastRollout[] {
    return this.#sql
      .exec<Row>(
        `SELECT id, rollout FROM history WHERE flag = ? AND json_extract(rollout, '$.rollout') < ?
         ORDER BY id DESC LIMIT ?`,
        flag,
        before,
        limit,
      )
      .toArray()
      .map(({ rollout }) => JSON.parse(rollout) as PastRollout);
  }

  /** The rollout that lasts; one whose beginning was lost with the store begins here. */
  #present({ flag, rollout, at }: OfRollout): { id: number; past: PastRollout } {
    const present = this.#lasting(flag).find(({ past }) => past.rollout === rollout);
    if (present) return present;
    const past = begun({ flag, rollout, at, release: null, plan: null, who: null });
    return { id: this.#add(past), past };
  }

  #lasting(flag: string): { id: number; past: PastRollout }[] {
    return this.#sql
      .exec<Row>("SELECT id, rollout FROM history WHERE flag = ? AND ended_at IS NULL ORDER BY id DESC", flag)
      .toArray()
      .map(({ id, rollout }) => ({ id, past: JSON.parse(rollout) as PastRollout }));
  }

  #add(past: PastRollout): number {
    return this.#sql
      .exec<{ id: number }>(
        "INSERT INTO history (flag, ended_at, rollout) VALUES (?, ?, ?) RETURNING id",
        past.flag,
        past.endedAt,
        JSON.stringify(past),
      )
      .one().id;
  }

  #save(id: number, past: PastRollout): void {
    this.#sql.exec(
      "UPDATE history SET ended_at = ?, rollout = ? WHERE id = ?",
      past.endedAt,
      JSON.stringify(past),
      id,
    );
  }

  /** What ended more than 90 days ago goes, but for the newest ten of each flag. */
  #prune(now: number): void {
    this.#sql.exec(
      `DELETE FROM history WHERE ended_at < ? AND id NOT IN (
         SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY flag ORDER BY id DESC) AS place FROM history)
         WHERE place <= ?)`,
      now - KEPT_MS,
      KEPT_ROLLOUTS,
    );
  }
}
