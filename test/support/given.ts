/** Given: a router with real origins and a flag document, for tests from the outside. */
import { inject } from "vitest";
import { type Running, type ServeOptions, startServe } from "../../src/cli/serve.ts";
import type { DocumentInput, FlagInput } from "../../src/core/flag/schema.ts";
import { Origin } from "./origin.ts";

type RouteInput = NonNullable<FlagInput["route"]>;

/** Fields of the flag `shop` over a canary without rules. */
export type ShopInput = Partial<Omit<FlagInput, "route">> & { route?: Partial<RouteInput> };

/** How the router is started, and what its document has besides the flag `shop`. */
export interface GivenOptions extends ServeOptions {
  more?: Partial<DocumentInput>;
}

/** A router with two origins. */
export interface Given {
  router: Running;
  blue: Origin;
  green: Origin;
  /** The text of a document whose flag `shop` routes everything to the two origins. */
  document(shop?: ShopInput): string;
  /** Puts such a document as a person does. */
  edit(shop?: ShopInput): void;
  stop(): Promise<void>;
}

/** Starts two origins and a router between them. KV is read again each second. */
export async function given(shop: ShopInput = {}, { more, ...options }: GivenOptions = {}): Promise<Given> {
  const [blue, green] = await Promise.all([Origin.start("blue"), Origin.start("green")]);
  const document = (fields: ShopInput = {}) => {
    const route: RouteInput = { blue: blue.url, green: green.url, ...fields.route };
    const flag: FlagInput = { state: "canary", percentage: 0, release: "2.1.0", rules: [], ...fields, route };
    return JSON.stringify({ ...more, flags: { ...more?.flags, shop: flag } } satisfies DocumentInput);
  };
  const router = await startServe({
    flags: document(shop),
    bundle: inject("bundle"),
    ...options,
    vars: { KV_REFRESH_SECONDS: "1", ...options.vars },
  });
  return {
    router,
    blue,
    green,
    document,
    edit: (fields) => router.kv.put("flags", document(fields)),
    async stop() {
      await router.stop();
      await Promise.all([blue.stop(), green.stop()]);
    },
  };
}

/** Milliseconds between two looks of `eventually`. */
const LOOK_MS = 50;

/** Waits until `check` no longer throws; after `withinMs` its last error is the test's. */
export async function eventually<T>(withinMs: number, check: () => T | Promise<T>): Promise<T> {
  const until = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }
}
