/** A running router: the deployed bundle on bare workerd, with KV in this process. Used by serve, demo, tests, bench. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { hashToken, isStrong, MIN_TOKEN_LENGTH, tokenLine } from "../core/auth/tokens.ts";
import { type Bundle, makeBundle } from "./bundle.ts";
import { KvService } from "./kv-service.ts";
import { newToken } from "./new-token.ts";
import { makeScratch } from "./scratch.ts";
import { FRONT_SCRIPT, workerdConfig } from "./workerd-config.ts";

/** RAM disk of Linux: an fsync of a real disk dominates every figure of a Durable Object. */
const RAM_DISK = "/dev/shm";
/** Milliseconds until the first answer; a cold start takes well under one second. */
const START_TIMEOUT_MS = 20_000;
/** Milliseconds between two looks at a port that does not answer yet. */
const POLL_MS = 20;
/** Last characters of workerd's output that an error shows. */
const LOG_TAIL = 4000;

/** How a router is started. */
export interface ServeOptions {
  /** Text under KV key `flags`, put as a person does; absent leaves what is there. */
  flags?: string;
  /** Port of the front; the isolates follow on the next ones. Absent or 0: any free ones. */
  port?: number;
  /** Isolates of the Worker in front of the same Durable Objects; default 1. */
  isolates?: number;
  /** So many of them, the last ones, are not asked anything at the start and so stay cold; default 0. */
  cold?: number;
  /** Folder that keeps KV and the Durable Objects; absent: forgotten at the end. */
  persist?: string;
  /** Variables over those of wrangler.toml. */
  vars?: Record<string, string>;
  /** Service bindings, name to `host:port`. */
  services?: Record<string, string>;
  /** Bearer token of the admin API, in the clear, of role admin; absent: a random one. */
  token?: string;
  kvPort?: number;
  /** A bundle made before, to save the seconds that wrangler takes. */
  bundle?: Bundle;
  /** Called with what workerd prints (logs of the Worker). */
  onLog?: (text: string) => void;
}

/** A router that answers. */
export interface Running {
  /** `http://127.0.0.1:port` of the front, which hands requests to the isolates in turn. */
  readonly url: string;
  readonly port: number;
  /** URL of each isolate alone, in order. */
  readonly isolates: readonly string[];
  readonly token: string;
  readonly kv: KvService;
  /** Process id of workerd. */
  readonly pid: number;
  /** Kills workerd and starts it again on the same ports with the same storage: isolates and objects are new. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the router and waits until it answers. */
export async function startServe(options: ServeOptions = {}): Promise<Running> {
  const token = options.token ?? newToken();
  if (!isStrong(token)) throw new Error(`a token has at least ${MIN_TOKEN_LENGTH} characters`);
  const bundle = options.bundle ?? (await makeBundle());
  const { dir: scratch, remove } = await makeScratch(existsSync(RAM_DISK) ? RAM_DISK : tmpdir());
  const persist = options.persist && resolve(options.persist);
  const storage = join(persist ?? scratch, "objects");
  await mkdir(storage, { recursive: true });
  const kv = await KvService.start({
    port: options.kvPort ?? 0,
    ...(persist && { dir: join(persist, "kv") }),
  });
  if (options.flags !== undefined) kv.put("flags", options.flags);
  // KV caches a missing key as missing, so the kill key is there from the start.
  if (!kv.get("kill")) kv.put("kill", "");

  const isolates = options.isolates ?? 1;
  const first = options.port ?? 0;
  let ports = { front: first, direct: Array.from({ length: isolates }, (_, i) => first && first + i + 1) };
  await copyModules(bundle, scratch);
  let workerd: Workerd;

  async function launch(): Promise<void> {
    const layout = { bundle, services: options.services ?? {}, isolates, ports, kvPort: kv.port, storage };
    const vars = { ...bundle.vars, ...options.vars, ADMIN_TOKENS: tokensVariable(token, options.vars) };
    await writeFile(join(scratch, "config.capnp"), workerdConfig({ ...layout, vars }), { mode: 0o600 });
    workerd = new Workerd(join(scratch, "config.capnp"), options.onLog);
    ports = await workerd.listening(isolates);
    const asked = ports.direct.slice(0, isolates - (options.cold ?? 0));
    await Promise.all([ports.front, ...asked].map((port) => workerd.answers(port)));
  }
  async function stop(): Promise<void> {
    await workerd?.stop();
    await kv.stop();
    await remove();
  }
  try {
    await launch();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: local(ports.front),
    port: ports.front,
    isolates: ports.direct.map(local),
    token,
    kv,
    get pid() {
      return workerd.pid;
    },
    async restart() {
      await workerd.stop();
      await launch();
    },
    stop,
  };
}

function local(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** What the Worker keeps: the hash of the token, of role admin, and tokens that were given as a variable besides. */
function tokensVariable(token: string, vars: Record<string, string> = {}): string {
  const line = tokenLine({ name: "local", role: "admin", sha256: hashToken(token), expires: undefined });
  return [line, vars.ADMIN_TOKENS ?? ""].join("\n").trim();
}

async function copyModules(bundle: Bundle, to: string): Promise<void> {
  await Promise.all(bundle.modules.map((name) => copyFile(join(bundle.dir, name), join(to, name))));
  await writeFile(join(to, "front.js"), FRONT_SCRIPT);
}

/** One workerd process. */
class Workerd {
  readonly pid: number;
  #child: ChildProcess;
  #log = "";
  #exit: Promise<void>;
  #exited = false;
  // A parent that leaves in a hurry must not leave workerd behind.
  #onExit = () => void this.#child.kill("SIGKILL");

  constructor(config: string, onLog: ((text: string) => void) | undefined) {
    const args = ["serve", "--experimental", "--control-fd=3", config, "config"];
    this.#child = spawn(workerdBinary(), args, { stdio: ["ignore", "pipe", "pipe", "pipe"] });
    this.pid = this.#child.pid ?? 0;
    this.#exit = new Promise((done) => {
      const over = () => {
        this.#exited = true;
        done();
      };
      this.#child.once("exit", over).once("error", over);
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#log = (this.#log + text).slice(-LOG_TAIL);
        onLog?.(text);
      });
    }
    process.once("exit", this.#onExit);
  }

