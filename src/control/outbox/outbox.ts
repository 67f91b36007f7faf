/**
 * The Durable Object that talks to the world: it tells receivers, checks health, fetches gauges and tries requests, and
 * reports to the controller what came of it. Whatever it has acknowledged it does at least once, over any eviction.
 */
import { DurableObject } from "cloudflare:workers";
import type { Message, Orders, OutboxApi, Validation } from "../../core/wire/outbox.ts";
import { observerStub } from "../../edge/objects.ts";
import { Deliveries } from "./deliveries.ts";
import { Observations } from "./observations.ts";
import { OutboxStore } from "./outbox-store.ts";
import { Probes } from "./probes.ts";

/** While anything is under way the alarm is set for so long after, milliseconds: an eviction then loses nothing. */
const LEASE_MS = 15_000;
/** Old keys are looked for so often, milliseconds. */
const PRUNE_EVERY_MS = 3_600_000;

export class Outbox extends DurableObject<Env> implements OutboxApi {
  readonly #store: OutboxStore;
  readonly #observations: Observations;
  readonly #deliveries: Deliveries;
  readonly #probes: Probes;
  /** When the alarm is known to be set for; it may be set earlier by a former life. */
  #alarmAt = Number.POSITIVE_INFINITY;
  #pruneAt = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const bindings = () => this.env;
    const done = () => this.#go();
    const { storage } = ctx;
    this.#store = new OutboxStore(storage);
    this.#observations = new Observations(storage, () => observerStub(this.env), done);
    this.#deliveries = new Deliveries(this.#store, this.#observations, bindings, done);
    this.#probes = new Probes(storage, this.#store, this.#observations, bindings, done);
  }

  async take({ messages, validations }: { messages: Message[]; validations: Validation[] }): Promise<{
    stored: string[];
  }> {
    const now = Date.now();
    this.#store.atomically(() => {
      for (const message of messages) this.#store.addMessage(message, now);
      for (const validation of validations) this.#store.addValidation(validation, now);
    });
    this.#go();
    return { stored: [...messages, ...validations].map(({ key }) => key) };
  }

  async order(orders: Orders): Promise<void> {
    const now = Date.now();
    if (this.#store.saveOrders(orders, now)) this.#probes.order(orders, now);
    this.#go();
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = Number.POSITIVE_INFINITY;
    this.#go();
  }

  /** Starts what is due and sees to it that the alarm comes for the rest. Never fails: an alarm that does is lost. */
  #go(): void {
    const now = Date.now();
    let next: number | undefined = now + LEASE_MS;
    try {
      this.#deliveries.pump(now);
      this.#probes.pump(now);
      this.#observations.send(now);
      if (now >= this.#pruneAt) {
        this.#pruneAt = now + PRUNE_EVERY_MS;
        this.#store.prune(now);
      }
      next = this.#nextAt(now);
    } catch (error) {
      console.error(JSON.stringify({ level: "error", event: "outbox-fault", message: String(error) }));
    }
    if (next === undefined || next >= this.#alarmAt) return;
    this.#alarmAt = next;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(next));
  }

  #nextAt(now: number): number | undefined {
    const { isBusy } = this.#deliveries;
    const times = [
      isBusy || this.#probes.isBusy || this.#observations.isSending ? now + LEASE_MS : undefined,
      this.#deliveries.nextAt(now),
      this.#probes.nextAt(now),
      this.#observations.nextAt,
    ].filter((at) => at !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
