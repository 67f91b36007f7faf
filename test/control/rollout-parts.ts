/** A rollout of the flag `shop` in the real objects while time is faked: what comes of green, and what is told of it. */
/// <reference types="@cloudflare/vitest-plugin/types" />
import { reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { AuditEntry, RolloutView } from "../../src/control/controller-api.ts";
import type { Outbox } from "../../src/control/outbox/outbox.ts";
import type { RowId, Tally } from "../../src/core/analysis/tally.ts";
import { TOPICS } from "../../src/core/flag/notify.ts";
import type { PlanInput } from "../../src/core/flag/plan.ts";
import type { DocumentInput, FlagInput } from "../../src/core/flag/schema.ts";
import { hashText } from "../../src/core/hashing/text.ts";
import { effectiveFlags } from "../../src/core/rollout/effective.ts";
import type { Command } from "../../src/core/rollout/progress.ts";
import type { Message } from "../../src/core/wire/outbox.ts";
import { batch, bindings, cell, controller, handEdit, shard } from "./parts.ts";

/** A moment at the start of a tick, a minute and an hour, far enough ahead that no alarm comes by itself. */
export const START = 1_800_000_000_000;
/** Many calls to objects take their time on a busy machine, milliseconds. */
export const LONG_MS = 30_000;
/** Looks come so often while there is traffic, seconds. */
const STEP_SECONDS = 20;
/** Something is waited for by so many looks, so far apart, milliseconds. */
const MOST_TRIES = 1000;
const TRY_MS = 5;

/** Time stands still from now on. */
export function freeze(): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(START);
}

/** Every test of the file begins with empty objects at START, and time moves only as the test says. */
export function playsInFrozenTime(): void {
  beforeEach(() => {
    // The receiver of these tests cannot be told yet, and says so.
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    freeze();
  });
  afterEach(async () => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    await reset();
  });
}

/** Waits until `check` holds. (`vi.waitFor` would move the time that stands still.) */
export async function until<T>(check: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await check();
    } catch (error) {
      if (tries >= MOST_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_MS));
    }
  }
}

/** Seconds since the beginning. */
export function clock(): number {
  return (Date.now() - START) / 1000;
}

export function pass(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
}

/** The plan of most tests: 10, 50 and 100 %, a minute each. */
export const PLAN: PlanInput = {
  name: "thirds",
  stages: [10, 50, 100].map((percentage) => ({
    percentage,
    duration: 60,
    minRequests: 20,
    maxErrorRate: 0.05,
  })),
};

/** Everything is told to a receiver whose secret is not set, so the outbox keeps all of it. */
export const KEPT: DocumentInput["notify"] = {
  receivers: { later: { type: "slack", url: "secret:SET_LATER" } },
  routes: [{ on: [...TOPICS], to: ["later"] }],
};

/** A document with the flag `shop` under a plan and without rules of its own. */
export function planned(shop: Partial<FlagInput> = {}, more: Partial<DocumentInput> = {}): string {
  const flag: FlagInput = { state: "canary", release: "2.0", rules: [], plan: PLAN, ...shop };
  return JSON.stringify({
    notify: KEPT,
    ...more,
    flags: { shop: flag, ...more.flags },
  } satisfies DocumentInput);
}

/** A person puts the document, and the controller has adopted it. */
export async function put(text: string): Promise<void> {
  await handEdit(text);
  await shard().offerEdit({ hash: hashText(text), text }, 0);
  expect((await controller().current())?.specHash).toBe(hashText(text));
}

let seq = 0;
/** An isolate tells of requests of green that began in the tick before this one. */
export async function send(tally: Partial<Tally>, id: Partial<RowId> = {}): Promise<void> {
  const present = cell({ release: "2.0", ...id }, tally);
  await shard().flush(batch("isolate", ++seq, [{ ...present, tick: present.tick - 1 }]));
  await shard().settle();
}

/** The controller's alarm rings. */
export async function ring(): Promise<void> {
  await runDurableObjectAlarm(controller());
}

