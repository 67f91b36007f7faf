#!/usr/bin/env node
/**
 * The command `greenlight`. Help and version are answered here, by any Node and without loading what they do not
 * need; all else runs in TypeScript, by the Node of the devDependencies where this one is too old for it.
 */
import { readFileSync } from "node:fs";

/** The first Node that runs TypeScript files as they are, without a warning. */
const LEAST_MAJOR = 24;
const here = (path) => new URL(`../${path}`, import.meta.url);
const args = process.argv.slice(2);

/** Path of the Node that comes with the project; undefined where its package is not installed. */
async function ownNode() {
  const { createRequire } = await import("node:module");
  try {
    return createRequire(import.meta.url).resolve("node/bin/node");
  } catch {
    return undefined;
  }
}

if (args.length === 0 || (args.length === 1 && ["help", "--help", "-h"].includes(args[0]))) {
  process.stdout.write(readFileSync(here("src/cli/greenlight/help.txt"), "utf8"));
} else if (args.length === 1 && ["version", "--version", "-V"].includes(args[0])) {
  process.stdout.write(`${JSON.parse(readFileSync(here("package.json"), "utf8")).version}\n`);
} else if (Number.parseInt(process.versions.node, 10) >= LEAST_MAJOR) {
  const { main } = await import(here("src/cli/greenlight/main.ts").href);
  await main(args);
} else {
  const node = await ownNode();
  if (node === undefined) {
    process.stderr.write(
      `greenlight needs Node ${LEAST_MAJOR}; this is ${process.version}, and the project's own is not installed. Run npm ci.\n`,
    );
    process.exitCode = 2;
  } else {
    const [{ spawn }, { fileURLToPath }] = await Promise.all([
      import("node:child_process"),
      import("node:url"),
    ]);
    const child = spawn(node, [fileURLToPath(import.meta.url), ...args], { stdio: "inherit" });
    // The terminal sends Ctrl-C to both; the child decides how it ends.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => signal !== "SIGINT" && child.kill(signal));
    }
    child.once("error", (error) => {
      process.stderr.write(`${node} cannot be started: ${error.message}. Run npm ci.\n`);
      process.exitCode = 2;
    });
    child.once("exit", (code, signal) => {
      process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
    });
  }
}
