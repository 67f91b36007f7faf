/** The KV namespace reached through wrangler alone: what is left when router, controller or API are down. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { quietWrangler, ROOT, WRANGLER } from "../bundle.ts";
import { LOCAL_STATE } from "../local-kv.ts";
import { makeScratch } from "../scratch.ts";

/** Keys that people may read; they write the first two. */
export type KvKey = "flags" | "kill" | "snapshot";

/** Where the namespace is. */
export interface KvPlace {
  /** Of a deployed Worker, at Cloudflare; else on this machine, as `npm start` keeps it. */
  remote: boolean;
  /** Environment of wrangler.toml; undefined: the top level. */
  env?: string | undefined;
  /** Folder of the local state; undefined: the one of `npm start`. */
  state?: string | undefined;
}

/** What a read or a put came to. */
export type KvResult<T> = { ok: true; value: T } | { ok: false; sentence: string };

/** One namespace. */
export interface WranglerKv {
  /** In words, for people. */
  readonly where: string;
  /** The text byte for byte; undefined where the key is missing. */
  get(key: KvKey): Promise<KvResult<string | undefined>>;
  /** A plain put, without metadata: it counts as an edit by hand. */
  put(key: "flags" | "kill", text: string): Promise<KvResult<undefined>>;
}

/** wrangler answers in some 2 s; a call over a bad line is given up, milliseconds. */
const WRANGLER_MS = 60_000;
/** Bytes that a value may have: KV's own limit. */
const MAX_BUFFER = 26_214_400;
/** What wrangler prints in place of a value that is not there, with exit code 0. */
const MISSING = "Value not found\n";
/** Cloudflare's code for a key that is not there. */
const MISSING_CODE = /\b10009\b|key not found/i;
/** Characters of wrangler's complaint that are shown. */
const SHOWN = 400;
/** Only the owner may read what is passed on by file. */
const PRIVATE = 0o600;

/** The namespace `FLAGS` of a place. Nothing is asked before the first get or put. */
export function wranglerKv(place: KvPlace): WranglerKv {
  const state = place.state ?? LOCAL_STATE;
  const at = [
    ...(place.remote ? ["--remote"] : ["--local", "--persist-to", resolve(ROOT, state)]),
    ...["--binding", "FLAGS"],
    // Named in any case: with several environments wrangler asks which one is meant.
    ...["--env", place.env ?? ""],
  ];
  const environment = place.env === undefined ? "" : `, environment ${place.env}`;
  return {
    where: place.remote ? `Cloudflare's KV${environment}` : `local KV (${state}${environment})`,
    async get(key) {
      const said = await run(["kv", "key", "get", key, ...at]);
      if (!said.ok) return MISSING_CODE.test(said.sentence) ? { ok: true, value: undefined } : said;
      return { ok: true, value: said.value === MISSING ? undefined : said.value };
    },
    async put(key, text) {
      // By file: a value among the arguments would stand in the list of processes, and is limited in length.
      const { dir, remove } = await makeScratch(tmpdir());
      try {
        const path = join(dir, key);
        await writeFile(path, text, { mode: PRIVATE });
        const said = await run(["kv", "key", "put", key, "--path", path, ...at]);
        return said.ok ? { ok: true, value: undefined } : said;
      } finally {
        await remove();
      }
    },
  };
}

function run(args: string[]): Promise<KvResult<string>> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [WRANGLER, ...args],
      { cwd: ROOT, env: quietWrangler(), timeout: WRANGLER_MS, maxBuffer: MAX_BUFFER, encoding: "utf8" },
      (error, stdout, stderr) =>
        done(error ? { ok: false, sentence: complaint(stderr, error) } : { ok: true, value: stdout }),
    );
  });
}

/** What wrangler complains of, without its frame, its colours and where it keeps logs. */
function complaint(stderr: string, error: Error & { killed?: boolean }): string {
  if (error.killed) return `wrangler did not answer within ${WRANGLER_MS / 1000} s`;
  const lines = stripColours(stderr)
    .split("\n")
    .map((line) => line.replace(/^\s*(✘|X)?\s*(\[ERROR\])?\s*/, "").trim())
    .filter((line) => line !== "" && !/^(🪵|⛅|─|Logs were written)/u.test(line));
  const text = lines.join(" ") || error.message;
  return `wrangler: ${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}`;
}

function stripColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
  return text.replace(/\u001b\[[0-9;]*m/g, "");
}
