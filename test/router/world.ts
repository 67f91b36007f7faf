/** A router of its own for each test, between origins that do as they are told and the real KV and Durable Objects. */
/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { parseDocument } from "../../src/core/flag/parse.ts";
import type { FlagInput } from "../../src/core/flag/schema.ts";
import { hashText } from "../../src/core/hashing/text.ts";
import { askedShare } from "../../src/core/rollout/effective.ts";
import { SNAPSHOT_VERSION, type Snapshot } from "../../src/core/rollout/snapshot.ts";
import { State } from "../../src/edge/state.ts";
import { Router } from "../../src/router/router.ts";
import { targetOf } from "../../src/router/target.ts";

export const bindings = env as unknown as Env;

/** Durable Objects that cannot be reached. */
export const OBJECTS_DOWN = {
  getByName() {
    throw new Error("objects are down");
  },
} as unknown as DurableObjectNamespace;

/** What a request has left to `waitUntil`. */
class Context {
  readonly left: Promise<unknown>[] = [];
  readonly props = {};
  waitUntil(promise: Promise<unknown>): void {
    this.left.push(promise);
  }
  passThroughOnException(): void {}
}

/** Empties KV. */
export async function emptyKv(): Promise<void> {
  for (const key of ["flags", "kill", "snapshot"]) await bindings.FLAGS.delete(key);
}

type RouteInput = NonNullable<FlagInput["route"]>;

/** An origin: what it was asked, and how it answers. */
export class Origin {
  readonly seen: Request[] = [];
  answer: (request: Request) => Response | Promise<Response>;

  constructor(name: string) {
    this.answer = () => new Response(name, { headers: { "cache-control": "no-store" } });
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const request = new Request(url, init);
    this.seen.push(request);
    const answer = this.answer(request);
    const { signal } = init;
    if (!signal) return answer;
    return Promise.race([
      answer,
      new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    ]);
  };
}

export interface Question {
  /** Number of the visitor; absent: no cookie. */
  visitor?: number;
  path?: string;
  method?: string;
  headers?: Record<string, string>;
}

export class World {
  readonly blue = new Origin("blue");
  readonly green = new Origin("green");
  readonly env: Env;
  state = new State();
  router = new Router(this.state);
  readonly #contexts: Context[] = [];
  #revision = 0;

  constructor(overrides: Partial<Env> = {}) {
    const { FLAGS, COUNTERS, CONTROLLER } = bindings;
    this.env = { FLAGS, COUNTERS, CONTROLLER, BLUE: this.blue, GREEN: this.green, ...overrides } as Env;
  }

  /** Puts a document whose flag `shop` routes everything, with the snapshot of it that a controller has published. */
  async put(shop: Partial<Omit<FlagInput, "route">> & { route?: Partial<RouteInput> } = {}): Promise<void> {
    const route = { blue: "service:BLUE", green: "service:GREEN", ...shop.route };
    const flag = { state: "on", rules: [], ...shop, route };
    const text = JSON.stringify({ flags: { shop: flag } });
    const { flags } = parseDocument(text);
    const snapshot: Snapshot = {
      v: SNAPSHOT_VERSION,
      revision: ++this.#revision,
      at: Date.now(),
      specHash: hashText(text),
      enabled: true,
      flags: Object.fromEntries(flags),
      status: Object.fromEntries(
        [...flags].map(([name, f]) => [name, { generation: "g", share: askedShare(f) }]),
      ),
      halts: [],
      faults: [],
    };
    await bindings.FLAGS.put("flags", text);
    await bindings.FLAGS.put("snapshot", JSON.stringify(snapshot));
  }

  /** Forgets the isolate: the next request finds it cold. */
  restart(): void {
    this.state = new State();
    this.router = new Router(this.state);
  }

  /** Asks the router as a client does. */
  ask(question: Question = {}): Promise<Response> {
    const url = `https://shop.example.com${question.path ?? "/"}`;
    const headers = new Headers({ "cf-connecting-ip": "203.0.113.7", ...question.headers });
    if (question.visitor !== undefined) headers.set("cookie", `gl_visitor=${cookieOf(question.visitor)}`);
    const request = new Request(url, { method: question.method ?? "GET", headers, redirect: "manual" });
    const ctx = new Context();
    this.#contexts.push(ctx);
    return this.router.handle(request, this.env, ctx as unknown as ExecutionContext, targetOf(url));
  }

  /** Reads KV again, as a request does in the background. */
  async refresh(): Promise<void> {
    const ctx = new Context();
    this.state.refresh(this.env, ctx as unknown as ExecutionContext, Date.now());
    await Promise.all(ctx.left);
  }

  /** Waits for all that requests have left to `waitUntil`: the last counts are then sent. */
  async settle(): Promise<void> {
    for (const { left } of this.#contexts.splice(0)) await Promise.all(left);
  }
}

/** Value of the visitor cookie of visitor i; their anchors are spread over 32 bits. */
export function cookieOf(i: number): string {
  const anchor = Math.imul(i + 1, 2_654_435_761) >>> 0;
  return `${i.toString(16).padStart(32, "0")}.${anchor.toString(16).padStart(8, "0")}`;
}
