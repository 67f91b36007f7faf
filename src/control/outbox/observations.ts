/** What the outbox has found, kept until the controller has it: in order, at least once, and never too much of it. */
import { backoffMs } from "../../core/notify/backoff.ts";
import type { Observation, ObserverApi } from "../../core/wire/outbox.ts";
import { within } from "../within.ts";

/** Waiting for the controller at most, of each check, gauge or receiver: what is newest counts. */
const KEPT_OF_EACH = { health: 10, gauge: 10, "gauge-failed": 10, undelivered: 100 } as const;
/** Handed over in one call. */
const BATCH = 100;
/** A call that takes longer has failed, milliseconds. */
const CALL_MS = 10_000;
/** Longest pause between two tries, milliseconds: a controller that is back must soon know how green is. */
const LONGEST_PAUSE_MS = 30_000;

/** An observation without its number. */
export type Finding = Observation extends infer O ? (O extends Observation ? Omit<O, "seq"> : never) : never;

export class Observations {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #observer: () => ObserverApi;
  readonly #done: () => void;
  /** Number of the newest; the next one is higher, also after the storage was lost, for the time is in it. */
  #last: number;
  #waiting: boolean;
  #sending = false;
  #failures = 0;
  #pauseUntil = 0;

  /** `done` is called when a try has ended. */
  constructor(storage: DurableObjectStorage, observer: () => ObserverApi, done: () => void) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#observer = observer;
    this.#done = done;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS observations (seq INTEGER PRIMARY KEY, about TEXT NOT NULL, finding TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS observed (one INTEGER PRIMARY KEY, have INTEGER NOT NULL);
    `);
    const { have, newest } = this.#sql
      .exec<{ have: number | null; newest: number | null }>(
        "SELECT (SELECT have FROM observed) AS have, (SELECT MAX(seq) FROM observations) AS newest",
      )
      .one();
    this.#last = Math.max(have ?? 0, newest ?? 0);
    this.#waiting = newest !== null;
  }

  /** Writes one down, in the transaction of what it tells. Call `send` after it. */
  add(finding: Finding): void {
    this.#last = Math.max(finding.at, this.#last + 1);
    this.#waiting = true;
    const about = aboutOf(finding);
    this.#sql.exec(
      "INSERT INTO observations (seq, about, finding) VALUES (?, ?, ?)",
      this.#last,
      about,
      JSON.stringify(finding),
    );
    if (finding.type === "validated") return;
    this.#sql.exec(
      `DELETE FROM observations WHERE about = ?1 AND seq <=
         (SELECT seq FROM observations WHERE about = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)`,
      about,
      KEPT_OF_EACH[finding.type],
    );
  }

  /** When the next try is due, milliseconds since the epoch; undefined with nothing to hand over. */
  get nextAt(): number | undefined {
    return this.#waiting && !this.#sending ? this.#pauseUntil : undefined;
  }

  get isSending(): boolean {
    return this.#sending;
  }

  /** Hands over what waits, beside everything else, unless it is too early for another try. */
  send(now: number): void {
    if (!this.#waiting || this.#sending || now < this.#pauseUntil) return;
    this.#sending = true;
    this.#hand()
      .then(() => {
        this.#failures = 0;
      })
      .catch((error: unknown) => {
        this.#pauseUntil = Date.now() + backoffMs(++this.#failures, Math.random(), LONGEST_PAUSE_MS);
        console.warn(JSON.stringify({ level: "warn", event: "observe-failed", message: String(error) }));
      })
      .finally(() => {
        this.#sending = false;
        this.#done();
      });
  }

  async #hand(): Promise<void> {
    for (;;) {
      const list = this.#sql
        .exec<{ seq: number; finding: string }>(
          "SELECT seq, finding FROM observations ORDER BY seq LIMIT ?",
          BATCH,
        )
        .toArray()
        .map(({ seq, finding }) => ({ seq, ...(JSON.parse(finding) as Finding) }) as Observation);
      const [first] = list;
      this.#waiting = first !== undefined;
      if (!first) return;
      const { have } = await within(this.#observer().observe(list), CALL_MS, "observe");
      if (have < first.seq) throw new Error("the controller has taken nothing of what it was given");
      this.#last = Math.max(this.#last, have);
      this.#storage.transactionSync(() => {
        this.#sql.exec("DELETE FROM observations WHERE seq <= ?", have);
        this.#sql.exec(
          "INSERT INTO observed (one, have) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET have = excluded.have",
          have,
        );
      });
    }
  }
}

/** What an observation is of: only so many of the same are kept. */
function aboutOf(finding: Finding): string {
  switch (finding.type) {
    case "health":
      return JSON.stringify(["health", finding.flag, finding.variant]);
    case "gauge":
    case "gauge-failed":
      return JSON.stringify(["gauge", finding.flag, finding.gauge]);
    case "validated":
      return JSON.stringify(["validated", finding.key]);
    case "undelivered":
      return JSON.stringify(["undelivered", finding.receiver]);
  }
}