/** Lets time pass with so many requests of green in each step of 20 s, the last one at its end. */
export async function run(
  seconds: number,
  requests: Partial<Tally> = { requests: 20 },
  id: Partial<RowId> = {},
): Promise<void> {
  for (let left = seconds; left > 0; left -= STEP_SECONDS) {
    pass(Math.min(STEP_SECONDS, left));
    await send(requests, id);
    await ring();
  }
}

/** Lets time pass in which isolates report that nobody came. */
export async function runQuiet(seconds: number): Promise<void> {
  await run(seconds, { requests: 1 }, { flag: "other", release: "0" });
}

/** Lets time pass in which nobody reports anything; the alarm rings. */
export async function runDeaf(seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= STEP_SECONDS) {
    pass(Math.min(STEP_SECONDS, left));
    await ring();
  }
}

export async function view(): Promise<RolloutView> {
  return (await controller().rollout("shop"))!;
}

/** Where the rollout is, in short. */
export async function where(): Promise<{ phase: string; stage: number; percentage: number; served: number }> {
  const { phase, stage, percentage, served } = await view();
  return { phase, stage, percentage, served };
}

/** What isolates serve by the snapshot that their shard hands out: percent of green, and cohorts. */
export async function isolatesServe(flag = "shop") {
  const revision = (await controller().current())?.revision;
  return until(async () => {
    const { snapshot } = await shard().flush(batch("cold", 0, [], { statusOnly: true }));
    expect(snapshot?.revision).toBeGreaterThanOrEqual(revision ?? 1);
    const now = Date.now();
    const all = effectiveFlags({
      snapshot,
      document: undefined,
      kill: snapshot?.kill ?? "",
      heardAt: now,
      now,
    });
    const { share, stop, layers } = all.find(({ name }) => name === flag)!;
    return { percent: share / 1000, stop, layers };
  });
}

/** Gives an order. */
export function order(command: Command, who = "ann", reason = "the reason") {
  return controller().command({ flag: "shop", command, who, how: "cli", reason });
}

/** The audit log from its beginning. */
export async function audit(): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for (let before: number | undefined; ; before = entries.at(-1)!.id) {
    const page = await controller().audit({ limit: 100, ...(before !== undefined && { before }) });
    entries.push(...page);
    if (page.length < 100) return entries.reverse();
  }
}

/** What was done, from the beginning. */
export async function actions(): Promise<string[]> {
  return (await audit()).map(({ action }) => action);
}

/** Everything that the outbox was given to tell, in the order in which it was decided. */
export async function told(): Promise<Message[]> {
  await until(async () => {
    const waiting = await runInDurableObject(controller(), (_, { storage }) =>
      storage.sql.exec("SELECT key FROM outgoing").toArray(),
    );
    expect(waiting).toEqual([]);
  });
  const outbox = bindings.OUTBOX.getByName("outbox") as unknown as DurableObjectStub<Outbox>;
  const rows = await runInDurableObject(outbox, (_, { storage }) =>
    storage.sql.exec<{ message: string }>("SELECT message FROM messages WHERE message IS NOT NULL").toArray(),
  );
  const messages = rows.map(({ message }) => JSON.parse(message) as Message);
  const place = ({ key }: Message) => key.split("/").slice(1).map(Number);
  return messages.sort((a, b) => {
    const [x, y] = [place(a), place(b)];
    const i = x.findIndex((n, at) => n !== y[at]);
    return i < 0 ? 0 : x[i]! - y[i]!;
  });
}

/** Topics of what was told, or the sentences of one. */
export async function topics(): Promise<string[]> {
  return (await told()).map(({ topic }) => topic);
}
export async function sentences(topic: string): Promise<string[]> {
  return (await told()).filter((message) => message.topic === topic).map(({ sentence }) => sentence);
}

/** Asks the admin API. */
export async function api(method: "GET" | "POST", path: string, body?: unknown) {
  const response = await exports.default.fetch(`http://localhost/_greenlight/api${path}`, {
    method,
    headers: { authorization: "Bearer test-token-0123456789abcdef" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const { status, headers } = response;
  return { status, etag: headers.get("etag"), body: (await response.json()) as Record<string, unknown> };
}
