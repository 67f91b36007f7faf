/**
 * The controller's way to the outbox: what it has to do by itself, and what is to be told, in that order. The edit that
 * begins a rollout may be the one that names who is told of it.
 */
import type { Orders, OutboxApi } from "../core/wire/outbox.ts";
import { outboxStub } from "../edge/objects.ts";
import { Latest } from "./latest.ts";
import { ordersOf } from "./orders.ts";
import { NOBODY, type Rollout } from "./rollout.ts";

/** Orders are offered again with the next backstop. */
const ATTEMPTS = 4;

export class OutboxLink {
  readonly #env: Env;
  readonly #orders: Latest<Orders>;
  /** The orders that the outbox was given last, as JSON without their revision. */
  #ordered = "";

  constructor(env: Env) {
    this.#env = env;
    this.#orders = new Latest<Orders>({
      name: "orders to the outbox",
      send: (orders) => outboxStub(env).order(orders),
      spacingMs: 0,
      attempts: ATTEMPTS,
    });
  }

  /** Hands over what is to be told, after the orders that go with it. */
  async take(things: Parameters<OutboxApi["take"]>[0]): ReturnType<OutboxApi["take"]> {
    // What is written down in one turn is sent before the same turn offers its orders.
    await Promise.resolve();
    await this.#orders.idle();
    return outboxStub(this.#env).take(things);
  }

  /** Says what to check and to fetch, if that has changed, or `anyway` because it may have been lost. */
  order({ revision, notify, flags }: Rollout, anyway = false): void {
    // Without the document's text nobody is known, and an order to tell nobody would drop what still waits.
    if (notify === NOBODY) return;
    const orders = ordersOf(revision, notify, flags);
    const same = JSON.stringify({ ...orders, revision: 0 });
    if (same === this.#ordered && !anyway) return;
    this.#ordered = same;
    this.#orders.offer(orders);
  }
}
