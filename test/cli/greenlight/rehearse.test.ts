/** Promises of the commands on files, at a real router: rehearse, apply, diff, evaluate, validate; and of KV by wrangler. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../../../src/cli/bundle.ts";
import { Cli } from "../../../src/cli/greenlight/cli.ts";
import { applyText } from "../../../src/cli/greenlight/commands/apply.ts";
import { wranglerKv } from "../../../src/cli/greenlight/kv.ts";
import { changeDocument } from "../../../src/cli/greenlight/kv-edits.ts";
import { program } from "../../../src/cli/greenlight/program.ts";
import { withLocalKv } from "../../../src/cli/local-kv.ts";
import { editFlag } from "../../../src/core/flag/edit.ts";
import { ask } from "../../support/ask.ts";
import { Command } from "../../support/command.ts";
import { type Given, given } from "../../support/given.ts";

const PAYLOADS = ["1-warm", "2-canary", "3-rollout", "4-cutover", "5-rollback"].map(
  (name) => `fixtures/rehearsal/ecotrips/${name}.json`,
);

let dir: string;
let world: Given;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "greenlight-files-"));
  world = await given({ percentage: 10 });
  await writeFile(join(dir, "token"), world.router.token, { mode: 0o600 });
});
afterAll(async () => {
  await world?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** The command at the router of these tests. */
function greenlight(...args: string[]): Command {
  return new Command("bin/greenlight.js", [
    "--url",
    world.router.url,
    "--token-file",
    join(dir, "token"),
    ...args,
  ]);
}

async function api(path: string, method = "GET", body = "", headers: Record<string, string> = {}) {
  const authorization = `Bearer ${world.router.token}`;
  return await ask(world.router.url, {
    method,
    path: `/_greenlight/api${path}`,
    headers: { authorization, ...headers },
    body,
  });
}
const document = async () => (await api("/document")).text;

test("a rehearsal moves visitors by each payload, only the right way, and leaves the document as it was", async () => {
  const before = await document();
  const command = greenlight("rehearse", ...PAYLOADS, "--visitors", "150", "--json", "--quiet");
  expect(await command.exit).toBe(0);
  const { outcomes } = JSON.parse(command.output) as { outcomes: Record<string, number>[] };
  expect(outcomes.map(({ asked }) => asked)).toEqual([10, 5, 10, 45, 100, 0]);
  expect(outcomes.map(({ errors }) => errors)).toEqual([0, 0, 0, 0, 0, 0]);
  const [first, warm, canary, rollout, cutover, rollback] = outcomes.map(({ green }) => green!);
  expect([cutover, rollback, canary]).toEqual([150, 0, first]);
  expect(warm).toBeLessThan(canary!);
  expect(canary).toBeLessThan(rollout!);
  // Raising takes nobody off green.
  expect(outcomes.map(({ left }) => left)).toEqual([0, first! - warm!, 0, 0, 0, 150]);
  expect(await document()).toBe(before);
});

test("a rehearsal that is interrupted puts back what was there", async () => {
  const before = await document();
  const command = greenlight("rehearse", ...PAYLOADS, "--visitors", "50");
  await command.until(/3-rollout\.json: \d+ of 50/);
  expect(await command.end("SIGINT")).toBe(130);
  expect(command.output).toContain("As it was before.");
  expect(await document()).toBe(before);
});

test("a rehearsal stays off routers that are not on this machine", async () => {
  const command = new Command("bin/greenlight.js", [
    "rehearse",
    PAYLOADS[0]!,
    "--url",
    "https://router.example.com",
  ]);
  expect(await command.exit).toBe(2);
  expect(command.output).toContain("--yes-really-remote");
});

