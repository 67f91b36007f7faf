/** Promises of `greenlight audit export` and `verify`, against an API that is asked over HTTP. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chain, record } from "../../core/rollout/records.ts";
import { greenlight } from "./run.ts";

const TOKEN = "a-token-of-16-characters";
const DAY = 86_400_000;
/** More than two pages. */
const entries = chain(
  Array.from({ length: 450 }, (_, i) => record({ at: Date.now() - DAY + i, reason: `change ${i}` })),
);
const lines = entries.map((entry) => JSON.stringify(entry));
let server: Server;
let url: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "greenlight-audit-"));
  await writeFile(join(folder, "token"), `${TOKEN}\n`);
  server = createServer((request, answer) => {
    const { pathname, searchParams } = new URL(request.url!, "http://api");
    const known =
      pathname === "/_greenlight/api/audit" && request.headers.authorization === `Bearer ${TOKEN}`;
    if (!known) return void answer.writeHead(401).end("no");
    const before = Number(searchParams.get("before") ?? Number.POSITIVE_INFINITY);
    const older = entries.filter(({ id }) => id < before).reverse();
    answer.setHeader("content-type", "application/json");
    answer.end(JSON.stringify({ entries: older.slice(0, Number(searchParams.get("limit"))) }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true, force: true });
});

async function audit(...args: string[]): Promise<{ code: number; output: string }> {
  const { code, out, err } = await greenlight(["audit", ...args]);
  return { code, output: out + err };
}

async function copy(text: string[]): Promise<string> {
  const file = join(folder, "copy.jsonl");
  await writeFile(file, text.join("\n"));
  return file;
}
const router = () => ["--url", url, "--token-file", join(folder, "token")];

describe("greenlight audit", () => {
  test("writes all records out, and what it wrote is the same as the original", async () => {
    const out = join(folder, "out.jsonl");
    expect((await audit("export", ...router(), "--out", out)).code).toBe(0);
    expect(await readFile(out, "utf8")).toBe(`${lines.join("\n")}\n`);
    const { code, output } = await audit("verify", out, "--against", ...router());
    expect(output).toContain("records 1 to 450 are one chain");
    expect(output).toContain("which has 450 records");
    expect(code).toBe(0);
  });

  test("finds a changed record by itself, says which one, and ends with 1", async () => {
    const file = await copy(lines.with(200, lines[200]!.replace("change 200", "change 2OO")));
    const { code, output } = await audit("verify", file);
    expect(output).toContain("Record 201 does not have the hash that it says");
    expect(code).toBe(1);
  });

  test("finds a cut end against the original only, unless the copy is older than what is missing", async () => {
    const file = await copy(lines.slice(0, 440));
    const alone = await audit("verify", file);
    expect(alone.output).toContain("only the original can tell");
    expect(alone.code).toBe(0);
    const against = ["verify", file, "--against", ...router()];
    const { code, output } = await audit(...against);
    expect(output).toContain("The copy ends with record 440; record 441");
    expect(code).toBe(1);
    const made = new Date(entries[439]!.at).toISOString();
    expect((await audit(...against, "--made", made)).code).toBe(0);
  });

  test("ends with another code than 1 where nothing could be checked", async () => {
    const file = await copy(lines);
    await writeFile(join(folder, "wrong"), "wrong");
    const wrong = ["--url", url, "--token-file", join(folder, "wrong")];
    expect((await audit("verify", file, "--against", ...wrong)).code).toBe(4);
    expect((await audit("verify", join(folder, "nowhere"))).code).toBe(2);
    expect((await audit("verify", file, "--nonsense")).code).toBe(2);
  });
});
