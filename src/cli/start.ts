/** `npm start`: the router under wrangler dev with two demo origins, local KV and a local token. */
import { spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command } from "commander";
import pc from "picocolors";
import { parseDocument } from "../core/flag/parse.ts";
import { quietWrangler, ROOT, WRANGLER } from "./bundle.ts";
import { LOCAL_SESSION, localAccess } from "./dev-vars.ts";
import { LOCAL_STATE, seed } from "./local-kv.ts";
import { integer } from "./options.ts";
import { onOrphaned } from "./orphan.ts";
import { freeBlock } from "./ports.ts";

const DEMO_FLAGS = "fixtures/flags/demo.json";
/** The router first: wrangler gives the port to the first. */
const CONFIGS = ["fixtures/demo/wrangler.toml", "fixtures/origins/blue.toml", "fixtures/origins/green.toml"];
/** wrangler's own choices, so that what its documentation says holds here. */
const DEFAULT_PORT = 8787;
const INSPECTOR_PORT = 9229;
/** Milliseconds until the first answer; the first start on a slow machine bundles three Workers. */
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 200;
/** Milliseconds that one look may take: wrangler holds requests back while a bundle does not build. */
const LOOK_MS = 5000;

interface Flags {
  port: number;
  flags?: string;
  fresh?: boolean;
  state: string;
  log?: boolean;
}

function command(): Command {
  return new Command("start")
    .description("Starts the router locally with two demo origins.")
    .option("--port <n>", "port of the router", integer(1, 65_535), DEFAULT_PORT)
    .option("--flags <file>", `flag document to put into local KV; default on the first start: ${DEMO_FLAGS}`)
    .option("--fresh", "forget the local state first")
    .option("--log", "print what the Worker logs: requests, audit records, messages of a dry run")
    .option("--state <folder>", "folder of the local state", LOCAL_STATE);
}

/** The text of a flag document; undefined when a flag of it is broken. Its faults have been printed then. */
async function readDocument(path: string): Promise<string | undefined> {
  const text = await readFile(path, "utf8");
  const { faults, flags, broken } = parseDocument(text);
  for (const { path: at, message, expected } of faults) {
    console.error(
      `${pc.red("fault")} ${path}: ${pc.bold(at || "document")}: ${message}; expected ${expected}`,
    );
  }
  return broken.size > 0 || (faults.length > 0 && flags.size === 0) ? undefined : text;
}

async function main(): Promise<number> {
  const given = command().parse().opts<Flags>();
  const document = await readDocument(given.flags ?? join(ROOT, DEMO_FLAGS));
  if (document === undefined) return 1;
  process.chdir(ROOT);
  if (given.fresh) await rm(given.state, { recursive: true, force: true });
  const seeded = await seed(given.state, document, given.flags !== undefined);
  const { port: asked } = given;
  const port = await freeBlock(asked, 1);
  if (port !== asked) console.log(pc.yellow(`port ${asked} is taken; taking ${port}`));
  const url = `http://localhost:${port}`;
  const token = await localAccess(".dev.vars", LOCAL_SESSION, url, resolve(given.state));
  const inspector = await freeBlock(INSPECTOR_PORT, 1);

  const child = spawn(
    process.execPath,
    [
      WRANGLER,
      "dev",
      ...CONFIGS.flatMap((config) => ["-c", config]),
      ...["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", String(inspector)],
      ...["--persist-to", given.state, "--env-file", join(ROOT, ".dev.vars")],
      ...["--log-level", given.log ? "log" : "warn"],
      "--show-interactive-dev-session=false",
    ],
    {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...quietWrangler(), CLOUDFLARE_CF_FETCH_ENABLED: "false" },
    },
  );
  const ended = new Promise<number>((done) => {
    child.once("error", () => done(1)).once("exit", (code) => done(code ?? 0));
  });
  // Ctrl-C reaches the child by itself; a plain kill of this process does not.
  process.on("SIGINT", () => {});
  const leave = () => void child.kill("SIGTERM");
  process.on("SIGTERM", leave);
  onOrphaned(leave);

  const ready = await Promise.race([answers(`http://127.0.0.1:${port}/_greenlight/health`), ended]);
  if (ready !== true) {
    console.error(pc.red("the router did not start; see above"));
    child.kill("SIGTERM");
    return 1;
  }
  console.log(banner(url, token, given.state, seeded ? (given.flags ?? DEMO_FLAGS) : undefined));
  return await ended;
}

async function answers(url: string): Promise<boolean> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    const ok = await fetch(url, { signal: AbortSignal.timeout(LOOK_MS) }).then(
      (res) => res.text().then(() => true),
      () => false,
    );
    if (ok) return true;
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
  return false;
}

/** Where to look, what to try, and what changes something. */
function banner(url: string, token: string, state: string, seededFrom: string | undefined): string {
  const where = state === LOCAL_STATE ? "" : ` --persist-to ${state}`;
  const put = `npx wrangler kv key put --local${where} --binding FLAGS`;
  return `
${pc.bold(pc.green("Greenlight is up"))}, with blue 2.0.0 and green 2.1.0 behind it.
Flags: ${seededFrom ? `put into local KV from ${seededFrom}` : "kept from the last start (npm start -- --fresh forgets them)"}

${pc.bold("Look")}
  ${url}/                     a page that says which origin answered
  ${url}/_greenlight/health   health, open to all
  ${url}/_greenlight/api/docs the API, to try it; token: ${token}
  npx greenlight status       the installation; npx greenlight watch follows what happens

${pc.bold("Try")}
  a hundred visitors, one in ten on green:
    for i in $(seq 100); do curl -s -A "guest $i" ${url}/; done | sort | uniq -c
  green begins to fail; send the hundred again: they all get an answer, and after a few rounds the status says why
  green is out of traffic:
    curl -X POST ${url}/__fail -d '{"rate": 1}'

${pc.bold("Change")}
  npx greenlight set shop --percentage 50 "half of the visitors"
  npx greenlight kill shop "stop it, whatever else is said anywhere"
  npx greenlight unkill shop
  npx greenlight resume shop "lift a halt"
  npx greenlight help         all else
  or by KV alone, as any edit of the document works, with nothing of ours up:
    sed 's/"percentage": 10/"percentage": 50/' ${DEMO_FLAGS} > my-flags.json
    ${put} flags --path my-flags.json
    ${put} kill shop

The token is in ${LOCAL_SESSION}, where npx greenlight finds it; the router has its hash alone.
`;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(pc.red(error instanceof Error ? error.message : String(error)));
  return 1;
});