test("apply shows the difference, writes, and waits until it is served; then nothing differs", async () => {
  const file = join(dir, "thirty.json");
  await writeFile(file, (await document()).replace(/"percentage":\s*10/, '"percentage": 30'));
  const diff = greenlight("diff", file);
  expect(await diff.exit).toBe(1);
  expect(diff.output).toContain("20 % of visitors come to it");
  const apply = greenlight("apply", file, "a quiet day", "--yes");
  expect(await apply.exit).toBe(0);
  expect(apply.output).toMatch(/Isolates serve it/);
  const same = greenlight("diff", file, "--json");
  expect(await same.exit).toBe(0);
  expect(JSON.parse(same.output)).toMatchObject({ same: true });
});

test("apply writes over nothing that it has not compared", async () => {
  const root = program().parse(
    ["--url", world.router.url, "--token-file", join(dir, "token"), "--yes", "--quiet", "--json"],
    { from: "user" },
  );
  const cli = new Cli(root, new AbortController().signal);
  const before = await (await cli.store()).document();
  let others = 0;
  const noted = async () =>
    await api("/flags/shop", "PATCH", '{"notes":"by another"}', {
      "if-match": "*",
      "content-type": "application/json",
    });
  // Somebody writes between the comparison and the write; what is to change is the same still.
  const store = await cli.store();
  const put = store.putDocument;
  store.putDocument = async (...args) => {
    if (others++ === 0) await noted();
    return await put(...args);
  };
  const wanted = (text: string) => {
    const edited = editFlag(text, "shop", { kind: "patch", value: { percentage: 40 } });
    return edited.ok ? edited.text : text;
  };
  await applyText(cli, { before, wanted, reason: "forty", dryRun: false });
  expect(others).toBe(2);
  expect(JSON.parse(await document()).flags.shop).toMatchObject({ notes: "by another", percentage: 40 });
});

test("a document with a fault changes nothing, and says line and column", async () => {
  const before = await document();
  const file = join(dir, "broken.json");
  await writeFile(file, '{\n  "flags": {\n    "shop": { "state": "onn" }\n  }\n}');
  const apply = greenlight("apply", file, "--yes");
  expect(await apply.exit).toBe(1);
  expect(apply.output).toContain(`${file}:3:24: flags.shop.state`);
  const validate = greenlight("validate", file, "--json");
  expect(await validate.exit).toBe(1);
  expect(JSON.parse(validate.output)).toMatchObject({ valid: false, faults: [{ line: 3, column: 24 }] });
  expect(await document()).toBe(before);
});

test("evaluate answers by a payload alone as its own helper does, and by the router with every step", async () => {
  const file = PAYLOADS[2]!;
  const offline = greenlight("evaluate", "--file", file, "--bucket", "0.27", "--json");
  expect(await offline.exit).toBe(0);
  expect(JSON.parse(offline.output)).toMatchObject({ enabled: true, threshold: 45, bucket: 0.27 });
  const told = greenlight("evaluate", "--file", file, "--bucket", "0.27");
  await told.exit;
  expect(await readFile(join(ROOT, "docs/rehearsing.md"), "utf8")).toContain(told.output);
  const online = greenlight("evaluate", "shop", "--bucket", "0.01", "--json");
  expect(await online.exit).toBe(0);
  expect(JSON.parse(online.output)).toMatchObject({ enabled: true, variant: "green", bucket: 0.01 });
});

test("KV is read and written by wrangler alone, and the rest of the text stays as it is written", async () => {
  const state = join(dir, "state");
  const written = '{ "flags": {\n  "shop":  {"state": "on"},\n  "cart": {"state":"sideways"}\n} }\n\n';
  await withLocalKv(state, (kv) => kv.put("flags", written));
  const kv = wranglerKv({ remote: false, state });
  const change = await changeDocument(
    kv,
    (text) => editFlag(text, "shop", { kind: "patch", value: { state: "off" } }),
    "shop",
  );
  expect(change.sentence).toMatch(/lowers green counts/);
  const now = await withLocalKv(state, (local) => local.get("flags"));
  expect(now).toBe(written.replace('"on"', '"off"'));
});
