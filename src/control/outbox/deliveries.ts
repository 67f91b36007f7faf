/** Brings messages to their receivers: some at a time, none held up by another's receiver, each until it is taken. */
import { backoffMs, retryAfterMs, verdictOfStatus } from "../../core/notify/backoff.ts";
import { AUDIT_RECEIVER } from "../../core/notify/routing.ts";
import type { Message } from "../../core/wire/outbox.ts";
import { ask } from "./ask.ts";
import type { Observations } from "./observations.ts";
import type { Delivery, OutboxStore, WaitingReceiver } from "./outbox-store.ts";
import { bodyOf, prepare, receiverOf } from "./receivers.ts";

/** At once, at most. The platform holds back the seventh connection of an object; probes need the other two. */
const LANES = 4;
/** Of these for all that is not P1: receivers that hang must never take the last one from a kill. */
const LANES_BUT_P1 = 3;
/** Of these for receivers that failed last time: those that hang must leave room for the others. */
const LANES_FOR_FAILING = 2;
/** A receiver has so long to answer, milliseconds. */
const TIMEOUT_MS = 10_000;
/** Given up after this, milliseconds. */
const TRY_FOR_MS = 86_400_000;
/** After a failure a receiver is left alone for so long but for what is new, milliseconds. */
const REST_MS = 1_000;

/** What came of one try. */
type Outcome =
  | { type: "delivered" }
  | { type: "again"; sentence: string; silenceMs?: number | undefined }
  | { type: "never"; sentence: string };

/** How a receiver did last. In memory only: a new life begins without prejudice. */
interface Record {
  failures: number;
  restUntil: number;
}

export class Deliveries {
  readonly #store: OutboxStore;
  readonly #observations: Observations;
  readonly #env: () => Env;
  readonly #done: () => void;
  /** Receivers that are being told something: one thing at a time each, for the order. */
  readonly #inFlight = new Set<string>();
  readonly #failing = new Map<string, Record>();

  /** `done` is called when a try has ended. */
  constructor(store: OutboxStore, observations: Observations, env: () => Env, done: () => void) {
    this.#store = store;
    this.#observations = observations;
    this.#env = env;
    this.#done = done;
  }

  get isBusy(): boolean {
    return this.#inFlight.size > 0;
  }

