/** Folders that are gone when the process is, however it ends, short of being killed outright. */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

/** A temporary folder. */
export interface Scratch {
  readonly dir: string;
  /** Removes it now. */
  remove(): Promise<void>;
}

/** Makes a folder of a random name under `base`, for the owner only. */
export async function makeScratch(base: string): Promise<Scratch> {
  const dir = await mkdtemp(join(base, "greenlight-"));
  const options = { recursive: true, force: true };
  const onExit = () => rmSync(dir, options);
  process.once("exit", onExit);
  return {
    dir,
    async remove() {
      process.removeListener("exit", onExit);
      await rm(dir, options);
    },
  };
}
