/**
 * Brings a shard's counts to the controller: one forward in flight, soon after failures of green, else gathered for
 * a second, tried again until the controller has them. It refuses to know what is in them.
 */

/** What the forwarder drives. */
export interface ForwardSource {
  /** Sends what changed since `base`. Answers with the version sent and the one that the controller has stored. */
  send(base: number): Promise<{ version: number; have: number }>;
  /** It could not be sent and will be tried again; or (false) all is sent. */
  stuck(stuck: boolean): void;
}

/** Between two forwards, milliseconds: at least so much, also after failures, which may be many in one second. */
const SPACING_MS = 100;
/** First and longest pause after a forward that failed, milliseconds. Short: a halt may wait for it. */
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 2_000;
/** A controller that knows nothing needs two rounds; more than four would mean that we do not understand each other. */
const ROUNDS = 4;

export class Forwarder {
  readonly #source: ForwardSource;
  /** What the controller has, as far as we know. */
  #base = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  #notBefore = 0;
  #failures = 0;

  constructor(source: ForwardSource) {
    this.#source = source;
  }

  /** Forwards within `ms` milliseconds, or as soon as the present forward or pause is over. */
  request(ms: number): void {
    const dueAt = Date.now() + ms;
    if (dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    if (!this.#running) this.#schedule();
  }

  /** Forwards now, after the one in flight. Resolves when it has succeeded or failed. */
  async flush(): Promise<void> {
    await this.#running;
    await this.#run();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#dueAt === Number.POSITIVE_INFINITY) return;
    const wait = Math.max(this.#dueAt, this.#notBefore) - Date.now();
    this.#timer = setTimeout(() => void this.#run(), Math.max(0, wait));
  }

  #run(): Promise<void> {
    this.#running ??= this.#sendAll().finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
    return this.#running;
  }

  async #sendAll(): Promise<void> {
    this.#dueAt = Number.POSITIVE_INFINITY;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const { version, have } = await this.#source.send(this.#base);
        this.#base = have;
        if (have === version) break;
      }
      this.#failures = 0;
      this.#notBefore = Date.now() + SPACING_MS;
      this.#source.stuck(false);
    } catch {
      const pause = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** this.#failures++);
      // Jitter, so that many shards do not come back in the same moment.
      this.#notBefore = Date.now() + pause * (0.5 + Math.random() / 2);
      this.#dueAt = Math.min(this.#dueAt, this.#notBefore);
      this.#source.stuck(true);
    }
  }
}
