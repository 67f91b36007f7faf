/** Promises of the commands that talk to the API, against a real router: what they do, and how they end. */
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeBundle } from "../../../src/cli/bundle.ts";
import { type Running, startServe } from "../../../src/cli/running.ts";
import { hashToken, tokenLine } from "../../../src/core/auth/tokens.ts";
import { greenlight, printed } from "./run.ts";

const VIEWER = "viewer-token-0123456789abcdef";
const ROUTE = { blue: "http://127.0.0.1:9", green: "http://127.0.0.1:9" };
const FLAGS = {
  flags: {
    checkout: {
      state: "canary",
      percentage: 10,
      release: "2.1.0",
      cohorts: { beta: { users: ["ada"] } },
      route: { hosts: ["shop.example.com"], ...ROUTE },
    },
    engine: {
      state: "canary",
      release: "3.0.0",
      plan: { stages: [{ cohort: "staff", percentage: 1, duration: 60 }, { percentage: 100 }] },
      cohorts: { staff: {} },
      route: { hosts: ["engine.example.com"], ...ROUTE },
    },
    "invoices.write": { state: "on" },
  },
};

let router: Running;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "greenlight-cli-"));
  const viewer = tokenLine({ name: "vera", role: "viewer", sha256: hashToken(VIEWER), expires: undefined });
  router = await startServe({
    bundle: await makeBundle(),
    flags: JSON.stringify(FLAGS, null, 2),
    vars: { ADMIN_TOKENS: viewer },
  });
  await writeFile(join(folder, "token"), `${router.token}\n`, { mode: 0o600 });
  env = {
    GREENLIGHT_URL: router.url,
    GREENLIGHT_TOKEN: router.token,
    XDG_CONFIG_HOME: join(folder, "config"),
    XDG_CACHE_HOME: join(folder, "cache"),
  };
});
afterAll(async () => {
  await router?.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => greenlight(args, env);
const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await run(...args, "--json")).out) as T;
const revision = async () => (await json<{ revision: number }>("list")).revision;

describe("what commands do", () => {
  test("set, as Thorbis types it, with the reason as last word, the token's name and who shares it", async () => {
    const set = await run(
      "set",
      "checkout",
      "canary",
      "--percentage",
      "20",
      "Testing with 20%",
      "--by",
      "ada",
    );
    expect(set).toMatchObject({
      code: 0,
      out: expect.stringContaining("checkout counts as canary, 20 % served"),
    });
    const { entries } = await json<{ entries: Record<string, unknown>[] }>(
      "audit",
      "--flag",
      "checkout",
      "--action",
      "set",
    );
    expect(entries[0]).toMatchObject({ how: "cli", who: "local (ada)", percentage: 20 });
    expect(String(entries[0]?.reason)).toContain("Testing with 20%");
  });

  test("a percentage alone, and nothing else of the document is touched", async () => {
    const before = await json<{ written: object }>("get", "checkout");
    expect((await run("set", "checkout", "--percentage", "0.5")).code).toBe(0);
    const after = await json<{ written: object }>("get", "checkout");
    expect(after.written).toEqual({ ...before.written, percentage: 0.5 });
  });

  test("create, override, cohort and delete leave what they say", async () => {
    expect((await run("create", "fresh", "--description", "New", "try it")).code).toBe(0);
    expect(
      (await run("override", "fresh", "on", "--tenant", "acme", "--expires", "7d", "asked for it")).code,
    ).toBe(0);
    const { written } = await json<{
      written: { overrides: { tenants: Record<string, { state: string }> } };
    }>("get", "fresh");
    expect(written.overrides.tenants.acme?.state).toBe("on");
    expect((await run("override", "fresh", "--remove", "--tenant", "acme", "--yes")).code).toBe(0);
    expect((await run("cohort", "disable", "beta", "--yes", "looks bad")).code).toBe(0);
    expect((await json<{ effective: string }>("get", "canary.cohort.beta.enabled")).effective).toBe("off");
    expect((await run("cohort", "enable", "beta")).code).toBe(0);
    expect((await run("delete", "fresh", "--yes")).code).toBe(0);
    expect((await run("get", "fresh")).code).toBe(3);
  });

  test("pause, resume and rollback move the rollout and show where it is", async () => {
    await run("set", "checkout", "--percentage", "30");
    expect((await json<{ phase: string }>("pause", "checkout", "a look")).phase).toBe("paused");
    expect((await json<{ phase: string }>("resume", "checkout")).phase).toBe("progressing");
    expect((await json<{ phase: string }>("rollback", "checkout", "--immediate", "--yes")).phase).toBe(
      "halted",
    );
    expect((await json<{ phase: string }>("canary-status", "checkout")).phase).toBe("halted");
    expect((await run("canary-status")).out).toContain("immediate rollback by local");
    for (const words of [["status"], ["canary-status", "checkout"]])
      expect((await run(...words)).out, "the next command").toContain("→ greenlight resume checkout");
    expect((await run("get", "checkout")).out).toContain("→ greenlight canary-status checkout");
    expect((await run("resume", "checkout")).code).toBe(0);
  });

  test("rollback --to takes the whole document back", async () => {
    const from = await revision();
    await run("set", "invoices.write", "off");
    expect((await run("rollback", "--to", String(from), "--yes", "wrong flag")).code).toBe(0);
    expect((await json<{ effective: string }>("get", "invoices.write")).effective).toBe("on");
  });

  test("watch shows what happened after an entry, and ends after so many", async () => {
    const { code, out } = await run("watch", "--after", "0", "--count", "2", "--json");
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: number }).id),
    ).toEqual([1, 2]);
  });
});

