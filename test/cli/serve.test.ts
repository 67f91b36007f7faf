import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { freeBlock, isFree } from "../../src/cli/ports.ts";
import { ask } from "../support/ask.ts";
import { Command } from "../support/command.ts";

/** Where the search for free ports begins: above what other servers of a developer like to take. */
const FIRST_PORT = 21_000 + (process.pid % 1000) * 10;

const running: Command[] = [];
function serve(...args: string[]): Command {
  const command = new Command("src/cli/serve.ts", args);
  running.push(command);
  return command;
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end()));
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("prints ready once the port answers, and leaves nothing behind on SIGTERM", async () => {
  const port = await freeBlock(FIRST_PORT, 2);
  const command = serve(
    "--port",
    String(port),
    "--flags",
    "fixtures/flags/demo.json",
    "--token",
    "0123456789abcdef",
  );
  await command.until(new RegExp(`^ready http://127\\.0\\.0\\.1:${port}$`, "m"));
  expect((await ask(`http://127.0.0.1:${port}`, { path: "/_greenlight/health" })).status).toBe(200);
  const pid = Number((await command.until(/^pid (\d+)$/m))[1]);
  expect(alive(pid)).toBe(true);
  expect(await command.end()).toBe(0);
  expect(alive(pid)).toBe(false);
  expect(await isFree(port)).toBe(true);
});

test("steps over a taken port, and says so", async () => {
  const port = await freeBlock(FIRST_PORT, 2);
  const holder = createServer().listen(port, "127.0.0.1");
  try {
    const command = serve("--port", String(port));
    await command.until(new RegExp(`port ${port} is taken`));
    const [, next] = await command.until(/^ready http:\/\/127\.0\.0\.1:(\d+)$/m);
    expect(Number(next)).toBeGreaterThan(port);
  } finally {
    holder.close();
  }
});

test("a persistent folder keeps the document and the decisions over a restart", async () => {
  const dir = await mkdtemp(join(tmpdir(), "greenlight-persist-"));
  const token = "0123456789abcdef";
  const headers = { authorization: `Bearer ${token}` };
  const args = ["--port", String(await freeBlock(FIRST_PORT, 2)), "--persist", dir, "--token", token];
  const status = async (command: Command) => {
    const [, url = ""] = await command.until(/^ready (\S+)$/m);
    const answer = await ask(url, { path: "/_greenlight/api/status", headers });
    expect(answer.status).toBe(200);
    return JSON.parse(answer.text) as { revision: number; flags: { name: string }[] };
  };
  try {
    const first = serve(...args, "--flags", "fixtures/flags/demo.json");
    await first.until(/^ready/m);
    const before = await status(first);
    await first.end();
    const after = await status(serve(...args));
    expect(after.flags.map(({ name }) => name)).toEqual(["shop"]);
    expect(after.revision).toBeGreaterThanOrEqual(before.revision);
  } finally {
    await Promise.all(running.splice(0).map((command) => command.end()));
    await rm(dir, { recursive: true, force: true });
  }
});

test.each([
  [["--port", "nine"], /whole number/],
  [["--isolates", "0"], /whole number/],
  [["--var", "X"], /NAME=VALUE/],
  [["--flags", "no-such-file.json"], /no-such-file/],
])("refuses %j with a sentence", async (args, sentence) => {
  const command = serve(...args);
  expect(await command.exit).toBe(1);
  expect(command.output).toMatch(sentence);
});
