/** The router with watched Durable Objects (`workers/watched.ts`), and the door to them. */
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Bundle, quietWrangler, ROOT, WRANGLER } from "../src/cli/bundle.ts";
import type { Running } from "../src/cli/running.ts";
import { makeScratch } from "../src/cli/scratch.ts";
import type { Bench } from "./figure.ts";
import type { Door } from "./workers/watched.ts";

/** The bench with the watched Worker in place of the plain one. Settings are the product's; only the entry is another. */
export async function watched(bench: Bench): Promise<Bench> {
  const { dir } = await makeScratch(tmpdir());
  const entry = join(import.meta.dirname, "workers/watched.ts");
  const args = [WRANGLER, "deploy", entry, "--dry-run", "--outdir", dir];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: quietWrangler() });
  const bundle: Bundle = { ...bench.bundle, dir, modules: ["watched.js"] };
  return { ...bench, bundle };
}

/** Changes how calls go wrong, if anything is given, and says what the objects have been through. */
export async function atTheDoor(running: Running, change: Partial<Door> = {}): Promise<Door> {
  return (await knock(running, change)) as Door;
}

/** Makes an object die. */
export async function evict(running: Running, which: "shard" | "controller"): Promise<void> {
  await knock(running, { evict: which });
}

async function knock(running: Running, body: object): Promise<unknown> {
  const response = await fetch(`${running.isolates[0]}/__bench/door`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`the door says ${response.status}: ${await response.text()}`);
  return response.json();
}
