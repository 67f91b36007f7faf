/** Names of flags as the last list had them: what the shell completes. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

function file(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "greenlight", "flags.json");
}

/** Keeps them. That they cannot be kept is nobody's trouble. */
export async function keepNames(names: readonly string[]): Promise<void> {
  await mkdir(dirname(file()), { recursive: true })
    .then(() => writeFile(file(), JSON.stringify(names)))
    .catch(() => {});
}

/** Those that were kept; none before the first list. */
export async function keptNames(): Promise<string[]> {
  const text = await readFile(file(), "utf8").catch(() => "[]");
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}
