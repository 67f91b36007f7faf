/**
 * Sends the newest value of a thing: one send in flight, a pause between two, tried again when it fails, and a value
 * that has become old on the way is never sent. KV takes one write per key and second; shards need no old snapshot.
 */
import { within } from "./within.ts";

/** A send that takes longer has failed, milliseconds. */
const SEND_MS = 15_000;
/** First and longest pause after a failure, milliseconds. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

export interface LatestOptions<T> {
  /** For the log. */
  name: string;
  send: (value: T) => Promise<void>;
  /** Between the end of one send and the start of the next, milliseconds. */
  spacingMs: number;
  /** Failures in a row after which a value is dropped; the next offer starts afresh. */
  attempts: number;
}

export class Latest<T> {
  readonly #options: LatestOptions<T>;
  #next: { value: T } | undefined;
  #running: Promise<void> | undefined;
  /** When the last send ended, milliseconds since the epoch. */
  #endedAt = 0;

  constructor(options: LatestOptions<T>) {
    this.#options = options;
  }

  /** Sends this value unless a newer one is offered before its turn. */
  offer(value: T): void {
    this.#next = { value };
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Is anything still to be sent? */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Comes back when nothing is left to be sent, what was dropped included. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    const { name, send, spacingMs, attempts } = this.#options;
    let failures = 0;
    while (this.#next) {
      await sleep(this.#endedAt + spacingMs - Date.now());
      const current = this.#next;
      this.#next = undefined;
      try {
        await within(send(current.value), SEND_MS, name);
        failures = 0;
      } catch (error) {
        console.warn(JSON.stringify({ event: "send-failed", name, message: String(error) }));
        if (++failures >= attempts) failures = 0;
        else this.#next ??= current;
        if (this.#next) await sleep(Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (failures - 1)));
      }
      this.#endedAt = Date.now();
    }
  }
}

async function sleep(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
