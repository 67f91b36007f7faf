/**
 * How an order is carried out: after the start and after a person's edit that is in KV already, once however often it is
 * asked for, and only over what its writer has seen. Everything after the reading happens in one turn.
 */
import type { IfMatch, Once, Ordered } from "./controller-api.ts";
import type { OnceStore } from "./once-store.ts";

/** What orders need of the controller. */
export interface WritesHost {
  once: OnceStore;
  /** Waits for the start; throws where what was decided before is not known. */
  started(): Promise<void>;
  /** Adopts a person's edit that is in KV. Never fails. */
  read(): Promise<void>;
}

/** Why an order is not carried out, whatever it is about. */
export type Hindrance = "conflict" | "key-reused";

/** One order. */
export interface Write<T> {
  order: Ordered;
  ifMatch: IfMatch;
  /** Etag of what it is about, as it is now; undefined where that is not there. */
  etag: () => string | undefined;
  refuse: (reason: Hindrance) => T;
  /** It takes green away whatever a person has written: it does not wait for KV, which may hang. */
  urgent?: boolean;
  /** Does it, and calls `remember` in its transaction with what is answered; only what is done is remembered. */
  act: (now: number, remember: (answer: T & object) => void) => T;
}

export class Writes {
  readonly #host: WritesHost;
  /** Ends when the newest order may go on. */
  #lastTurn: Promise<void> = Promise.resolve();

  constructor(host: WritesHost) {
    this.#host = host;
  }

  async carryOut<T extends { ok: boolean }>(write: Write<T>): Promise<T> {
    await this.#host.started();
    // What is decided already need not wait for KV: an etag that is old now stays so.
    const early = this.#decided(write);
    if (early) return early;
    if (write.urgent) void this.#host.read();
    else {
      await this.#host.read();
      await this.#ownTurn();
    }
    const late = this.#decided(write);
    if (late) return late;
    const now = Date.now();
    const { once } = write.order;
    return write.act(now, (answer) => {
      if (once) this.#host.once.save(once, answer, now);
    });
  }

  /**
   * Those that have waited for the same reading would all be carried out in one go, for seconds where the document is
   * large, and nothing else would be heard meanwhile: no kill, and no failure of green.
   */
  #ownTurn(): Promise<void> {
    this.#lastTurn = this.#lastTurn.then(() => new Promise((resolve) => setTimeout(resolve, 0)));
    return this.#lastTurn;
  }

  #decided<T extends { ok: boolean }>({ order, ifMatch, etag, refuse }: Write<T>): T | undefined {
    return this.#before(order.once, refuse) ?? (matches(ifMatch, etag()) ? undefined : refuse("conflict"));
  }

  #before<T extends { ok: boolean }>(
    once: Once | undefined,
    refuse: (reason: Hindrance) => T,
  ): T | undefined {
    const before = once && this.#host.once.find<T>(once, Date.now());
    if (!before) return undefined;
    return before.isSame ? { ...before.answer, replayed: true } : refuse("key-reused");
  }
}

/** Has the writer seen what is there now? Where nothing is there, that it is not is for the order itself to say. */
function matches(ifMatch: IfMatch, etag: string | undefined): boolean {
  if (ifMatch === undefined || ifMatch === "*" || etag === undefined) return true;
  return ifMatch.split(",").some((one) => one.trim() === etag);
}