  /** The ports that the sockets got. */
  async listening(isolates: number): Promise<{ front: number; direct: number[] }> {
    const ports = new Map<string, number>();
    const control = this.#child.stdio[3] as Readable;
    const all = new Promise<void>((done) => {
      let buffer = "";
      control.setEncoding("utf8").on("data", (text: string) => {
        const lines = (buffer + text).split("\n");
        buffer = lines.pop() ?? "";
        for (const line of lines) {
          const event = JSON.parse(line) as { event: string; socket: string; port: number };
          if (event.event === "listen") ports.set(event.socket, event.port);
        }
        if (ports.size === isolates + 1) done();
      });
    });
    await Promise.race([all, this.#exit]);
    if (ports.size <= isolates) throw new Error(`workerd did not start:\n${this.#log}`);
    return {
      front: ports.get("front") ?? 0,
      direct: Array.from({ length: isolates }, (_, i) => ports.get(`isolate${i + 1}`) ?? 0),
    };
  }

  /** Waits until the router answers anything at all on a port. */
  async answers(port: number): Promise<void> {
    const until = Date.now() + START_TIMEOUT_MS;
    while (!this.#exited && Date.now() < until) {
      const ok = await fetch(`${local(port)}/_greenlight/health`, {
        signal: AbortSignal.timeout(START_TIMEOUT_MS),
      }).then(
        (res) => res.body?.cancel().then(() => true) ?? true,
        () => false,
      );
      if (ok) return;
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
    throw new Error(`the router does not answer on port ${port}:\n${this.#log}`);
  }

  async stop(): Promise<void> {
    process.removeListener("exit", this.#onExit);
    // workerd waits for open connections on SIGTERM; nothing here is worth the wait.
    if (!this.#exited) this.#child.kill("SIGKILL");
    await this.#exit;
  }
}

/** Path of the workerd that wrangler itself runs: another build could know another compatibility date. */
function workerdBinary(): string {
  const fromWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler/package.json"));
  return (fromWrangler("workerd") as { default: string }).default;
}
