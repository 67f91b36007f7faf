/** What the doctor has gathered before it judges: plain data, each part absent where it could not be had. */
import type { FlagSpecView, PullView, StatusView, WhoView } from "../../../core/api/views.ts";
import type { ParsedDocument } from "../../../core/flag/parse.ts";

/** An answer, or why there is none. */
export type Asked<T> =
  | { ok: true; value: T }
  | { ok: false; sentence: string; status?: number | undefined; type?: string | undefined };

/** What `GET /_greenlight/health` says. */
export interface HealthFacts {
  status: string;
  revision: number;
  snapshotAgeMs: number | null;
  kvAgeMs: number | null;
  flags: number;
  faults: number;
  /** Name of the environment, and whether variables may override flags; undefined of a router that does not say. */
  environment?: string | null;
  envOverrides?: boolean;
}

/** A file that holds a token, and who may read it. */
export interface SecretFile {
  path: string;
  /** Permission bits. */
  mode: number;
}

/** One environment of wrangler.toml; the top level is null. */
export interface ConfigFacts {
  env: string | null;
  bindings: string[];
  vars: Record<string, string>;
  crons: string[];
  routes: string[];
  compatibilityDate: string;
}

/** What is in KV, read through wrangler; undefined texts are missing keys. */
export interface KvFacts {
  where: string;
  flags: string | undefined;
  kill: string | undefined;
}

/** All that is known. Times are milliseconds since the epoch, by this machine's clock. */
export interface Facts {
  now: number;
  /** Version of the Node that runs us, and the least that will do. */
  node: { version: string; least: string };
  cli: { version: string };
  profile:
    | { ok: true; name: string | null; url: string; source: string; token: boolean }
    | { ok: false; sentence: string; hint: string };
  files: SecretFile[];
  /** Of `.dev.vars`: what is set there, and what is wrong with its tokens. */
  devVars:
    | {
        path: string;
        names: string[];
        tokenFaults: string[];
        tokens: { name: string; expires: number | undefined }[];
      }
    | undefined;
  health: Asked<HealthFacts> | undefined;
  who: Asked<WhoView> | undefined;
  /** `offsetMs`: how far the router's clock is ahead of this machine's, at least. */
  status: Asked<StatusView & { offsetMs: number }> | undefined;
  specs: Asked<FlagSpecView[]> | undefined;
  pull: Asked<PullView> | undefined;
  /** Version of the router, from its OpenAPI document. */
  router: { version: string } | undefined;
  /** The document that is in force, by the router or else by KV. */
  document: { text: string; parsed: ParsedDocument } | undefined;
  kv: Asked<KvFacts> | undefined;
  configs: Asked<ConfigFacts[]> | undefined;
  /** Day of the workerd that is installed, `2026-10-23`. */
  workerdDate: string | undefined;
  /** Names of secrets and variables that the Worker has; undefined where they cannot be listed. */
  secrets: ReadonlySet<string> | undefined;
  wrangler: { loggedIn: boolean } | undefined;
  /** Is the router that is meant on this machine? */
  local: boolean;
}

/** `error`: it does not work, or not as meant; `warning`: it will not one day; `info`: worth a look. */
export type Level = "error" | "warning" | "info";

/** Something found. */
export interface Finding {
  level: Level;
  /** What is so. */
  what: string;
  /** Where: a file, a path of the document, an address. */
  where: string;
  /** What to do: a command where there is one. */
  mend: string;
}

/** One look at the facts. */
export interface Check {
  name: string;
  /** What it looks for, for docs/rehearsing.md. */
  about: string;
  look(facts: Facts): Finding[];
}
