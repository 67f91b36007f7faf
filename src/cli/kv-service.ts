/**
 * A KV namespace as an HTTP service on loopback: what workerd's KV binding talks to under `npm run serve`.
 * Each isolate is a place of its own, whose reads can be frozen or failed, since real KV is stale and local KV never is.
 * It refuses to know about expiration, which Greenlight does not use.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** Header by which workerd tells the service which isolate asks; a request without it sees what is newest. */
export const PLACE_HEADER = "x-kv-place";

/** How a place sees KV: what is newest, what was there when it was frozen, or an error. */
export type PlaceMode = "live" | "stale" | "down";

/** One stored value. */
export interface KvEntry {
  value: Buffer;
  /** Parsed JSON metadata; undefined after a plain put, as in production. */
  metadata: unknown;
}

/** One put as it came in, for tests that count writes. */
export interface KvWrite {
  key: string;
  /** Milliseconds since the epoch. */
  at: number;
  metadata: unknown;
}

type Entries = ReadonlyMap<string, KvEntry>;

/** The service. Values live in memory, and under `dir` as one file per key where one is given. */
export class KvService {
  /** Every put since the start, in order. */
  readonly writes: KvWrite[] = [];
  #reads = new Map<string, number>();
  #entries: Entries = new Map();
  #frozen = new Map<number, Entries>();
  #down = new Set<number>();
  #server: Server;
  #dir: string | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(dir: string | undefined) {
    this.#dir = dir;
    this.#server = createServer((req, res) => void this.#serve(req, res));
    // workerd keeps connections open; closing them under it would look like an outage.
    this.#server.keepAliveTimeout = 0;
  }

  /** Starts the service on 127.0.0.1. `port` 0 takes any free one; `dir` makes it survive a restart. */
  static async start(options: { dir?: string; port?: number } = {}): Promise<KvService> {
    const service = new KvService(options.dir);
    await service.#load();
    await new Promise<void>((resolve, reject) => {
      service.#server.once("error", reject);
      service.#server.listen(options.port ?? 0, "127.0.0.1", resolve);
    });
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stores a value; without `metadata` as a person's `wrangler kv key put` does, which clears it. */
  put(key: string, value: string | Uint8Array, metadata?: unknown): void {
    this.writes.push({ key, at: Date.now(), metadata });
    this.#change(key, { value: Buffer.from(value), metadata });
  }

  delete(key: string): void {
    this.#change(key, undefined);
  }

  /** What is newest under a key, as text. */
  get(key: string): { text: string; metadata: unknown } | undefined {
    const entry = this.#entries.get(key);
    return entry && { text: entry.value.toString(), metadata: entry.metadata };
  }

  /** How often a key has been read over HTTP, alone or in bulk. */
  reads(key: string): number {
    return this.#reads.get(key) ?? 0;
  }

  /** Sets how an isolate (1..K; 0 is the one with the Durable Objects) sees KV from now on. */
  setPlace(place: number, mode: PlaceMode): void {
    if (mode === "stale") this.#frozen.set(place, this.#entries);
    else this.#frozen.delete(place);
    if (mode === "down") this.#down.add(place);
    else this.#down.delete(place);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#saving;
  }

  #change(key: string, entry: KvEntry | undefined): void {
    // Copied, so that a frozen place keeps the map it was frozen with.
    const next = new Map(this.#entries);
    if (entry) next.set(key, entry);
    else next.delete(key);
    this.#entries = next;
    if (this.#dir) this.#saving = this.#saving.then(() => this.#save(this.#dir!, key, entry));
  }

  async #save(dir: string, key: string, entry: KvEntry | undefined): Promise<void> {
    const name = encodeURIComponent(key);
    const value = join(dir, "values", name);
    const metadata = join(dir, "metadata", name);
    if (!entry) return void (await Promise.all([rm(value, { force: true }), rm(metadata, { force: true })]));
    if (entry.metadata === undefined) await rm(metadata, { force: true });
    else await replaceFile(metadata, JSON.stringify(entry.metadata));
    await replaceFile(value, entry.value);
  }

  async #load(): Promise<void> {
    if (!this.#dir) return;
    const values = join(this.#dir, "values");
    const metadata = join(this.#dir, "metadata");
    await Promise.all([mkdir(values, { recursive: true }), mkdir(metadata, { recursive: true })]);
    const entries = new Map<string, KvEntry>();
    for (const name of await readdir(values)) {
      if (name.endsWith(PARTIAL)) continue;
      const text = await readFile(join(metadata, name), "utf8").catch(() => undefined);
      entries.set(decodeURIComponent(name), {
        value: await readFile(join(values, name)),
        metadata: text === undefined ? undefined : JSON.parse(text),
      });
    }
    this.#entries = entries;
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const url = new URL(req.url ?? "/", "http://kv");
      const place = Number(req.headers[PLACE_HEADER] ?? Number.NaN);
      const body = await readBody(req);
      if (this.#down.has(place)) return reply(res, 500, "KV is down at this place");
      const entries = this.#frozen.get(place) ?? this.#entries;
      const key = decodeURIComponent(url.pathname.slice(1));
      const route = `${req.method} ${url.pathname === "/bulk/get" ? "bulk" : key === "" ? "" : "key"}`;
      switch (route) {
        case "POST bulk": {
          const request = JSON.parse(body.toString()) as BulkRequest;
          for (const wanted of request.keys) this.#reads.set(wanted, this.reads(wanted) + 1);
          return reply(res, 200, bulkGet(entries, request));
        }
        case "GET ":
          return reply(res, 200, list(entries, url.searchParams.get("prefix") ?? ""));
        case "GET key": {
          const entry = entries.get(key);
          this.#reads.set(key, this.reads(key) + 1);
          if (!entry) return reply(res, 404, "Not Found");
          if (entry.metadata !== undefined) res.setHeader("CF-KV-Metadata", JSON.stringify(entry.metadata));
          return reply(res, 200, entry.value);
        }
        case "PUT key": {
          const metadata = req.headers["cf-kv-metadata"];
          this.put(key, body, typeof metadata === "string" ? JSON.parse(metadata) : undefined);
          return reply(res, 200, "");
        }
        case "DELETE key":
          this.delete(key);
          return reply(res, 200, "");
        default:
          return reply(res, 405, "Method Not Allowed");
      }
    } catch (error) {
      reply(res, 400, String(error));
    }
  }
}

/** Ending of a file that is being written; `encodeURIComponent` never leaves a space in a name. */
const PARTIAL = " partial";

async function replaceFile(path: string, content: string | Buffer): Promise<void> {
  await writeFile(path + PARTIAL, content);
  await rename(path + PARTIAL, path);
}

interface BulkRequest {
  keys: string[];
  type?: "text" | "json";
  withMetadata?: boolean;
}

function bulkGet(entries: Entries, request: BulkRequest): string {
  const answer: [string, unknown][] = request.keys.map((key) => {
    const entry = entries.get(key);
    if (!entry) return [key, null];
    const text = entry.value.toString();
    const value: unknown = request.type === "json" ? JSON.parse(text) : text;
    return [key, request.withMetadata ? { value, metadata: entry.metadata ?? null } : value];
  });
  return JSON.stringify(Object.fromEntries(answer));
}

function list(entries: Entries, prefix: string): string {
  const keys = [...entries]
    .filter(([name]) => name.startsWith(prefix))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    // workerd expects the metadata of a list as JSON text.
    .map(([name, { metadata }]) => ({
      name,
      ...(metadata !== undefined && { metadata: JSON.stringify(metadata) }),
    }));
  return JSON.stringify({ keys, list_complete: true, cacheStatus: null });
}

async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function reply(res: ServerResponse, status: number, body: string | Buffer): void {
  res.writeHead(status).end(body);
}