  /** Starts whatever is due and has room. */
  pump(now: number): void {
    if (!this.#store.orders) return;
    const idle = this.#store.waiting().filter((w) => !this.#inFlight.has(w.receiver) && w.silentUntil <= now);
    const [failing, sound] = [true, false].map((f) =>
      idle.filter((w) => this.#failing.has(w.receiver) === f),
    ) as [WaitingReceiver[], WaitingReceiver[]];
    for (const { receiver, severity } of [...sound, ...failing]) {
      if (this.#inFlight.size >= (severity === "P1" ? LANES : LANES_BUT_P1)) continue;
      const record = this.#failing.get(receiver);
      if (record && this.#failingInFlight() >= LANES_FOR_FAILING) continue;
      const delivery = this.#store.due(receiver, now, (record?.restUntil ?? 0) > now);
      if (delivery) this.#start(delivery);
    }
  }

  /** When something will be due that is not under way, milliseconds since the epoch. What lacks room does not count. */
  nextAt(now: number): number | undefined {
    const times = this.#store
      .waiting()
      .filter(({ receiver }) => !this.#inFlight.has(receiver))
      .map(({ receiver, freshAt, nextAt, silentUntil }) => {
        const rest = this.#failing.get(receiver)?.restUntil ?? 0;
        return Math.max(silentUntil, Math.min(freshAt ?? Number.POSITIVE_INFINITY, Math.max(nextAt, rest)));
      })
      .filter((at) => at > now || !this.isBusy);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #failingInFlight(): number {
    return [...this.#inFlight].filter((receiver) => this.#failing.has(receiver)).length;
  }

  #start(delivery: Delivery): void {
    this.#inFlight.add(delivery.receiver);
    this.#try(delivery)
      .catch((error: unknown) => {
        // A fault of ours: it must neither be lost nor keep the receiver's place for ever.
        console.error(JSON.stringify({ level: "error", event: "delivery-fault", message: String(error) }));
        this.#settle(delivery, undefined, { type: "again", sentence: "it could not be sent" });
      })
      .finally(() => {
        this.#inFlight.delete(delivery.receiver);
        this.#done();
      });
  }

  async #try(delivery: Delivery): Promise<void> {
    const { key, severity } = delivery;
    const message = this.#store.message(key);
    const notify = this.#store.orders?.notify;
    const receiver = notify && receiverOf(notify, delivery.receiver);
    if (!message || !receiver) {
      this.#store.atomically(() => this.#store.close(delivery));
      if (message) say("warn", "delivery-dropped", delivery, message, "the document has no such receiver");
      return;
    }
    if (notify.dryRun) {
      this.#store.atomically(() => this.#store.close(delivery));
      const body = JSON.parse(bodyOf(message, severity, receiver)) as unknown;
      const { topic } = message;
      const line = { level: "info", event: "notification-dry-run", receiver: delivery.receiver, key, topic };
      console.info(JSON.stringify({ ...line, type: receiver.type, body }));
      return;
    }
    const request = await prepare(message, severity, receiver, this.#env(), Date.now());
    if (!request.ok) {
      this.#settle(delivery, message, { type: "again", sentence: request.sentence });
      return;
    }
    const { url, headers, body } = request;
    const reply = await ask({ method: "POST", url, headers, body, timeoutMs: TIMEOUT_MS, read: false });
    if (!reply.ok) {
      this.#settle(delivery, message, { type: "again", sentence: reply.sentence });
      return;
    }
    const type = verdictOfStatus(reply.status);
    const silenceMs = retryAfterMs(reply.retryAfter, Date.now());
    this.#settle(delivery, message, { type, sentence: `it answered ${reply.status}`, silenceMs });
  }

  #settle(delivery: Delivery, message: Message | undefined, outcome: Outcome): void {
    const now = Date.now();
    const { receiver, key, attempts, takenAt } = delivery;
    if (outcome.type === "delivered") {
      const isBack = this.#failing.delete(receiver) || attempts > 0;
      this.#store.atomically(() => {
        this.#store.close(delivery);
        if (isBack) this.#store.bringForward(receiver, now);
      });
      return;
    }
    const { sentence } = outcome;
    if (outcome.type === "never" || now - takenAt >= TRY_FOR_MS) {
      this.#store.atomically(() => {
        this.#store.close(delivery);
        // Of what tells that something was not delivered this would make one more of the kind, and so for ever.
        if (message?.topic !== "delivery")
          this.#observations.add({
            type: "undelivered",
            at: now,
            key,
            receiver: receiver === AUDIT_RECEIVER ? "audit" : receiver,
            sentence: `given up after ${tries(attempts + 1)}: ${sentence}`,
          });
      });
      say("error", "delivery-given-up", delivery, message, sentence);
      return;
    }
    const failures = (this.#failing.get(receiver)?.failures ?? 0) + 1;
    this.#failing.set(receiver, { failures, restUntil: now + REST_MS });
    this.#store.atomically(() => {
      this.#store.postpone(delivery, now + backoffMs(attempts + 1, Math.random()));
      if (outcome.silenceMs !== undefined) this.#store.silence(receiver, now + outcome.silenceMs);
    });
    if (failures === 1) say("warn", "receiver-fails", delivery, message, sentence);
  }
}

function tries(n: number): string {
  return n === 1 ? "1 try" : `${n} tries`;
}

/** Says what became of a delivery; of the message no more than its key and topic. */
function say(
  level: "warn" | "error",
  event: string,
  { key, receiver, attempts }: Delivery,
  message: Message | undefined,
  sentence: string,
): void {
  const topic = message?.topic;
  console[level](JSON.stringify({ level, event, receiver, key, topic, attempts, message: sentence }));
}