/** Every command that asks the router, a good call of each. `watch`, `login` and those that write are above. */
const READS: readonly string[][] = [
  ["list"],
  ["list", "checkout", "--state", "canary"],
  ["get", "checkout"],
  ["status"],
  ["history", "checkout"],
  ["audit"],
  ["revisions"],
  ["revisions", "1"],
  ["canary-status"],
  ["canary-status", "engine"],
  ["metrics", "checkout", "--window", "1h"],
  ["usage"],
  ["usage", "checkout"],
  ["profiles"],
  ["whoami"],
];

describe("how commands end", () => {
  test.each(READS.map((words) => [words.join(" "), words] as const))(
    "%s: 0, with JSON that can be read, and text without colours",
    async (_, words) => {
      const machine = await run(...words, "--json");
      expect(machine).toMatchObject({ code: 0, err: "" });
      expect(() => JSON.parse(machine.out) as unknown).not.toThrow();
      expect((await run(...words)).code).toBe(0);
    },
  );

  const ENDS: readonly [code: number, why: string, args: string[]][] = [
    [1, "a stage whose gates do not hold", ["validate", "--cohort", "staff"]],
    [1, "a green that is not known to be healthy", ["health", "--flag", "checkout", "--duration", "1ms"]],
    [1, "an origin that does not answer", ["smoke", "checkout"]],
    [2, "no such command", ["lsit"]],
    [2, "no such option", ["list", "--nonsense"]],
    [2, "nothing to set", ["set", "checkout"]],
    [2, "a misspelt state", ["set", "checkout", "onn"]],
    [2, "a command without its own command", ["cohort"]],
    [
      2,
      "an override that has ended before it begins",
      ["override", "checkout", "on", "--user", "ada", "--expires", "2001-01-01"],
    ],
    [2, "a percentage above 100", ["set", "checkout", "--percentage", "101"]],
    [2, "a percentage with a state that has none", ["set", "checkout", "on", "--percentage", "10"]],
    [2, "nobody's override", ["override", "checkout", "on"]],
    [2, "two modes at once", ["rollback", "checkout", "--gradual", "--immediate", "--yes"]],
    [2, "no such cohort", ["validate", "--cohort", "stuff"]],
    [2, "no such profile", ["list", "--profile", "nowhere"]],
    [3, "a flag that is not there", ["get", "nothing"]],
    [3, "a cohort that no flag has", ["cohort", "disable", "betta", "--yes"]],
    [3, "a flag that is there already", ["create", "checkout"]],
    [3, "a command that the rollout cannot do", ["approve", "checkout"]],
    [3, "a document with faults", ["create", "faulty", "--kind", "nonsense"]],
    [3, "a revision that is not kept", ["rollback", "--to", "999999", "--yes"]],
    [5, "nobody there", ["list", "--url", "http://127.0.0.1:9"]],
  ];
  test.each(ENDS)("%s: %s", async (code, _, args) => {
    const before = await revision();
    const ended = await run(...args, "--json");
    expect(ended.code).toBe(code);
    if (code > 1) {
      expect(JSON.parse(ended.err)).toMatchObject({ error: { exit: code, sentence: expect.any(String) } });
      expect((await run(...args)).err).toContain("✗");
    }
    expect(await revision()).toBe(before);
  });

  test("4 with a wrong token, with none, and with one that may only look", async () => {
    const as = (token: string, ...args: string[]) => greenlight(args, { ...env, GREENLIGHT_TOKEN: token });
    expect(await as("wrong-token-0123456789", "list")).toMatchObject({ code: 4 });
    expect((await as("", "list")).err).toContain("No token was given");
    expect((await as(VIEWER, "list")).code).toBe(0);
    expect((await as(VIEWER, "set", "checkout", "off")).code).toBe(4);
  });

  test("a fault is told with its path", async () => {
    const { err } = await run("create", "faulty", "--kind", "nonsense");
    expect(err).toContain("flags.faulty.kind");
  });

  const DESTRUCTIVE = [
    ["kill", "checkout"],
    ["unkill", "checkout"],
    ["rollback", "checkout"],
    ["rollback", "--to", "1"],
    ["delete", "checkout"],
    ["instant", "checkout"],
    ["restart", "engine"],
    ["promote", "checkout", "--force"],
    ["set", "checkout", "kill"],
    ["override", "checkout", "--remove", "--user", "ada"],
    ["cohort", "disable", "beta"],
    ["disable"],
  ];
  test.each(DESTRUCTIVE.map((words) => [words.join(" "), words] as const))(
    "%s asks; without a terminal it does nothing",
    async (_, words) => {
      const before = await revision();
      const { code, err } = await run(...words);
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("--yes") });
      expect(await revision()).toBe(before);
    },
  );
});

