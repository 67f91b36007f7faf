/** `npm run serve`: the deployed bundle on bare workerd, for load tests and for any test that needs a black box. */
import { readFile } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { integer } from "./options.ts";
import { onOrphaned } from "./orphan.ts";
import { freeBlock } from "./ports.ts";
import { type ServeOptions, startServe } from "./running.ts";

export { type Running, type ServeOptions, startServe } from "./running.ts";

/** More isolates than this are no test of anything on one machine. */
const MAX_ISOLATES = 64;

interface Flags {
  port: number;
  flags?: string;
  persist?: string;
  isolates: number;
  var: Record<string, string>;
  service: Record<string, string>;
  token?: string;
  kvPort: number;
}

function command(): Command {
  return new Command("serve")
    .description("Runs the built Worker on workerd, with KV and Durable Objects, on 127.0.0.1.")
    .option(
      "--port <n>",
      "port of the router; isolates alone follow on the next ones",
      integer(1, 65_535),
      8787,
    )
    .option("--flags <file>", "flag document, put into KV as `wrangler kv key put` does")
    .option("--persist <folder>", "keep KV and the Durable Objects there; default: forgotten at the end")
    .option(
      "--isolates <k>",
      "isolates of the Worker in front of the same objects",
      integer(1, MAX_ISOLATES),
      1,
    )
    .option("--var <name=value>", "variable of the Worker (repeatable)", pair, {})
    .option(
      "--service <name=host:port>",
      "service binding, for origins given as service:NAME (repeatable)",
      pair,
      {},
    )
    .option("--token <token>", "bearer token of the admin API; default: a random one, printed")
    .option("--kv-port <n>", "port of the KV service; default: any", integer(0, 65_535), 0);
}

function pair(text: string, all: Record<string, string>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("NAME=VALUE was expected");
  return { ...all, [text.slice(0, at)]: text.slice(at + 1) };
}

async function main(): Promise<void> {
  const given = command().parse().opts<Flags>();
  const port = await freeBlock(given.port, given.isolates + 1);
  if (port !== given.port) console.error(`port ${given.port} is taken (or one that follows); taking ${port}`);
  const options: ServeOptions = {
    port,
    isolates: given.isolates,
    vars: given.var,
    services: given.service,
    kvPort: given.kvPort,
    onLog: (text) => process.stderr.write(text),
    ...(given.flags !== undefined && { flags: await readFile(given.flags, "utf8") }),
    ...(given.persist !== undefined && { persist: given.persist }),
    ...(given.token !== undefined && { token: given.token }),
  };
  const running = await startServe(options);
  const leave = () => void running.stop().then(() => process.exit(0));
  process.once("SIGINT", leave).once("SIGTERM", leave);
  onOrphaned(leave);
  for (const [i, url] of running.isolates.entries())
    if (given.isolates > 1) console.log(`isolate ${i + 1} ${url}`);
  console.log(`kv http://127.0.0.1:${running.kv.port}`);
  console.log(`token ${running.token}`);
  console.log(`pid ${running.pid}`);
  console.log(`ready ${running.url}`);
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  });
}
