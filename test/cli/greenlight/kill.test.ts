/** Promises of `greenlight kill`: two ways, each told by itself; one that holds is enough. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeBundle } from "../../../src/cli/bundle.ts";
import { editKey } from "../../../src/cli/greenlight/kill-key.ts";
import type { WranglerKv } from "../../../src/cli/greenlight/kv.ts";
import { type Running, startServe } from "../../../src/cli/running.ts";
import { isKilled, withKilled } from "../../../src/core/rollout/kill.ts";
import { greenlight } from "./run.ts";

/** Nobody listens there. */
const NOBODY = "http://127.0.0.1:9";
const ROUTE = { blue: NOBODY, green: NOBODY };
const FLAGS = { flags: { checkout: { state: "canary", percentage: 10, route: ROUTE } } };
interface Told {
  controller: { ok: boolean; sentence: string };
  kvKey: { ok: boolean; sentence: string };
  served: { percent: number } | null;
}

let router: Running;
let folder: string;
const before = process.cwd();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "greenlight-kill-"));
  router = await startServe({ bundle: await makeBundle(), flags: JSON.stringify(FLAGS) });
  await mkdir(join(folder, ".greenlight"));
  process.chdir(folder);
});
afterAll(async () => {
  process.chdir(before);
  await router?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Kills in a project whose local router and whose local KV are these. */
async function kill(url: string, state: string, ...more: string[]) {
  const session = JSON.stringify({ url, token: router.token, state });
  await writeFile(join(folder, ".greenlight", "local.json"), session, { mode: 0o600 });
  const env = { XDG_CONFIG_HOME: folder, GREENLIGHT_URL: "", GREENLIGHT_TOKEN: "", GREENLIGHT_PROFILE: "" };
  const ran = await greenlight(["kill", "checkout", "memory leak", "--yes", "--json", ...more], env);
  return { ...ran, told: (ran.code === 0 ? JSON.parse(ran.out) : undefined) as Told | undefined };
}

test("without the key the controller holds alone, and each is told by itself", async () => {
  const file = join(folder, "no-folder");
  await writeFile(file, "");
  const { code, told } = await kill(router.url, file);
  expect({
    code,
    controller: told?.controller.ok,
    kvKey: told?.kvKey.ok,
    served: told?.served?.percent,
  }).toEqual({
    code: 0,
    controller: true,
    kvKey: false,
    served: 0,
  });
});

test("a flag that is killed already is told as killed by both, not as refused", async () => {
  const state = join(folder, "state");
  await kill(router.url, state);
  const { code, told } = await kill(router.url, state);
  expect(code).toBe(0);
  expect(told?.controller).toEqual({ ok: true, sentence: expect.stringContaining("it was so before") });
});

test("taking a kill away lifts no halt that stood before it", async () => {
  const env = { GREENLIGHT_URL: router.url, GREENLIGHT_TOKEN: router.token, XDG_CONFIG_HOME: folder };
  const headers = { authorization: `Bearer ${router.token}` };
  const say = async (command: string, body: object = {}) => {
    const url = `${router.url}/_greenlight/api/flags/checkout/${command}`;
    return (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).status;
  };
  await say("resume");
  expect(await say("rollback", { mode: "immediate" })).toBe(200);
  expect(await say("kill")).toBe(200);
  const unkill = await greenlight(["unkill", "checkout", "--yes", "--json"], env);
  const { controller } = JSON.parse(unkill.out) as Told;
  const after = JSON.parse((await greenlight(["get", "checkout", "--json"], env)).out) as { served: number };
  expect({ code: unkill.code, ok: controller.ok, served: after.served }).toEqual({
    code: 3,
    ok: false,
    served: 0,
  });
  expect(controller.sentence).toContain("greenlight resume checkout");
});

test("a router that hangs is waited for once, and not asked again", async () => {
  let asked = 0;
  const hanging = createServer(() => asked++);
  await new Promise<void>((done) => void hanging.listen(0, "127.0.0.1", done));
  const { port } = hanging.address() as AddressInfo;
  const file = join(folder, "no-folder");
  await writeFile(file, "");
  const { code, err } = await kill(`http://127.0.0.1:${port}`, file, "--timeout", "0.2");
  hanging.closeAllConnections();
  hanging.close();
  expect({ code, asked }).toEqual({ code: 5, asked: 1 });
  expect(err).toContain("NOT killed");
});

/** A namespace with this text under the key, in which somebody else may write as well. */
function namespace(
  text: string | undefined,
  others?: (put: string) => string,
): WranglerKv & { text: () => string | undefined } {
  let kept = text;
  return {
    where: "this KV",
    get: async () => ({ ok: true, value: kept }),
    put: async (_, put) => {
      kept = others?.(put) ?? put;
      return { ok: true, value: undefined };
    },
    text: () => kept,
  };
}
const killing = (flag: string) => ({
  change: (text: string) => withKilled(text, flag),
  holds: (text: string) => isKilled(text, flag),
});

describe("the kill key", () => {
  test("keeps what others wrote in it, and is read back", async () => {
    const kv = namespace("search");
    expect(await editKey(kv, killing("checkout"))).toMatchObject({
      ok: true,
      sentence: expect.stringContaining("read back"),
    });
    expect(kv.text()).toBe("search checkout");
    expect((await editKey(kv, killing("checkout"))).sentence).toContain("it was so before");
  });

  test("says that it is not there yet where somebody else wrote over it", async () => {
    const kv = namespace("", () => "search");
    expect((await editKey(kv, killing("checkout"))).sentence).toContain("not there yet");
  });

  test("is not written for a name that the router does not know", async () => {
    const kv = namespace("");
    const objection = Promise.resolve("the router knows no flag chekout");
    expect(await editKey(kv, { ...killing("chekout"), objection })).toMatchObject({ ok: false });
    expect(kv.text()).toBe("");
  });

  test("says why it could not be read, and writes nothing then", async () => {
    const kv = { ...namespace(""), get: async () => ({ ok: false, sentence: "not logged in" }) as const };
    const way = await editKey(kv, killing("checkout"));
    expect(way).toEqual({ ok: false, sentence: "this KV cannot be read: not logged in" });
  });
});
