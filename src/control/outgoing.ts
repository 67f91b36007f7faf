/**
 * What is to be handed to the outbox: written down with the decision that it tells of, and handed over until the
 * outbox has stored it. Nothing here waits for the world; the outbox does.
 */
import type { Message, OutboxApi, Validation } from "../core/wire/outbox.ts";
import { within } from "./within.ts";

/** Handed over in one call. */
const BATCH = 50;
/** A call that takes longer has failed, milliseconds. */
const CALL_MS = 10_000;
/** First and longest pause after a failure, milliseconds. */
const RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

type Kind = "message" | "validation";

export class Outgoing {
  readonly #sql: SqlStorage;
  readonly #outbox: () => Pick<OutboxApi, "take">;
  #waiting: number;
  #sending: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor(storage: DurableObjectStorage, outbox: () => Pick<OutboxApi, "take">) {
    this.#sql = storage.sql;
    this.#outbox = outbox;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS outgoing (
        id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, thing TEXT NOT NULL)
    `);
    this.#waiting = this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM outgoing").one().n;
  }

  /** Writes a message down, in the transaction of what it tells. */
  message(message: Message): void {
    this.#add(message.key, "message", message);
  }

  /** Writes down requests that are to be tried on green. */
  validation(validation: Validation): void {
    this.#add(validation.key, "validation", validation);
  }

  /** Is anything still to be handed over? */
  get waiting(): boolean {
    return this.#waiting > 0;
  }

  /** Hands over what waits, beside everything else. After the transaction: what is rolled back must not go out. */
  send(): void {
    if (this.#waiting === 0 || this.#sending || this.#timer !== undefined) return;
    this.#sending = this.#run()
      .then(() => {
        this.#failures = 0;
      })
      .catch((error: unknown) => {
        console.warn(JSON.stringify({ event: "outbox-unreachable", message: String(error) }));
        this.#again();
      })
      .finally(() => {
        this.#sending = undefined;
        // What was written down while the last call was under way.
        this.send();
      });
  }

  async #run(): Promise<void> {
    for (;;) {
      const rows = this.#sql
        .exec<{ key: string; kind: Kind; thing: string }>(
          "SELECT key, kind, thing FROM outgoing ORDER BY id LIMIT ?",
          BATCH,
        )
        .toArray();
      if (rows.length === 0) {
        // A key that comes twice may have been counted twice: whoever believed the count would go round for ever.
        this.#waiting = 0;
        return;
      }
      const things = (kind: Kind) =>
        rows.filter((row) => row.kind === kind).map((row) => JSON.parse(row.thing));
      const messages = things("message") as Message[];
      const validations = things("validation") as Validation[];
      const { stored } = await within(this.#outbox().take({ messages, validations }), CALL_MS, "outbox");
      const taken = new Set(stored);
      const done = rows.filter(({ key }) => taken.has(key));
      if (done.length === 0) throw new Error("the outbox has stored nothing of what it was given");
      for (const { key } of done) this.#sql.exec("DELETE FROM outgoing WHERE key = ?", key);
      this.#waiting -= done.length;
    }
  }

  #again(): void {
    const wait = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** this.#failures++);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.send();
    }, wait);
  }

  #add(key: string, kind: Kind, thing: Message | Validation): void {
    const { rowsWritten } = this.#sql.exec(
      "INSERT INTO outgoing (key, kind, thing) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
      key,
      kind,
      JSON.stringify(thing),
    );
    if (rowsWritten > 0) this.#waiting++;
  }
}