describe("the way to the router", () => {
  test("login keeps a token that the router knows, for the owner's eyes, and logout forgets it", async () => {
    const file = join(folder, "config", "greenlight", "profiles.json");
    const login = [
      "login",
      "--profile",
      "staging",
      "--url",
      router.url,
      "--token-file",
      join(folder, "token"),
    ];
    expect(await run(...login)).toMatchObject({ code: 0, out: expect.stringContaining("local (admin)") });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const elsewhere = { ...env, GREENLIGHT_URL: "", GREENLIGHT_TOKEN: "" };
    expect((await greenlight(["list", "--profile", "staging"], elsewhere)).code).toBe(0);
    await chmod(file, 0o640);
    const readable = await greenlight(["list", "--profile", "staging"], elsewhere);
    expect(readable).toMatchObject({ code: 2, err: expect.stringContaining("chmod 600") });
    await chmod(file, 0o600);
    expect((await run("logout", "staging")).code).toBe(0);
    expect(await readFile(file, "utf8")).not.toContain(router.token);
  });

  test("login keeps nothing that the router does not know", async () => {
    await writeFile(join(folder, "wrong"), "wrong-token-0123456789", { mode: 0o600 });
    const login = ["login", "--profile", "bad", "--url", router.url, "--token-file", join(folder, "wrong")];
    expect((await run(...login)).code).toBe(4);
    expect((await run("profiles")).out).not.toContain("bad");
  });

  test("a write whose answer is lost is asked for again, and happens once", async () => {
    const before = await revision();
    const url = await losingFirstAnswer(router.port);
    const { code, out } = await run("set", "checkout", "--percentage", "41", "--url", url, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ revision: before + 1, replayed: true });
    expect(await revision()).toBe(before + 1);
  });

  test("a redirect is not followed: the token goes to no other host", async () => {
    const { port, asked } = await answering(
      "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    );
    const ran = await run("list", "--url", `http://127.0.0.1:${port}`);
    expect(ran).toMatchObject({ code: 5, err: expect.stringContaining("redirect") });
    expect(asked()).toBe(1);
  });
});

test("no id of a user is in a path or query, which are logged on the way", async () => {
  const lines: string[] = [];
  const port = await listening((socket) => {
    socket.once("data", (data) => {
      lines.push(String(data).split("\r\n")[0]!);
      socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    });
  });
  const url = ["--url", `http://127.0.0.1:${port}`];
  await run("override", "checkout", "on", "--user", "ada-lovelace", ...url);
  await run("override", "checkout", "--remove", "--user", "ada-lovelace", "--yes", ...url);
  await run("evaluate", "checkout", "--user", "ada-lovelace", ...url);
  expect(lines.map((line) => line.split(" ")[0])).toEqual(["PUT", "DELETE", "POST"]);
  expect(lines.join()).not.toContain("ada");
});

test("no token was ever printed, and no colour where it is no terminal", () => {
  const all = printed.join("\n");
  expect(all.length).toBeGreaterThan(1000);
  for (const token of [router.token, VIEWER]) expect(all).not.toContain(token);
  expect(all).not.toContain("\x1b");
});

const open: { close(): void }[] = [];
afterAll(() => {
  for (const server of open) server.close();
});

/** A server that gives everybody the same answer. */
async function answering(answer: string): Promise<{ port: number; asked: () => number }> {
  let asked = 0;
  const port = await listening((socket) => {
    socket.once("data", () => {
      asked++;
      socket.end(answer);
    });
  });
  return { port, asked: () => asked };
}

/** A way to the router on which the first answer is lost after the router has given it. */
async function losingFirstAnswer(to: number): Promise<string> {
  const { connect } = await import("node:net");
  let first = true;
  const port = await listening((client) => {
    const lose = first;
    first = false;
    const upstream = connect(to, "127.0.0.1");
    client.pipe(upstream);
    upstream.on("data", (data) => (lose ? client.destroy() : client.write(data)));
    for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
    client.on("close", () => upstream.destroy());
  });
  return `http://127.0.0.1:${port}`;
}

async function listening(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer(onSocket);
  open.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as { port: number }).port;
}
