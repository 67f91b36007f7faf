/** Outboxes to themselves, messages to give them, and the door of the real receivers that they tell. */
/// <reference types="@cloudflare/vitest-plugin/types" />
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { inject, vi } from "vitest";
import type { Outbox } from "../../src/control/outbox/outbox.ts";
import { type Notify, notify, type Topic } from "../../src/core/flag/notify.ts";
import { severityOf } from "../../src/core/notify/severity.ts";
import type { Message, Observation, ObserverApi, Orders } from "../../src/core/wire/outbox.ts";
import { type Behaviour, DOOR, type Received } from "../support/receivers.ts";
import { bindings } from "./parts.ts";

export type Stub = DurableObjectStub<Outbox>;

/** URL of the receivers. */
export const RECEIVERS = inject("receivers");

let outboxes = 0;

/** An outbox of its own, and a path of the receivers that nobody else uses. After a crash the old stub is of no use. */
export function outbox(): { box: Stub; again: () => Stub; path: string; url: string } {
  const name = `${crypto.randomUUID()}-${++outboxes}`;
  const again = () => bindings.OUTBOX.getByName(name) as unknown as Stub;
  return { box: again(), again, path: `/${name}`, url: `${RECEIVERS}/${name}` };
}

/** Orders with nothing in them but what is given. */
export function orders(fields: Partial<Omit<Orders, "notify">> & { notify?: unknown } = {}): Orders {
  const { notify: told = {}, ...rest } = fields;
  return { revision: 1, checks: [], pulls: [], ...rest, notify: notify.parse(told) };
}

/** Everything to these webhooks. */
export function webhooks(urls: Record<string, string>, more: Partial<Notify> = {}): unknown {
  const receivers = Object.entries(urls).map(([name, url]) => [name, { type: "webhook", url }]);
  const routes = [{ on: ["kill", "halt", "percentage", "pause", "delivery"], to: Object.keys(urls) }];
  return { receivers: Object.fromEntries(receivers), routes, ...more };
}

export function message(key: string, fields: Partial<Message> & { topic?: Topic | "audit" } = {}): Message {
  const topic = fields.topic ?? "percentage";
  return {
    key,
    at: Date.now(),
    topic,
    severity: severityOf(topic),
    flag: "shop",
    release: "2.1.0",
    sentence: `What ${key} tells`,
    figures: { requests: 40 },
    share: 5_000,
    ...fields,
  };
}

export async function take(box: Stub, ...messages: Message[]): Promise<void> {
  await box.take({ messages, validations: [] });
}

/** What came to a path and those that begin with it, in order. */
export async function received(path: string): Promise<Received[]> {
  const answer = await fetch(`${RECEIVERS}${DOOR}?prefix=${encodeURIComponent(path)}`);
  return answer.json<Received[]>();
}

/** Keys of what came to a path. */
export async function keysAt(path: string): Promise<(string | undefined)[]> {
  return (await received(path)).map(({ headers }) => headers["idempotency-key"] as string | undefined);
}

/** How a path answers from now on; the last behaviour stays. */
export async function script(path: string, ...behaviours: Behaviour[]): Promise<void> {
  const body = JSON.stringify(behaviours);
  await fetch(`${RECEIVERS}${DOOR}?path=${encodeURIComponent(path)}`, { method: "PUT", body });
}

/** Waits until `check` holds. */
export function until<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 4000, interval: 5 });
}

/** Rows that the outbox still has to deliver. */
export async function waiting(box: Stub): Promise<{ key: string; receiver: string; attempts: number }[]> {
  return runInDurableObject(box, (_, { storage }) =>
    storage.sql
      .exec<{ key: string; receiver: string; attempts: number }>(
        "SELECT key, receiver, attempts FROM deliveries ORDER BY id",
      )
      .toArray(),
  );
}

/** Freezes time, far enough ahead that no alarm comes by itself. */
export function freeze(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
}

/** Lets time pass, and the alarm come. */
export async function pass(box: Stub, ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await runDurableObjectAlarm(box);
}

/** A controller that keeps what it is told, for this life of an outbox, and may be away; with bindings besides. */
export async function observer(
  box: Stub,
  more: Record<string, unknown> = {},
): Promise<{ seen: Observation[]; calls: () => number; away: (is: boolean) => void }> {
  const seen: Observation[] = [];
  let isAway = false;
  let calls = 0;
  const api: ObserverApi = {
    async observe(observations) {
      calls++;
      if (isAway) throw new Error("away");
      const have = seen.at(-1)?.seq ?? 0;
      seen.push(...observations.filter(({ seq }) => seq > have));
      return { have: seen.at(-1)?.seq ?? 0 };
    },
  };
  await runInDurableObject(box, (instance) => {
    const own = instance as unknown as { env: Env };
    own.env = {
      ...own.env,
      ...more,
      CONTROLLER: { getByName: () => api } as unknown as DurableObjectNamespace,
    };
  });
  return {
    seen,
    calls: () => calls,
    away: (is) => {
      isAway = is;
    },
  };
}
