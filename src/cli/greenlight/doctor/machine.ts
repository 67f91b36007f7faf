/** What the doctor reads of the project and of this machine: wrangler.toml, versions, what wrangler knows. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { quietWrangler, ROOT, WRANGLER } from "../../bundle.ts";
import { readSettings, type Settings } from "../../settings.ts";
import type { KvPlace } from "../kv.ts";
import type { Asked, ConfigFacts } from "./facts.ts";

/** wrangler asks Cloudflare; over a bad line it is given up, milliseconds. */
const WRANGLER_MS = 20_000;

interface Package {
  version: string;
  devDependencies?: Record<string, string>;
}

async function ownPackage(): Promise<Package> {
  return JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Package;
}

export async function cliVersion(): Promise<string> {
  return (await ownPackage()).version;
}

/** The major version of Node that the project brings along: older ones do not run TypeScript as it is. */
export async function leastNode(): Promise<string> {
  const own = (await ownPackage()).devDependencies?.node ?? "0.0.0";
  return `${own.split(".")[0]}.0.0`;
}

/** wrangler.toml, all environments. */
export async function configs(): Promise<Asked<ConfigFacts[]>> {
  const path = join(ROOT, "wrangler.toml");
  try {
    const top = await readSettings(path);
    const names = top.definedEnvironments;
    const others = await Promise.all(names.map(async (env) => factsOf(env, await readSettings(path, env))));
    return { ok: true, value: [factsOf(null, top), ...others] };
  } catch (error) {
    return { ok: false, sentence: error instanceof Error ? error.message : String(error) };
  }
}

function factsOf(env: string | null, settings: Settings): ConfigFacts {
  return {
    env,
    bindings: [
      ...settings.kv_namespaces.map(({ binding }) => binding),
      ...settings.durable_objects.bindings.map(({ name }) => name),
    ],
    vars: Object.fromEntries(Object.entries(settings.vars).map(([name, value]) => [name, String(value)])),
    crons: settings.triggers?.crons ?? [],
    routes: (settings.routes ?? []).map((route) => (typeof route === "string" ? route : route.pattern)),
    compatibilityDate: settings.compatibility_date ?? "",
  };
}

/** Day of the workerd that wrangler runs: its version is `1.YYYYMMDD.n`. */
export function workerdDate(): string | undefined {
  const fromWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler/package.json"));
  const { version } = fromWrangler("workerd/package.json") as { version: string };
  const [, day = ""] = version.split(".");
  const parts = /^(\d{4})(\d\d)(\d\d)$/.exec(day);
  return parts ? parts.slice(1).join("-") : undefined;
}

/** Names of what the Worker has as secrets and variables; undefined where wrangler cannot say. */
export async function secretsOf(
  place: KvPlace,
  devVars: readonly string[],
): Promise<Set<string> | undefined> {
  if (!place.remote) return new Set(devVars);
  const said = await wrangler(["secret", "list", "--format", "json", "--env", place.env ?? ""]);
  if (said === undefined) return undefined;
  try {
    const list = JSON.parse(said) as { name: string }[];
    return new Set(list.map(({ name }) => name));
  } catch {
    return undefined;
  }
}

export async function wranglerLogin(): Promise<{ loggedIn: boolean }> {
  return { loggedIn: (await wrangler(["whoami", "--json"])) !== undefined };
}

/** What wrangler prints; undefined where it fails. */
function wrangler(args: string[]): Promise<string | undefined> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [WRANGLER, ...args],
      { cwd: ROOT, env: quietWrangler(), timeout: WRANGLER_MS },
      (error, stdout) => done(error ? undefined : stdout),
    );
  });
}
