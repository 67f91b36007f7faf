/** Runs command lines of `greenlight` in this process: what a script would see of them. */
import { vi } from "vitest";
import { main } from "../../../src/cli/greenlight/main.ts";

/** What came of a command line. */
export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Everything that any command printed in this file: no token may ever be in it. */
export const printed: string[] = [];

/** Runs one, with these variables besides those of the process. */
export async function greenlight(args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const said = { out: "", err: "" };
  const catching = (stream: "out" | "err") => (text: string | Uint8Array) => {
    said[stream] += String(text);
    return true;
  };
  const before = process.exitCode;
  process.exitCode = undefined;
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const out = vi.spyOn(process.stdout, "write").mockImplementation(catching("out"));
  const err = vi.spyOn(process.stderr, "write").mockImplementation(catching("err"));
  try {
    await main(args);
    const code = Number(process.exitCode ?? 0);
    printed.push(said.out, said.err);
    return { code, ...said };
  } finally {
    out.mockRestore();
    err.mockRestore();
    vi.unstubAllEnvs();
    process.exitCode = before;
  }
}
