/** When each flag's text changed last, and which states it has been in: in SQLite, for etags and for the way back. */
import { hashText } from "../core/hashing/text.ts";
import type { Former, Restored } from "../core/rollout/going-back.ts";
import type { WrittenFlags } from "./written.ts";

/** States of a flag that are kept, the newest: the way back is seldom longer. */
const KEPT_STATES = 100;

/** What is known of a flag's text. */
export interface Mark {
  /** Revision of its last change, and its time (milliseconds since the epoch). */
  revision: number;
  at: number;
  /** When it first was in the document; null where it is not known. */
  createdAt: number | null;
  /** Hash of what is written of it. */
  hash: string;
}

interface MarkRow extends Record<string, SqlStorageValue> {
  name: string;
  revision: number;
  at: number;
  created_at: number | null;
  hash: string;
}

type Changed = Pick<Mark, "revision" | "at">;

export class FlagMarks {
  readonly #sql: SqlStorage;
  readonly #marks: Map<string, Mark>;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS flag_marks (
        name TEXT PRIMARY KEY, revision INTEGER NOT NULL, at INTEGER NOT NULL, created_at INTEGER, hash TEXT NOT NULL)
        WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS flag_states (
        flag TEXT NOT NULL, revision INTEGER NOT NULL, at INTEGER NOT NULL, former TEXT NOT NULL,
        PRIMARY KEY (flag, revision)) WITHOUT ROWID;
    `);
    this.#marks = new Map(
      this.#sql
        .exec<MarkRow>("SELECT * FROM flag_marks")
        .toArray()
        .map(({ name, revision, at, created_at, hash }) => [
          name,
          { revision, at, createdAt: created_at, hash },
        ]),
    );
  }

  /** Undefined for a flag that has not changed since marks are kept. */
  of(flag: string): Readonly<Mark> | undefined {
    return this.#marks.get(flag);
  }

  /** A text becomes the spec. `before`: what was written until now; undefined where that is not known. */
  adopted(written: WrittenFlags, before: WrittenFlags | undefined, { revision, at }: Changed): void {
    for (const [name, value] of written) {
      const hash = hashOf(value);
      const known = this.#marks.get(name);
      const old = before?.get(name);
      if (hash === (known?.hash ?? (old && hashOf(old)))) continue;
      // One that stood there before marks were kept, or before the store was lost, is older than we know.
      const createdAt = known ? known.createdAt : before && !old ? at : null;
      this.#save(name, { revision, at, createdAt, hash });
    }
    for (const name of [...this.#marks.keys()]) if (!written.has(name)) this.#forget(name);
  }

  /** A flag has another state, percentage or release than `before`, as it was in the end. */
  moved(flag: string, now: Restored, before: Restored | undefined, { revision, at }: Changed): void {
    const [last] = this.states(flag, 1);
    if (before) this.#add(flag, last ?? { revision: 0, at: 0 }, before);
    this.#add(flag, { revision, at }, now);
    this.#sql.exec(
      `DELETE FROM flag_states WHERE flag = ? AND revision <= (
         SELECT revision FROM flag_states WHERE flag = ? ORDER BY revision DESC LIMIT 1 OFFSET ?)`,
      flag,
      flag,
      KEPT_STATES,
    );
  }

  /** States that a flag has been in, the newest first; that of now is the first of them. */
  states(flag: string, limit = KEPT_STATES): Former[] {
    return this.#sql
      .exec<{ former: string }>(
        "SELECT former FROM flag_states WHERE flag = ? ORDER BY revision DESC LIMIT ?",
        flag,
        limit,
      )
      .toArray()
      .map(({ former }) => JSON.parse(former) as Former);
  }

  #add(flag: string, { revision, at }: Changed, { state, percentage, release }: Restored): void {
    this.#sql.exec(
      `INSERT INTO flag_states (flag, revision, at, former) VALUES (?, ?, ?, ?)
       ON CONFLICT (flag, revision) DO UPDATE SET at = excluded.at, former = excluded.former`,
      flag,
      revision,
      at,
      JSON.stringify({ state, percentage, release, revision, at } satisfies Former),
    );
  }

  #save(name: string, mark: Mark): void {
    this.#marks.set(name, mark);
    this.#sql.exec(
      `INSERT INTO flag_marks (name, revision, at, created_at, hash) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, at = excluded.at,
         created_at = excluded.created_at, hash = excluded.hash`,
      name,
      mark.revision,
      mark.at,
      mark.createdAt,
      mark.hash,
    );
  }

  #forget(name: string): void {
    this.#marks.delete(name);
    this.#sql.exec("DELETE FROM flag_marks WHERE name = ?", name);
    this.#sql.exec("DELETE FROM flag_states WHERE flag = ?", name);
  }
}

/** Hash of what is written of a flag: spaces between its fields do not count, the order of them does. */
export function hashOf(written: object): string {
  return hashText(JSON.stringify(written));
}
