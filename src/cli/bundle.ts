/** The Worker as wrangler bundles it for a deploy, and the settings of wrangler.toml that workerd needs beside it. */
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { makeScratch } from "./scratch.ts";
import { readSettings } from "./settings.ts";

/** Folder of the repository. */
export const ROOT = join(import.meta.dirname, "../..");
/** Script of the wrangler command, run with the Node that runs us. */
export const WRANGLER = join(
  dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
  "bin/wrangler.js",
);

/** A bundle on disk with what wrangler.toml says about it. */
export interface Bundle {
  dir: string;
  /** Files of the bundle, the entry first. */
  modules: string[];
  compatibilityDate: string;
  compatibilityFlags: string[];
  vars: Record<string, string>;
  kv: string[];
  objects: { binding: string; className: string }[];
  sqlite: string[];
}

/**
 * Bundles the Worker by `wrangler deploy --dry-run`, so that what is served is what would be deployed.
 * The folder goes with the process.
 */
export async function makeBundle(config = join(ROOT, "wrangler.toml")): Promise<Bundle> {
  const settings = await readSettings(config);
  const { dir } = await makeScratch(tmpdir());
  const args = [WRANGLER, "deploy", "--dry-run", "--outdir", dir, "--config", config];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: quietWrangler() });
  const files = (await readdir(dir)).filter((name) => name.endsWith(".js"));
  return {
    dir,
    modules: files.sort((a, b) => Number(b === "index.js") - Number(a === "index.js")),
    compatibilityDate: settings.compatibility_date ?? "",
    compatibilityFlags: settings.compatibility_flags,
    vars: Object.fromEntries(Object.entries(settings.vars).map(([name, value]) => [name, String(value)])),
    kv: settings.kv_namespaces.map(({ binding }) => binding),
    objects: settings.durable_objects.bindings.map((o) => ({ binding: o.name, className: o.class_name })),
    sqlite: settings.migrations.flatMap((m) => m.new_sqlite_classes ?? []),
  };
}

/** Environment in which wrangler asks nothing, sends nothing home and colours nothing. */
export function quietWrangler(): NodeJS.ProcessEnv {
  return { ...process.env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1", CI: "1" };
}
