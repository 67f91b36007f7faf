/** Documents of earlier in SQLite, each as it was written when it became the spec: the way back of a whole document. */
import type { RevisionView } from "../core/api/views.ts";
import { TEXT_BYTES } from "./rollout-store.ts";

/** So many are kept, the newest: more than anybody looks through. */
const KEPT = 100;
/** For so long, milliseconds: 90 days, as the history of rollouts. */
const KEPT_MS = 90 * 86_400_000;
/** With so many bytes of text in all: 20 MB of the 10 GB that an object may hold. */
const KEPT_BYTES = 20_000_000;

/** A row without its text, which stands last so that reading the others does not read it. */
interface Row extends Record<string, SqlStorageValue> {
  revision: number;
  at: number;
  who: string;
  how: RevisionView["how"];
  reason: string;
  hash: string;
  bytes: number;
}

const VIEW = "revision, at, who, how, reason, hash, bytes";

export class Revisions {
  readonly #sql: SqlStorage;
  #newest: Pick<Row, "revision" | "hash"> | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS revisions (
        revision INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, how TEXT NOT NULL, reason TEXT NOT NULL,
        hash TEXT NOT NULL, bytes INTEGER NOT NULL, text TEXT);
    `);
    this.#newest = this.read({ limit: 1 })[0];
  }

  /** Revision at which the present document became the spec, and its hash; undefined where it is not known. */
  get newest(): Readonly<Pick<Row, "revision" | "hash">> | undefined {
    return this.#newest;
  }

  /** Keeps a text that becomes the spec; of one that is too long for a row only that there was one. */
  add(revision: Omit<RevisionView, "bytes">, text: string): void {
    const { at, who, how, reason, hash } = revision;
    const bytes = new TextEncoder().encode(text).length;
    this.#sql.exec(
      `INSERT INTO revisions (${VIEW}, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (revision) DO UPDATE SET text = excluded.text, bytes = excluded.bytes, hash = excluded.hash`,
      revision.revision,
      at,
      who,
      how,
      reason,
      hash,
      bytes,
      bytes <= TEXT_BYTES ? text : null,
    );
    this.#newest = { revision: revision.revision, hash };
    this.#prune(at);
  }

  /** The newest first, at most `limit`, older than `before`. */
  read({ limit, before }: { limit: number; before?: number }): RevisionView[] {
    return this.#sql
      .exec<Row>(
        `SELECT ${VIEW} FROM revisions WHERE revision < ? ORDER BY revision DESC LIMIT ?`,
        before ?? Number.MAX_SAFE_INTEGER,
        limit,
      )
      .toArray();
  }

  /** Text of one; undefined where it is not kept. */
  text(revision: number): string | undefined {
    const [row] = this.#sql
      .exec<{ text: string | null }>("SELECT text FROM revisions WHERE revision = ?", revision)
      .toArray();
    return row?.text ?? undefined;
  }

  /** The newest stays, however old it is: it is the present one. */
  #prune(now: number): void {
    let bytes = 0;
    for (const [i, row] of this.read({ limit: KEPT + 1 }).entries()) {
      bytes += row.bytes;
      if (i === 0 || (i < KEPT && row.at >= now - KEPT_MS && bytes <= KEPT_BYTES)) continue;
      this.#sql.exec("DELETE FROM revisions WHERE revision <= ?", row.revision);
      return;
    }
  }
}
