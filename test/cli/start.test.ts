import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { quietWrangler, ROOT, WRANGLER } from "../../src/cli/bundle.ts";
import { LOCAL_SESSION } from "../../src/cli/dev-vars.ts";
import { freeBlock, isFree } from "../../src/cli/ports.ts";
import { ask } from "../support/ask.ts";
import { Command } from "../support/command.ts";
import { eventually } from "../support/given.ts";

const FIRST_PORT = 31_000 + (process.pid % 1000) * 10;
/** wrangler's local KV is read each second; the machine may be busy. */
const SOON_MS = 15_000;
/** Milliseconds for three starts and three puts, some 18 s on two idle processors. */
const THREE_STARTS_MS = 120_000;

let dir: string;
/** Where npm start notes its address and token for the command line: whoever works here wants their own back. */
const session = join(ROOT, LOCAL_SESSION);
let theirs: string | undefined;
const running: Command[] = [];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "greenlight-start-"));
  theirs = await readFile(session, "utf8").catch(() => undefined);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end()));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
  if (theirs === undefined) await rm(session, { force: true });
  else await writeFile(session, theirs);
});

async function start(...args: string[]): Promise<{ url: string; command: Command }> {
  const command = new Command("src/cli/start.ts", ["--state", join(dir, "state"), ...args]);
  running.push(command);
  const [, port] = await command.until(/http:\/\/localhost:(\d+)\/_greenlight\/health/);
  await command.until(/Change/);
  return { url: `http://127.0.0.1:${port}`, command };
}

async function put(key: string, ...value: string[]): Promise<void> {
  const args = [
    WRANGLER,
    "kv",
    "key",
    "put",
    "--local",
    "--binding",
    "FLAGS",
    "--persist-to",
    join(dir, "state"),
  ];
  await promisify(execFile)(process.execPath, [...args, key, ...value], { cwd: ROOT, env: quietWrangler() });
}

/** Which origins answer twenty visitors. */
async function answers(url: string): Promise<Set<string>> {
  const visitors = Array.from({ length: 20 }, (_, i) =>
    ask(url, { headers: { "user-agent": `visitor ${i}` } }),
  );
  return new Set((await Promise.all(visitors)).map(({ text }) => text.trim()));
}

describe("npm start", () => {
  test(
    "serves both origins, takes wrangler's KV edits, keeps them over a second start, forgets them with --fresh",
    async () => {
      const port = await freeBlock(FIRST_PORT, 1);
      const first = await start("--port", String(port));
      expect(first.command.output).toContain("put into local KV from fixtures/flags/demo.json");
      expect(await answers(first.url)).toContain("blue 2.0.0");

      const [, token] = await first.command.until(/token: (\w+)/);
      const status = () =>
        ask(first.url, { path: "/_greenlight/api/status", headers: { authorization: `Bearer ${token}` } });
      expect((await status()).status).toBe(200);

      const route = { blue: "service:BLUE", green: "service:GREEN" };
      const cutover = JSON.stringify({ flags: { shop: { state: "on", release: "2.1.0", route } } });
      await writeFile(join(dir, "my-flags.json"), cutover);
      await put("flags", "--path", join(dir, "my-flags.json"));
      await eventually(SOON_MS, async () =>
        expect(await answers(first.url)).toEqual(new Set(["green 2.1.0"])),
      );
      await put("kill", "shop");
      await eventually(SOON_MS, async () =>
        expect(await answers(first.url)).toEqual(new Set(["blue 2.0.0"])),
      );
      await put("kill", " ");
      await first.command.end();
      expect(await isFree(port)).toBe(true);

      const second = await start("--port", String(port));
      expect(second.command.output).toContain("kept from the last start");
      await eventually(SOON_MS, async () =>
        expect(await answers(second.url)).toEqual(new Set(["green 2.1.0"])),
      );
      await second.command.end();

      const third = await start("--port", String(port), "--fresh");
      expect(third.command.output).toContain("put into local KV");
      expect(await answers(third.url)).toContain("blue 2.0.0");
    },
    THREE_STARTS_MS,
  );

  test("takes another port where one is taken, and says so", async () => {
    const port = await freeBlock(FIRST_PORT, 1);
    const holder = createServer().listen(port, "127.0.0.1");
    try {
      const { url, command } = await start("--port", String(port));
      expect(command.output).toContain(`port ${port} is taken`);
      expect((await ask(url, { path: "/_greenlight/health" })).status).toBe(200);
    } finally {
      holder.close();
    }
  });

  test("refuses a document with a broken flag, with the path and what was expected", async () => {
    const path = join(dir, "broken.json");
    await writeFile(path, '{ "flags": { "shop": { "state": "sideways" } } }');
    const command = new Command("src/cli/start.ts", ["--state", join(dir, "state"), "--flags", path]);
    running.push(command);
    expect(await command.exit).toBe(1);
    expect(command.output).toMatch(/fault .*flags\.shop\.state.*expected/);
  });
});

test("plain wrangler dev starts the router as well", async () => {
  const port = await freeBlock(FIRST_PORT, 2);
  const ports = ["--port", String(port), "--inspector-port", String(port + 1)];
  const state = ["--persist-to", join(dir, "plain")];
  const command = new Command(WRANGLER, ["dev", ...ports, ...state, "--show-interactive-dev-session=false"]);
  running.push(command);
  await command.until(/Ready on http/);
  const url = `http://127.0.0.1:${port}`;
  await ask(url, { path: "/_greenlight/health" });
  // No document is there yet: the answer says so.
  const answer = await ask(url);
  expect(answer.status).toBe(503);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
});
